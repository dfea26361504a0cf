import re
from dataclasses import replace

import numpy as np
import pytest

from harness.collect import cells_frame
from harness.errors import ResultsError
from harness.grid import base_of
from harness.records import METRICS

ROWS = ["R50", "R50+contour", "R101", "R101+contour", "X101", "X101+contour", "HTC", "HTC+contour"]


def test_every_row_stands_in_reading_order_with_its_labels_numbers_and_run(
    grid, results, leave_metrics
):
    spec = grid.table("table3")[1].spec
    leave_metrics(results.metrics(spec.run_id), spec)
    frame = cells_frame(grid, "table3", results)
    assert list(frame.index) == ROWS
    assert list(frame.columns) == [
        "Method",
        "Backbone",
        "CL",
        *METRICS,
        *(f"{metric} std_error" for metric in METRICS),
        "n",
        "seeds",
        "run_id",
        "evaluator",
        "missing",
        "losses_code",
        "detection_code",
        "commit",
        "uncommitted",
    ]
    row = frame.loc["R50+contour"]
    assert list(row[["Method", "Backbone", "CL"]]) == ["Mask R-CNN", "Res-50+FPN", "✓"]
    assert list(row[list(METRICS)]) == [20.0, 21.0, 22.0, 23.0, 24.0, 25.0]
    assert row["run_id"] == spec.run_id
    assert row["evaluator"] == "pycocotools 2.0.10"
    assert row["missing"] == ""


def test_a_row_without_numbers_says_why(grid, results):
    frame = cells_frame(grid, "table3", results)
    assert frame[list(METRICS)].isna().all(axis=None)
    assert frame.loc["R50", "missing"] == "not trained yet"
    assert frame.loc["HTC", "missing"] == "not trained yet"


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
        f"'baseline' (run {baseline.run_id}), dddddddd in row 'k=1' (run {k1.run_id}). Find out "
        "which file is right. Of each run made with the wrong one delete its run folder and what "
        f"was collected of it ({results.metrics(baseline.run_id)} or "
        f"{results.metrics(k1.run_id)}), and submit it again."
    )
    with pytest.raises(ResultsError, match=f"^{re.escape(message)}$"):
        cells_frame(grid, "table1", results)


def test_a_base_trained_on_another_annotation_file_is_refused(grid, results, leave_metrics):
    spec = grid.table("table1")[0].spec
    base = base_of(spec)
    leave_metrics(results.metrics(spec.run_id), spec)
    leave_metrics(results.metrics(base.run_id), base, annotations={"shapes_train": "d" * 64})
    message = (
        "Table 'table1' would mix two annotation files named shapes_train: sha256 dddddddd in row "
        f"'baseline' (base {base.run_id}), aaaaaaaa in row 'baseline' (run {spec.run_id})."
    )
    with pytest.raises(ResultsError, match=re.escape(message)):
        cells_frame(grid, "table1", results)


def test_two_orders_of_the_same_images_are_refused(grid, results, leave_metrics):
    # The R50's and the R101's fine-tune: one seed, split, schedule and batch.
    r50, r101 = (grid.table("table3")[number].spec for number in (0, 2))
    leave_metrics(results.metrics(r50.run_id), r50)
    leave_metrics(results.metrics(r101.run_id), r101, order_hash="d" * 64)
    message = (
        f"Table 'table3' would mix two orders of training images: row 'R50' (run {r50.run_id}) "
        f"and row 'R101' (run {r101.run_id}) must have seen the same images in the same order"
    )
    with pytest.raises(ResultsError, match=re.escape(message)):
        cells_frame(grid, "table3", results)


@pytest.mark.parametrize("change", ["seed", "total_batch_size", "schedule"])
def test_another_order_is_right_where_the_specs_ask_for_it(grid, results, leave_metrics, change):
    first, second = grid.table("table1")[:2]
    longer = replace(second.spec.schedule, max_iter=500)
    value = {"seed": 1, "total_batch_size": 2, "schedule": longer}
    second = replace(second, spec=replace(second.spec, **{change: value[change]}))
    leave_metrics(results.metrics(first.spec.run_id), first.spec)
    leave_metrics(results.metrics(second.spec.run_id), second.spec, order_hash="d" * 64)
    mixed = replace(grid, cells=(first, second))
    assert list(cells_frame(mixed, "table1", results)["missing"]) == ["", ""]


def test_a_base_and_its_fine_tune_see_other_images(grid, results, leave_metrics):
    spec = grid.table("table1")[0].spec
    base = base_of(spec)
    leave_metrics(results.metrics(spec.run_id), spec)
    leave_metrics(results.metrics(base.run_id), base, order_hash="d" * 64, ap={}, evaluator="")
    assert cells_frame(grid, "table1", results).loc["baseline", "missing"] == ""


