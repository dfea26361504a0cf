"""The command under the state of the grid trains what is not done, and nothing else."""

from pathlib import Path

from harness.grid import Grid, Setting
from harness.grid.experiments import load_grid
from harness.grid.grid import merge
from harness.reporting.to_train import to_train

ROOT = Path(__file__).parents[2]


def grid_of(*names: str, seeds=(0,)) -> Grid:
    return load_grid(names, Setting(scale="demo"), ROOT / "experiments", seeds)


def test_what_is_asked_for_by_default_needs_no_names():
    grid = grid_of()
    assert to_train(grid, list(grid.runs)) == "harness submit --site local --scale demo"


def test_an_experiment_on_request_is_named():
    grid = merge([grid_of(), grid_of("table1_sound")])
    sound = [cell.spec.run_id for cell in grid.table("table1_sound") if cell.row == "k=2"]
    assert to_train(grid, sound) == "harness submit table1_sound --site local --scale demo"
    # With others beside it all are named, since naming one leaves out the rest.
    assert to_train(grid, [*sound, grid.table("table2")[1].spec.run_id]) == (
        "harness submit table1 table2 table3 table1_sound --site local --scale demo"
    )


def test_seeds_that_nobody_asked_for_are_not_trained():
    grid = merge([grid_of(), grid_of(seeds=(5,))])
    fifth = [run_id for run_id, spec in grid.runs.items() if spec.seed == 5]
    assert to_train(grid, fifth) == (
        "harness submit --site local --seeds 6 --only '*/seed=5' --scale demo"
    )


def test_seeds_in_a_row_are_asked_for_together():
    grid = grid_of(seeds=(0, 1, 2))
    assert to_train(grid, list(grid.runs)) == "harness submit --site local --seeds 3 --scale demo"


def test_where_all_is_done_there_is_no_command():
    assert to_train(grid_of(), []) == ""
