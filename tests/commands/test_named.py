"""The run that a person names: by name or id, of whatever seed and experiment."""

import pytest

from harness.commands.named import run_named
from harness.errors import SpecError
from harness.workplace import workplace


@pytest.fixture
def named(tmp_path):
    """A function from a text to the run that it means at demo scale."""
    return lambda text: run_named(text, "demo", None, tmp_path / "runs")[1]


@pytest.fixture
def planned(tmp_path):
    """The grid of `harness plan --scale demo --seeds 3`, and of what is on request."""
    place = workplace("demo", None, tmp_path / "runs")
    return place.grid(place.experiment_names, 3)


@pytest.fixture
def start(tmp_path):
    """Leaves the folder of a run that was started."""

    def make(run_id):
        (tmp_path / "runs" / run_id).mkdir(parents=True)

    return make


@pytest.mark.parametrize(
    "name",
    ["table1/k=2/seed=2", "base htc_R50_FPN/seed=1", "table1_sound/k=4/seed=2"],
)
def test_a_run_of_another_seed_is_found_by_name_and_id_before_any_was_started(named, planned, name):
    assert planned.name_of(named(name).run_id) == name
    assert named(named(name).run_id) == named(name)


def test_while_seed_0_is_alone_a_name_needs_no_seed(named):
    assert named("table1/k=2").seed == 0
    assert named("table1_sound/k=2").loss.variant == "sound"


def test_once_a_seed_is_known_a_name_without_one_is_in_doubt(named, start):
    start(named("table2/baseline/seed=1").run_id)
    message = r"^'table1/k=2' means 2 runs: table1/k=2/seed=0 · \w+, table1/k=2/seed=1 · \w+\. Name"
    with pytest.raises(SpecError, match=message):
        named("table1/k=2")
    assert named("table1/k=2/seed=0").seed == 0


def test_a_seed_that_no_grid_can_have_is_refused(named):
    with pytest.raises(SpecError, match=r"'table1/k=2' has seed 0 to 31 here\."):
        named("table1/k=2/seed=32")


def test_a_beginning_of_an_id_means_a_run_that_is_known(named, start, planned):
    run_id = named("table1/k=2/seed=1").run_id
    with pytest.raises(SpecError, match=f"Unknown run '{run_id[:6]}'"):
        named(run_id[:6])
    start(run_id)
    assert named(run_id[:6]).run_id == run_id
