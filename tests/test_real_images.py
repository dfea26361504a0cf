"""The whole loop on real photographs: a base and one fine-tune of every loss, trained and scored.

From scratch and in seconds AP is near 0, so what is asserted is that losses fall, that every file
is what it should be, and that both evaluators agree.
"""

import json
from dataclasses import replace

import pytest

from harness.evaluation import coco_ap
from harness.grid import (
    NO_LOSS,
    Cell,
    Layout,
    Schedule,
    Setting,
    base_of,
    contour,
    finetune,
    mse_contour,
    mse_edge,
    table_grid,
)
from harness.launch.local import Ended, run_grid
from harness.paths import ResultsFolder, RunsFolder
from harness.rebuild import rebuild
from harness.records import METRICS, read_metrics
from harness.replicates import read_replicates

pytestmark = pytest.mark.slow

SHORT = Schedule(base_lr=0.01, steps=(40, 44), max_iter=48, warmup_iters=10)
LOSSES = {
    "baseline": NO_LOSS,
    "contour": contour(),
    "mse_edge": mse_edge(),
    "mse_contour": mse_contour(),
}


@pytest.fixture(scope="module")
def grid(coco_mini):
    setting = Setting(scale="demo", data_dir=coco_mini)
    cells = [
        Cell(
            "losses",
            row,
            replace(finetune(setting, "mask_rcnn_R50_FPN", loss), schedule=SHORT),
            {"Method": row},
        )
        for row, loss in LOSSES.items()
    ]
    columns = ("Method", "mAP", "AP50", "AP75", "APs", "APm", "APl")
    return table_grid("losses", Layout("Losses on real images.", columns), cells)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> RunsFolder:
    return RunsFolder(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def ended(grid, runs) -> Ended:
    return run_grid(grid, runs, on_tick=lambda states: None, on_done=lambda run_id: None)


def test_the_base_and_all_fine_tunes_are_trained_once_and_done(grid, runs, ended):
    assert set(ended.done) == set(grid.runs)
    assert len(grid.runs) == 5
    assert all(runs.run(run_id).attempt_numbers() == [1] for run_id in grid.runs)


def test_losses_fall(grid, runs, ended):
    base = base_of(grid.cells[0].spec)
    log = runs.run(base.run_id).metrics_log.read_text().splitlines()
    losses = [json.loads(line)["total_loss"] for line in log]
    assert len(losses) == 40
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


@pytest.mark.parametrize("row", LOSSES)
def test_predictions_are_results_of_the_folders_own_images_on_which_evaluators_agree(
    grid, runs, ended, coco_mini, row
):
    cell = next(cell for cell in grid.cells if cell.row == row)
    paths = runs.run(cell.spec.run_id)
    annotations = coco_mini / "annotations" / "instances_val2017.json"
    ids = {image["id"] for image in json.loads(annotations.read_text())["images"]}
    results = json.loads(paths.results.read_text())
    assert {result["image_id"] for result in results} <= ids
    metrics = read_metrics(paths.metrics, cell.spec.run_id)
    for task in ("segm", "bbox"):
        official = coco_ap(annotations, paths.results, task=task)
        fast = coco_ap(annotations, paths.results, task=task, engine="hotcoco")
        assert official == pytest.approx(fast, abs=0, nan_ok=True)
        assert metrics.ap[task] == {name: pytest.approx(official[name]) for name in METRICS}
    replicates = read_replicates(paths.replicates, cell.spec.run_id)
    assert {name: replicates.ap["segm"][name] for name in METRICS} == pytest.approx(
        metrics.ap["segm"], abs=1e-9, nan_ok=True
    )


def test_fine_tunes_see_the_same_images_in_the_same_order(grid, runs, ended):
    hashes = {
        read_metrics(runs.run(cell.spec.run_id).metrics, cell.spec.run_id).order_hash
        for cell in grid.cells
    }
    assert len(hashes) == 1


def test_a_second_submit_finds_everything_done_and_starts_nothing(grid, runs, ended):
    again = run_grid(grid, runs, on_tick=lambda states: None, on_done=pytest.fail)
    assert again == ended
    assert all(runs.run(run_id).attempt_numbers() == [1] for run_id in grid.runs)


def test_the_table_is_complete_and_says_what_it_was_trained_on(grid, runs, ended, tmp_path):
    results = ResultsFolder(tmp_path / "results")
    rebuild(grid, runs, results, tmp_path)
    text = results.table("losses", "md").read_text()
    assert "coco-mini" in text
    assert "not COCO numbers" in text
    assert "not trained yet" not in text
    assert len(results.table("losses", "csv").read_text().splitlines()) == 5
