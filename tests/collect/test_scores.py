from dataclasses import replace

import numpy as np
import pytest

from harness.collect import row_scores
from harness.errors import ResultsError
from harness.records import EXTENDED_METRICS, METRICS
from harness.replicates import Replicates, write_replicates

BY_METRIC = {name: 20.0 + number for number, name in enumerate(METRICS)}  # as leave_metrics writes


@pytest.fixture
def leave_replicates(results):
    """A function that writes replicates of a run: three draws, AP 19, 20 and 21 and so on."""

    def write(spec, **changes):
        ap = BY_METRIC | {"AP80": 12.0, "AP90": 3.0}
        drawn = {name: tuple(ap[name] + more for more in (-1, 0, 1)) for name in EXTENDED_METRICS}
        replicates = Replicates(
            run_id=spec.run_id,
            annotations="b" * 64,
            results="d" * 64,
            drawn="e" * 64,
            evaluator="harness 0.1.0",
            ap={"segm": ap, "boundary": ap | {"AP": 11.0}},
            draws={"segm": drawn, "boundary": drawn},
        )
        write_replicates(results.replicates(spec.run_id), replace(replicates, **changes))

    return write


@pytest.fixture
def specs(grid):
    """Those of Table I's first two rows."""
    return [cell.spec for cell in grid.table("table1")[:2]]


def test_a_run_has_its_metrics_and_with_replicates_those_of_contours_and_draws(
    grid, results, specs, leave_metrics, leave_replicates
):
    for spec in specs:
        leave_metrics(results.metrics(spec.run_id), spec)
    leave_replicates(specs[1])
    scores = row_scores(grid, "table1", results)
    assert (scores["baseline"][0].values, scores["baseline"][0].draws) == (BY_METRIC, {})
    k1 = scores["k=1"][0]
    assert k1.run_id == specs[1].run_id
    assert k1.tested_on == f"{'b' * 64} {'e' * 64}"
    assert (k1.values["AP"], k1.values["AP80"], k1.values["boundary AP"]) == (20, 12, 11)
    np.testing.assert_array_equal(k1.draws["AP"], [19, 20, 21])
    np.testing.assert_array_equal(k1.draws["boundary AP50"], [20, 21, 22])
    assert scores["k=2"] == {}


def test_each_seed_of_a_row_is_found(grid, results, specs, leave_metrics):
    cell = grid.table("table1")[0]
    other = replace(cell, spec=replace(cell.spec, seed=7))
    leave_metrics(results.metrics(other.spec.run_id), other.spec)
    several = replace(grid, cells=(*grid.cells, other))
    assert list(row_scores(several, "table1", results)["baseline"]) == [7]


def test_replicates_of_other_predictions_are_refused(
    grid, results, specs, leave_metrics, leave_replicates
):
    leave_metrics(results.metrics(specs[0].run_id), specs[0])
    more = BY_METRIC | {"AP": 19.0, "AP80": 1.0, "AP90": 1.0}
    leave_replicates(specs[0], ap={"segm": more, "boundary": more})
    message = r"made from other predictions.*\(AP 19.0, there 20.0\). Delete it and give"
    with pytest.raises(ResultsError, match=message):
        row_scores(grid, "table1", results)


def test_replicates_of_other_annotations_are_refused(
    grid, results, specs, leave_metrics, leave_replicates
):
    leave_metrics(results.metrics(specs[0].run_id), specs[0])
    leave_replicates(specs[0], annotations="f" * 64)
    with pytest.raises(ResultsError, match="made from other predictions, or other annotations"):
        row_scores(grid, "table1", results)


def test_runs_of_other_draws_are_refused(grid, results, specs, leave_metrics, leave_replicates):
    for spec, drawn in zip(specs, ("e", "f"), strict=True):
        leave_metrics(results.metrics(spec.run_id), spec)
        leave_replicates(spec, drawn=drawn * 64)
    message = (
        f"Runs {specs[0].run_id} and {specs[1].run_id} were scored on other draws of the same "
        "images"
    )
    with pytest.raises(ResultsError, match=message):
        row_scores(grid, "table1", results)
