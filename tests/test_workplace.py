"""What was asked for before, told by nothing but the names of what runs left."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.paths import ResultsFolder
from harness.workplace import Workplace, workplace

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
TABLES = ["table1", "table2", "table3"]


@pytest.fixture
def place(tmp_path) -> Workplace:
    """Demo scale with the paper's experiments, and neither runs nor results."""
    made = workplace("demo", None, tmp_path / "runs")
    return replace(made, results=ResultsFolder(tmp_path / "results"), experiments=EXPERIMENTS)


def run_id_of(place, name, *experiments) -> str:
    grid = place.grid(experiments, 3)
    return next(run_id for run_id in grid.runs if grid.name_of(run_id) == name)


def leave_folder(place, run_id):
    place.runs.run(run_id).folder.mkdir(parents=True)


def leave_metrics(place, run_id):
    path = place.results.metrics(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def known(place, names=None):
    grid = place.known_grid(names)
    return list(grid.layouts), grid.seeds


def test_as_many_seeds_as_are_asked_for_are_in_the_grid(place):
    assert place.grid().seeds == (0,)
    assert place.grid(["table2"], 3).seeds == (0, 1, 2)
    assert len(place.grid(["table2"], 3).cells) == 3 * 4


@pytest.mark.parametrize("seeds", [-1, 0, 33])
def test_a_number_of_seeds_that_cannot_be_is_refused(place, seeds):
    with pytest.raises(SpecError, match=rf"^--seeds {seeds}: a grid has 1 to 32 seeds\.$"):
        place.grid(None, seeds)


def test_without_any_run_seed_0_of_the_papers_tables_is_known(place):
    assert known(place) == (TABLES, (0,))
    assert not place.runs.folder.exists()


@pytest.mark.parametrize("leave", [leave_folder, leave_metrics])
@pytest.mark.parametrize("name", ["base mask_rcnn_R50_FPN/seed=2", "table3/HTC/seed=2"])
def test_a_seed_is_known_by_a_folder_or_by_collected_metrics(place, leave, name):
    leave(place, run_id_of(place, name))
    assert known(place) == (TABLES, (0, 2))


@pytest.mark.parametrize("leave", [leave_folder, leave_metrics])
def test_an_experiment_on_request_is_known_in_the_same_way(place, leave):
    leave(place, run_id_of(place, "table1_sound/k=3/seed=0", "table1_sound"))
    assert known(place) == (["table1", "table1_sound", "table2", "table3"], (0,))


def test_what_is_no_run_of_the_grid_makes_nothing_known(place):
    for name in ("01234567", "benchmarks", "checked", "code", "data", "submissions"):
        (place.runs.folder / name).mkdir(parents=True)
    at_paper_scale = replace(place, setting=replace(place.setting, scale="paper"))
    leave_folder(place, run_id_of(at_paper_scale, "table1/k=2/seed=1"))
    assert known(place) == (TABLES, (0,))


def test_an_experiment_that_is_named_knows_the_seeds_of_its_own_runs(place):
    leave_folder(place, run_id_of(place, "table3/HTC/seed=1"))
    assert known(place, ["table3"]) == (["table3"], (0, 1))
    assert known(place, ["table1"]) == (["table1"], (0,))
