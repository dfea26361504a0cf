"""`harness submit --seeds 2 --site local`, with trainings that take no time."""

from functools import partial

import pytest

from harness.commands import local
from harness.commands.submit import submit
from harness.grid import Setting, base_of
from harness.grid.state import State, run_state
from harness.launch.local import run_grid
from harness.launch.logs import failures
from harness.paths import LOCAL, ResultsFolder
from harness.workplace import Workplace

EXPERIMENT = """
from harness.grid import NO_LOSS, Cell, Layout, contour, finetune, table_grid

NAME = "mine"


def grid(setting):
    rows = {"none": NO_LOSS, "k=2": contour(k=2)}
    cells = [
        Cell(NAME, row, finetune(setting, "mask_rcnn_R50_FPN", loss), {"Method": row})
        for row, loss in rows.items()
    ]
    return table_grid(NAME, Layout("", ("Method", "mAP")), cells)
"""
REQUEST = EXPERIMENT.replace("k=2", "k=5").replace('"mine"', '"asked"') + "ON_REQUEST = True\n"


@pytest.fixture
def place(tmp_path, runs, shapes_dir) -> Workplace:
    experiments = tmp_path / "experiments"
    experiments.mkdir()
    (experiments / "mine.py").write_text(EXPERIMENT)
    (experiments / "asked.py").write_text(REQUEST)
    return Workplace(
        setting=Setting(scale="demo", shapes_dir=shapes_dir),
        runs=runs,
        results=ResultsFolder(tmp_path / "results"),
        published=tmp_path / "published",
        experiments=experiments,
        sites=tmp_path / "sites",
    )


@pytest.fixture
def give(place, make_work, monkeypatch, quick):
    """A function that gives the command with `--seeds N`; whether no run failed."""

    def give(seeds, only=None, names=None, **troubles):
        work = partial(run_grid, slots=2, work=make_work(**troubles))
        monkeypatch.setattr(local, "run_grid", work)
        return submit(place.grid(names, seeds), place, only, LOCAL, dirty=False)

    return give


def told(place) -> list[str]:
    """The commands that `harness fails` tells."""
    grid = place.known_grid()
    states = {run_id: run_state(spec, place.runs) for run_id, spec in grid.runs.items()}
    return [failure.again for failure in failures(grid, place.runs, states, {}, {})]


def test_each_seed_trains_its_own_base_first_and_every_cell_once(give, place, story):
    assert give(2)
    grid = place.known_grid()
    assert grid.seeds == (0, 1)
    assert sorted(story.begun()) == sorted(grid.runs)  # 2 bases, 4 fine-tunes, each once
    assert {run_state(spec, place.runs).state for spec in grid.runs.values()} == {State.DONE}
    lines = story.lines()
    for spec in grid.runs.values():
        if base := base_of(spec):
            assert lines.index((base.run_id, "ends")) < lines.index((spec.run_id, "begins"))
    # What is done is collected, of both seeds.
    assert place.results.run_ids() == set(grid.runs)


def test_one_more_seed_trains_that_one_alone(give, place, story):
    assert give(1)
    before = story.begun()
    assert give(2)
    grid = place.grid(None, 2)
    later = [grid.runs[run_id].seed for run_id in story.begun()[len(before) :]]
    assert later == [1, 1, 1]


def test_only_one_seed_of_a_row_is_trained_where_it_is_named(give, place, story):
    assert give(3, only=["mine/k=2/seed=2"])
    grid = place.grid(None, 3)
    assert [grid.name_of(run_id) for run_id in story.begun()] == [
        "base mask_rcnn_R50_FPN/seed=2",
        "mine/k=2/seed=2",
    ]
    assert place.known_grid().seeds == (0, 2)


def test_failed_runs_are_told_with_the_one_command_that_tries_all_of_them_again(give, place):
    failing = [cell.spec.run_id for cell in place.grid(None, 2).cells if cell.row == "k=2"]
    assert not give(2, failing=failing)
    command = f"harness submit --site local --seeds 2 --scale demo --runs {place.runs.folder}"
    assert told(place) == [command, command]


def test_a_failed_run_of_an_experiment_on_request_is_told_with_its_name(give, place):
    failing = [place.grid(["asked"]).cells[1].spec.run_id]
    assert not give(1, names=["asked"], failing=failing)
    command = f"harness submit asked --site local --scale demo --runs {place.runs.folder}"
    assert told(place) == [command]
