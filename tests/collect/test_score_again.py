import json

import pytest

from harness.collect import collect, row_scores
from harness.grid import Setting
from harness.grid.experiments import load_grid
from harness.records import METRICS
from tests.evaluation.conftest import Scene


@pytest.fixture
def own(tmp_path):
    """A folder of a user's own data: one image with one object."""
    scene = Scene(tmp_path)
    scene.add_object(20, 20, 40, 40)
    folder = tmp_path / "own"
    for split in ("train", "val"):
        (folder / split).mkdir(parents=True)
    (folder / "annotations").mkdir()
    gt_json, _ = scene.write()
    for split in ("train", "val"):
        path = folder / "annotations" / f"instances_{split}.json"
        path.write_text(gt_json.read_text())
    return folder


@pytest.fixture
def trained(own, runs, leave_metrics, project):
    """A run on it, scored before there were replicates: its one detection is exact."""
    grid = load_grid(["table1"], Setting(scale="demo", data_dir=own), project / "experiments")
    spec = grid.table("table1")[0].spec
    scene = Scene(own.parent)
    scene.detect(20, 20, 40, 40, score=0.5)
    paths = runs.run(spec.run_id)
    paths.results.parent.mkdir(parents=True)
    paths.results.write_text(json.dumps(scene.results))
    exact = dict.fromkeys(METRICS, 100.0) | {"APs": None, "APl": None}
    leave_metrics(
        paths.metrics,
        spec,
        ap={"segm": exact},
        annotations={"own_train": spec.train_hash, "own_val": spec.test_hash},
    )
    return grid, spec


def test_an_older_run_is_scored_on_draws_once_from_its_predictions(trained, runs, results):
    grid, spec = trained
    told = []
    collect(grid, runs, results, tell=told.append)
    assert told == [f"Scoring table1/baseline · {spec.run_id} on draws of the test images."]
    score = row_scores(grid, "table1", results)["baseline"][0]
    assert score.values["boundary AP"] == pytest.approx(100)
    assert len(score.draws["AP"]) == 1000
    collect(grid, runs, results, tell=told.append)
    assert len(told) == 1


def test_what_cannot_be_scored_is_told_and_left(trained, runs, results):
    grid, spec = trained
    runs.run(spec.run_id).results.write_text("[{}]")
    told = []
    assert collect(grid, runs, results, tell=told.append) == [spec.run_id]
    assert "Not scored" in told[1]
    assert "image_id None is not in the ground truth" in told[1]
    assert row_scores(grid, "table1", results)["baseline"][0].draws == {}


def test_annotations_that_are_not_those_of_the_metrics_give_no_replicates(
    trained, runs, results, leave_metrics
):
    grid, spec = trained
    paths = runs.run(spec.run_id)
    leave_metrics(paths.metrics, spec, annotations={"own_val": "f" * 64})
    told = []
    collect(grid, runs, results, tell=told.append)
    assert "are not those that the run's metrics were made from" in told[1]
    assert not results.replicates(spec.run_id).exists()


def test_a_run_that_is_being_scored_again_keeps_its_old_replicates(trained, runs, results):
    grid, spec = trained
    collect(grid, runs, results)
    before = results.replicates(spec.run_id).read_bytes()
    paths = runs.run(spec.run_id)
    paths.metrics.unlink()
    paths.replicates.write_bytes(b"of other predictions")
    collect(grid, runs, results)
    assert results.replicates(spec.run_id).read_bytes() == before


def test_replicates_follow_metrics_of_new_predictions(trained, runs, results, leave_metrics):
    grid, spec = trained
    collect(grid, runs, results)
    paths = runs.run(spec.run_id)
    paths.results.write_text("[]")
    nothing = dict.fromkeys(METRICS, 0.0) | {"APs": None, "APl": None}
    annotations = {"own_train": spec.train_hash, "own_val": spec.test_hash}
    leave_metrics(paths.metrics, spec, ap={"segm": nothing}, annotations=annotations)
    collect(grid, runs, results)
    assert row_scores(grid, "table1", results)["baseline"][0].values["boundary AP"] == 0


def test_a_run_whose_predictions_are_elsewhere_is_left_as_it_is(trained, runs, results):
    grid, spec = trained
    runs.run(spec.run_id).results.unlink()
    told = []
    collect(grid, runs, results, tell=told.append)
    assert told == []
    assert not results.replicates(spec.run_id).exists()


def test_data_that_is_not_here_is_told_once(trained, own, runs, results):
    grid, _ = trained
    own.rename(own.with_name("elsewhere"))
    told = []
    collect(grid, runs, results, tell=told.append)
    assert len(told) == 1
    assert told[0].startswith("own_val is not here, so there are no error bars: No folder at")
