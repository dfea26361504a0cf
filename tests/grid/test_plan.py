from dataclasses import replace

import pytest

from harness.grid import (
    NO_LOSS,
    Cell,
    Grid,
    Layout,
    Setting,
    contour,
    finetune,
    scaled,
    table_grid,
)
from harness.grid.plan import make_plan
from harness.grid.spec import base_of, identity_of
from harness.grid.state import State
from harness.paths import RunsFolder
from harness.records import METRICS, Metrics, Outcome, write_metrics, write_outcome

R50 = "mask_rcnn_R50_FPN"


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def grid() -> Grid:
    """Three rows, two fine-tunes, one base: k=2 is shown twice."""
    setting = Setting(scale="paper")
    rows = {"baseline": NO_LOSS, "k=2": contour(k=2), "again": contour(k=2)}
    cells = [Cell("t", row, finetune(setting, R50, loss), {}) for row, loss in rows.items()]
    return table_grid("t", Layout("", ("mAP",)), cells)


def test_gpu_hours_of_a_base_and_of_a_fine_tune(grid, runs):
    # 0.227 s an image: 120,000 x 8 x 0.227 / 3600 = 60.53 h, and 60,000 x 8 x 0.227 / 3600 = 30.27.
    hours = [run.gpu_hours for run in make_plan(grid, runs).runs]
    assert hours == pytest.approx([60.533, 30.267, 30.267], abs=0.001)


def test_gpu_hours_are_told_three_ways(grid, runs):
    # A whole training of 180,000 iterations is 90.8 h.
    hours = make_plan(grid, runs).gpu_hours
    assert hours.plan == pytest.approx(60.533 + 2 * 30.267, abs=0.01)
    assert hours.distinct_from_scratch == pytest.approx(2 * 90.8)
    assert hours.from_scratch == pytest.approx(3 * 90.8)


def test_gpu_hours_of_all_three_tables(tables, runs):
    # Bases, s an image x 960,000 / 3600: R50 60.533, R101 75.733, X101 201.6, HTC 124.8 (0.468 s).
    # Fine-tunes are half of their base: 9 of R50, 2 of each other. From scratch: 1.5 bases each.
    bases = {"R50": 60.533, "R101": 75.733, "X101": 201.6, "HTC": 124.8}
    others = bases["R101"] + bases["X101"] + bases["HTC"]
    hours = make_plan(tables(), runs).gpu_hours
    assert hours.plan == pytest.approx(bases["R50"] * (1 + 9 / 2) + others * 2, abs=0.01)
    assert hours.distinct_from_scratch == pytest.approx(1.5 * (9 * bases["R50"] + 2 * others), 1e-4)
    # 13 rows show an R50: 7 in Table I, 4 in Table II, 2 in Table III.
    assert hours.from_scratch == pytest.approx(1.5 * (13 * bases["R50"] + 2 * others), 1e-4)


def test_hours_on_some_gpus_are_those_of_what_is_ahead(grid, runs):
    # Runs on 4 GPUs: the base takes 15.133 h, each fine-tune 7.567 h. On 8 both go side by side.
    assert make_plan(grid, runs).wall_clock is None
    assert make_plan(grid, runs, gpus=4).wall_clock.hours == pytest.approx(30.267, abs=0.001)
    assert make_plan(grid, runs, gpus=8).wall_clock.hours == pytest.approx(22.7, abs=0.001)


def test_bases_start_before_all_fine_tunes(runs):
    # Bases: R50 15.133 h, R101 18.933, X101 50.4; fine-tunes of the R50, listed first, 7.567 each.
    # On 8 GPUs the X101 begins at 15.133 h, when the R50 ends, and its fine-tune takes 25.2 h more.
    models = (*[R50] * 3, "mask_rcnn_R101_FPN", "mask_rcnn_X101_FPN")
    losses = (NO_LOSS, contour(k=1), contour(k=2), NO_LOSS, NO_LOSS)
    cells = [
        Cell("t", str(row), finetune(Setting(), model, loss), {})
        for row, (model, loss) in enumerate(zip(models, losses, strict=True))
    ]
    planned = make_plan(table_grid("t", Layout("", ("mAP",)), cells), runs, gpus=8)
    assert planned.wall_clock.hours == pytest.approx(15.133 + 50.4 + 25.2, abs=0.001)


def test_a_cell_names_the_others_that_show_its_run(tables, runs):
    cells = {f"{cell.table}/{cell.row}": cell for cell in make_plan(tables(), runs).cells}
    assert cells["table1/k=2"].shared_with == ("table2/contour", "table3/R50+contour")
    assert cells["table2/baseline"].shared_with == ("table1/baseline", "table3/R50")
    assert cells["table1/k=3"].shared_with == ()


def test_disk_holds_three_checkpoints_while_running_and_one_afterwards(grid, runs):
    # R50: 44.3 million parameters with momentum are 0.3544 GB; predictions of a fine-tune 0.1 GB.
    plan = make_plan(grid, runs)
    assert plan.disk_gb_running == pytest.approx(3 * 3 * 0.3544 + 2 * 0.1)
    assert plan.disk_gb_kept == pytest.approx(3 * 0.3544 + 2 * 0.1)


