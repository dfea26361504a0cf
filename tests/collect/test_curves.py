import json

import pytest

from harness.collect.curves import MOST_POINTS, training_curves
from harness.grid import base_of


@pytest.fixture
def spec(grid):
    return next(cell.spec for cell in grid.table("table1") if cell.row == "k=2")


def write_log(paths, lines) -> None:
    paths.folder.mkdir(parents=True)
    paths.metrics_log.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_curve_has_each_loss_term_the_total_first_and_not_the_learning_rate(spec, runs):
    paths = runs.run(spec.run_id)
    write_log(paths, [{"iteration": 301, "loss_mask": 0.5, "lr": 0.1, "total_loss": 2.0}])
    curves = training_curves(spec, paths)
    assert list(curves.columns) == ["total_loss", "loss_mask"]
    assert curves.loc[301].tolist() == [2.0, 0.5]


def test_a_long_training_is_shown_as_means_of_neighbouring_iterations(grid, runs, spec):
    base = base_of(spec)  # 300 iterations: 120 points take 3 iterations each, and are then 100
    assert base.last_iteration == 300
    paths = runs.run(base.run_id)
    write_log(paths, [{"iteration": i, "total_loss": float(i)} for i in range(1, 301)])
    curves = training_curves(base, paths)
    assert len(curves) == 100 <= MOST_POINTS
    # The mean of 1, 2, 3 at iteration 3; of 298, 299, 300 at 300.
    assert curves.loc[3, "total_loss"] == 2.0
    assert curves.loc[300, "total_loss"] == 299.0


def test_a_line_that_was_cut_short_is_left_out(spec, runs):
    paths = runs.run(spec.run_id)
    write_log(paths, [{"iteration": 301, "total_loss": 2.0}])
    with paths.metrics_log.open("a") as file:
        file.write('{"iteration": 302, "total')
    assert training_curves(spec, paths)["total_loss"].tolist() == [2.0]


def test_a_run_without_a_folder_has_no_curves(spec, runs):
    assert training_curves(spec, runs.run(spec.run_id)).empty
