import re

import numpy as np
import pytest

from harness.collect import cells_frame
from harness.errors import ResultsError
from harness.records import METRICS

ROWS = ["R50", "R50+contour", "R101", "R101+contour", "X101", "X101+contour", "HTC", "HTC+contour"]


def test_every_row_stands_in_reading_order_with_its_labels_numbers_and_run(
    grid, results, leave_metrics
):
    spec = grid.table("table3")[1].spec
    leave_metrics(results.metrics(spec.run_id), spec)
    frame = cells_frame(grid, "table3", results)
    assert list(frame.index) == ROWS
    assert list(frame.columns) == ["Method", "Backbone", "CL", *METRICS, "run_id", "missing"]
    row = frame.loc["R50+contour"]
    assert list(row[["Method", "Backbone", "CL"]]) == ["Mask R-CNN", "Res-50+FPN", "✓"]
    assert list(row[list(METRICS)]) == [20.0, 21.0, 22.0, 23.0, 24.0, 25.0]
    assert row["run_id"] == spec.run_id
    assert row["missing"] == ""


def test_a_row_without_numbers_says_why(grid, results):
    frame = cells_frame(grid, "table3", results)
    assert frame[list(METRICS)].isna().all(axis=None)
    assert frame.loc["R50", "missing"] == "not trained yet"
    assert frame.loc["HTC", "missing"].startswith("Hybrid Task Cascade is not built yet")


def test_a_run_without_mask_ap_is_not_scored(grid, results, leave_metrics):
    spec = grid.table("table1")[0].spec
    leave_metrics(results.metrics(spec.run_id), spec, ap={})
    frame = cells_frame(grid, "table1", results)
    assert frame.loc["baseline", "missing"] == "trained, but not scored yet"


def test_no_ground_truth_is_nan_in_a_row_that_is_there(grid, results, leave_metrics):
    spec = grid.table("table1")[0].spec
    ap = {"segm": {**dict.fromkeys(METRICS, 20.0), "APs": None}}
    leave_metrics(results.metrics(spec.run_id), spec, ap=ap)
    row = cells_frame(grid, "table1", results).loc["baseline"]
    assert np.isnan(row["APs"])
    assert row["AP"] == 20.0
    assert row["missing"] == ""


def test_columns_of_numbers_are_floats_even_with_nothing_in_them(grid, results):
    frame = cells_frame(grid, "table2", results)
    assert {frame[name].dtype for name in METRICS} == {np.dtype(float)}


def test_two_annotation_files_under_one_name_are_refused(grid, results, leave_metrics):
    baseline, k1 = (cell.spec for cell in grid.table("table1")[:2])
    leave_metrics(results.metrics(baseline.run_id), baseline)
    leave_metrics(results.metrics(k1.run_id), k1, annotations={"shapes_val": "d" * 64})
    message = (
        "Table 'table1' would mix two annotation files named shapes_val: sha256 bbbbbbbb in row "
        f"'baseline', dddddddd in row 'k=1'. Keep the right file, delete the folders of the runs "
        f"made with the other, here runs/{k1.run_id} for row 'k=1', and submit them again."
    )
    with pytest.raises(ResultsError, match=f"^{re.escape(message)}$"):
        cells_frame(grid, "table1", results)


def test_two_evaluators_are_refused(grid, results, leave_metrics):
    baseline, k1 = (cell.spec for cell in grid.table("table1")[:2])
    leave_metrics(results.metrics(baseline.run_id), baseline)
    leave_metrics(results.metrics(k1.run_id), k1, evaluator="hotcoco 0.6")
    message = (
        "Table 'table1' would mix two evaluators: row 'baseline' was scored by pycocotools "
        "2.0.10, row 'k=1' by hotcoco 0.6. Score them with one: delete "
        f"runs/{k1.run_id}/metrics.json, give `harness run {k1.run_id}`"
    )
    with pytest.raises(ResultsError, match=re.escape(message)):
        cells_frame(grid, "table1", results)


def test_other_data_in_another_table_is_no_mixture(grid, results, leave_metrics):
    k2, k6 = grid.table("table2")[3].spec, grid.table("table1")[6].spec
    leave_metrics(results.metrics(k2.run_id), k2)
    leave_metrics(results.metrics(k6.run_id), k6, evaluator="hotcoco 0.6")
    assert cells_frame(grid, "table2", results).loc["contour", "missing"] == ""


def test_a_collected_file_cut_in_half_is_named(grid, results, leave_metrics):
    spec = grid.table("table1")[0].spec
    path = results.metrics(spec.run_id)
    leave_metrics(path, spec)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ResultsError, match=f"{path} is not whole JSON"):
        cells_frame(grid, "table1", results)