def test_states_are_read_from_the_files(grid, runs):
    baseline, k2 = (cell.spec for cell in grid.cells[:2])
    write_metrics(
        runs.run(baseline.run_id).metrics,
        Metrics(
            run_id=baseline.run_id,
            parent=base_of(baseline).run_id,
            spec=identity_of(baseline),
            ap={"segm": dict.fromkeys(METRICS, 34.0)},
            annotations={},
            order_hash="c" * 64,
            evaluator="pycocotools 2.0.10",
            environment={},
            gpu_hours=30.0,
        ),
    )
    failed = Outcome(ended="failed", error="out of memory", seconds=1.0, trained_s=1.0)
    write_outcome(runs.run(base_of(k2).run_id).attempt(1).outcome, failed)
    planned = {run.run_id: (run.state, run.reason) for run in make_plan(grid, runs).runs}
    base = base_of(k2).run_id
    assert planned == {
        base: (State.FAILED, "out of memory"),
        baseline.run_id: (State.DONE, ""),
        k2.run_id: (State.BLOCKED, f"its base {base} failed"),
    }


def test_a_plan_writes_nothing(tables, runs):
    make_plan(tables(), runs)
    assert not runs.folder.exists()


def said(grid, runs) -> str:
    return "\n".join(make_plan(grid, runs).assumptions)


def test_the_training_split_of_the_text_is_told_with_the_doubt_about_it(grid, runs):
    assert "Training split: COCO 2014 train (82,783 images), as the text says." in said(grid, runs)


def test_another_training_split_is_told_as_it_is(grid, runs):
    cells = [
        replace(cell, spec=replace(cell.spec, train_split="coco_2014_trainval35k"))
        for cell in grid.cells
    ]
    text = said(replace(grid, cells=tuple(cells)), runs)
    assert "Training split: COCO 2014 trainval35k (118,287 images)" in text
    assert "Training split: COCO 2014 train (" not in text


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_own_data_is_named_and_nothing_is_claimed_of_coco(runs, own_data, scale):
    setting = Setting(scale=scale, data_dir=own_data)
    cells = [Cell("t", a, finetune(setting, a, NO_LOSS), {}) for a in (R50, "htc_R50_FPN")]
    text = said(table_grid("t", Layout("", ("mAP",)), cells), runs)
    assert f"Data: the annotations below {own_data}" in text
    assert "HTC without its semantic branch" in text
    assert "COCO 2014" not in text
    assert "COCO 2017" not in text


def test_the_demo_says_what_its_numbers_are_not(tables, runs):
    text = said(tables("demo"), runs)
    assert "Its numbers are no COCO numbers" in text
    assert "Training split" not in text


def changed(grid, change):
    """`grid` with every fine-tune changed."""
    return replace(grid, cells=tuple(replace(c, spec=change(c.spec)) for c in grid.cells))


def test_a_batch_that_is_not_the_recipes_is_told_with_its_rate_and_iterations(grid, runs):
    assert "Batch " not in said(grid, runs)
    text = said(changed(grid, lambda spec: scaled(spec, 4)), runs)
    assert (
        "Batch 4 on num_gpus=4: learning rate 0.005, falling at 240,000 and 320,000 of 360,000 "
        "iterations, by the linear scaling rule from batch 8 with 0.01 and 180,000 "
        "(mask_rcnn_R50_FPN)."
    ) in text
    assert text.count("linear scaling") == 1  # once for the base and its fine-tunes


def test_each_batch_of_a_grid_is_told_once_with_those_that_have_it(tables, runs):
    text = said(changed(tables("paper", "table3"), lambda s: scaled(s, 16, num_gpus=8)), runs)
    lines = [line for line in text.splitlines() if line.startswith("Batch 16 on num_gpus=8")]
    assert len(lines) == 1
    assert "R50_FPN, mask_rcnn_R101_FPN, mask_rcnn_X101_FPN, htc_R50_FPN)" in lines[0]
    assert "R101, X101: batch 8 like R50" not in text


def test_a_batch_whose_schedule_was_not_scaled_with_it_is_told_as_such(grid, runs):
    text = said(changed(grid, lambda spec: replace(spec, total_batch_size=16)), runs)
    assert "Batch 16 on num_gpus=4: learning rate 0.01, falling at 120,000 and 160,000 of" in text
    assert "not scaled linearly from batch 8" in text
    # At batch 2,400 the rule's first step would come before the end of warm-up.
    text = said(changed(grid, lambda spec: replace(spec, total_batch_size=2400)), runs)
    assert "Batch 2400 on num_gpus=4" in text
    assert "not scaled linearly from batch 8" in text


def test_the_demo_tells_its_other_batches_too(tables, runs):
    text = said(changed(tables("demo", "table1"), lambda spec: scaled(spec, 2)), runs)
    assert "Batch 2 on num_gpus=1: learning rate 0.01, falling at 600 and 740 of 800" in text
    assert "from batch 4 with 0.02 and 400" in text


def test_mixed_precision_is_told(grid, runs):
    assert "amp" not in said(grid, runs)
    text = said(changed(grid, lambda spec: replace(spec, precision="amp")), runs)
    assert "Precision amp: training in float16 on GPUs and bfloat16 on CPUs" in text
    assert "Published GPU-hours are float32's" in text


def test_weight_and_variant_are_told_as_they_are(grid, runs):
    def sound(spec):
        base = spec.stage == "base" or spec.loss == NO_LOSS
        return spec if base else replace(spec, loss=contour(variant="sound", weight=0.3))

    assert "with weight 1." in said(grid, runs)
    assert "Variant 'paper'" in said(grid, runs)
    text = said(changed(grid, sound), runs)
    assert "with weight 0.3." in text
    assert "Variant 'paper'" not in text