def test_two_scales_are_refused(grid, results, leave_metrics):
    first, second = grid.table("table1")[:2]
    second = replace(second, spec=replace(second.spec, scale="paper"))
    for cell in (first, second):
        leave_metrics(results.metrics(cell.spec.run_id), cell.spec)
    message = (
        f"Table 'table1' would mix two scales: row 'baseline' (run {first.spec.run_id}) is of "
        f"scale demo, row 'k=1' (run {second.spec.run_id}) of paper. Give each a table of its own."
    )
    with pytest.raises(ResultsError, match=re.escape(message)):
        cells_frame(replace(grid, cells=(first, second)), "table1", results)


@pytest.mark.parametrize("split", ["train_split", "test_split"])
def test_two_splits_on_one_network_are_refused(grid, results, leave_metrics, split):
    first, second = grid.table("table1")[:2]
    second = replace(second, spec=replace(second.spec, **{split: "own_val"}))
    for cell in (first, second):
        leave_metrics(results.metrics(cell.spec.run_id), cell.spec)
    mixed = replace(grid, cells=(first, second))
    with pytest.raises(ResultsError, match="Table 'table1' would mix splits on one network"):
        cells_frame(mixed, "table1", results)


def test_other_networks_may_have_other_splits_as_in_table_iii(grid, results, leave_metrics):
    first, second = (cell for cell in grid.table("table3") if cell.row in ("R50", "HTC"))
    second = replace(second, spec=replace(second.spec, test_split="own_val"))
    for cell in (first, second):
        leave_metrics(results.metrics(cell.spec.run_id), cell.spec)
    mixed = replace(grid, cells=(first, second))
    assert list(cells_frame(mixed, "table3", results)["missing"]) == ["", ""]


def test_two_evaluators_are_refused(grid, results, leave_metrics):
    baseline, k1 = (cell.spec for cell in grid.table("table1")[:2])
    leave_metrics(results.metrics(baseline.run_id), baseline)
    leave_metrics(results.metrics(k1.run_id), k1, evaluator="hotcoco 0.6")
    message = (
        f"Table 'table1' would mix two evaluators: row 'baseline' (run {baseline.run_id}) was "
        f"scored by pycocotools 2.0.10, row 'k=1' (run {k1.run_id}) by hotcoco 0.6. Choose one. "
        "Of each run that the other scored delete metrics.json in the run's folder"
    )
    with pytest.raises(ResultsError, match=re.escape(message)):
        cells_frame(grid, "table1", results)


def test_another_version_of_the_evaluator_is_no_other_evaluator(grid, results, leave_metrics):
    baseline, k1 = (cell.spec for cell in grid.table("table1")[:2])
    leave_metrics(results.metrics(baseline.run_id), baseline)
    leave_metrics(results.metrics(k1.run_id), k1, evaluator="pycocotools 2.0.11")
    frame = cells_frame(grid, "table1", results)
    assert list(frame["evaluator"][:3]) == ["pycocotools 2.0.10", "pycocotools 2.0.11", ""]


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
    message = (
        rf"{path} is not whole JSON .*\. Delete it and give `harness collect` where the run is, "
    )
    with pytest.raises(ResultsError, match=message + "or take the file back from git"):
        cells_frame(grid, "table1", results)


def several(grid, results, leave_metrics, row, *values):
    """A grid in which a row of Table I has been scored with as many seeds."""
    cell = next(cell for cell in grid.table("table1") if cell.row == row)
    cells = [replace(cell, spec=replace(cell.spec, seed=seed)) for seed in range(len(values))]
    for one, value in zip(cells, values, strict=True):
        ap = {"segm": dict.fromkeys(METRICS, value)}
        leave_metrics(results.metrics(one.spec.run_id), one.spec, ap=ap)
    return cells


def test_a_row_of_several_seeds_is_their_mean_with_its_standard_error(grid, results, leave_metrics):
    # 20, 21, 22: mean 21, standard deviation 1, over the root of 3.
    cells = several(grid, results, leave_metrics, "k=2", 20.0, 21.0, 22.0)
    row = cells_frame(replace(grid, cells=tuple(cells)), "table1", results).loc["k=2"]
    assert (row["AP"], row["AP std_error"]) == pytest.approx((21, 3**-0.5))
    assert (row["n"], row["seeds"]) == (3, "0 1 2")
    assert row["run_id"] == " ".join(cell.spec.run_id for cell in cells)
    assert row["evaluator"] == "pycocotools 2.0.10"


def test_a_seed_without_numbers_does_not_count(grid, results, leave_metrics):
    cells = several(grid, results, leave_metrics, "k=2", 20.0, 21.0, 22.0)
    results.metrics(cells[1].spec.run_id).unlink()
    row = cells_frame(replace(grid, cells=tuple(cells)), "table1", results).loc["k=2"]
    assert (row["AP"], row["n"], row["seeds"]) == (21.0, 2, "0 2")
    assert row["missing"] == ""
