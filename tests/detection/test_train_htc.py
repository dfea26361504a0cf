"""Hybrid Task Cascade through the same training as all others."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import harness.detection.train as training
from harness.data.splits import locate
from harness.data.stuff_maps import stuff_map_of
from harness.detection.checkpoints import read_checkpoint
from harness.detection.predict import predict
from harness.detection.train import train
from harness.errors import DataError
from harness.evaluation import coco_ap
from harness.grid import Setting, base_of, contour, finetune
from harness.paths import RunsFolder
from harness.shapes import write_shapes

pytestmark = pytest.mark.slow


@pytest.fixture
def htc(tiny):
    return tiny(architecture="htc_R50_FPN")


def log(runs, spec):
    text = runs.run(spec.run_id).metrics_log.read_text()
    return [json.loads(line) for line in text.splitlines()]


def weights(runs, spec):
    path = runs.run(spec.run_id).checkpoint(spec.last_iteration)
    return read_checkpoint(path, spec.run_id)["state"]["model"]


@pytest.mark.parametrize("semantic_branch", [True, False])
def test_a_base_and_its_fine_tune_train_log_each_stage_and_predict(htc, tmp_path, semantic_branch):
    spec = replace(htc, semantic_branch=semantic_branch)
    runs = RunsFolder(tmp_path)
    for one in (base_of(spec), spec):
        train(one, runs.run(one.run_id), runs)
    first = log(runs, spec)[0]
    terms = {
        f"loss_{term}_stage{stage}"
        for term in ("cls", "box_reg", "mask", "contour")
        for stage in range(3)
    }
    branch = {"loss_semantic"} if semantic_branch else set()
    assert set(first) == {
        *("iteration", "lr", "total_loss", "loss_rpn_cls", "loss_rpn_loc"),
        *(terms | branch),
    }
    predict(spec, runs.run(spec.run_id))
    ground_truth = locate(spec.test_split, spec.data_dir).annotations
    results = runs.run(spec.run_id).results
    fast = coco_ap(ground_truth, results, engine="hotcoco")
    assert coco_ap(ground_truth, results) == pytest.approx(fast, abs=0, nan_ok=True)


def test_its_batches_are_those_of_every_other_model(htc, tiny, tmp_path):
    runs = RunsFolder(tmp_path)
    hashes = {
        train(base, runs.run(base.run_id), runs).order_hash
        for base in (base_of(htc), base_of(tiny()))
    }
    assert len(hashes) == 1


def test_interrupted_it_goes_on_to_bit_identical_weights_and_metrics(htc, tmp_path):
    base = base_of(htc)
    undisturbed, resumed = RunsFolder(tmp_path / "undisturbed"), RunsFolder(tmp_path / "resumed")
    train(base, undisturbed.run(base.run_id), undisturbed)

    class StopError(Exception):
        pass

    class Stop(training.SeedStep):
        def before_step(self):
            if self.trainer.iter == 3:  # a checkpoint stands at 2
                raise StopError
            super().before_step()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SeedStep", Stop)
        with pytest.raises(StopError):
            train(base, resumed.run(base.run_id), resumed)
    train(base, resumed.run(base.run_id), resumed)
    assert log(resumed, base) == log(undisturbed, base)
    again, before = weights(resumed, base), weights(undisturbed, base)
    assert all(torch.equal(again[name], before[name]) for name in before)


@pytest.fixture
def own_shapes(tmp_path):
    """A data set that a test may damage, and the base that trains on it."""
    folder = tmp_path / "shapes"
    write_shapes(folder, train_images=4, val_images=1, side=64)
    setting = Setting(scale="demo", shapes_dir=folder)
    base = base_of(finetune(setting, "htc_R50_FPN", contour()))
    return base, [stuff_map_of(path) for path in sorted((folder / "train").iterdir())]


def test_a_class_that_coco_stuff_does_not_have_is_told_with_its_map(own_shapes, tmp_path):
    base, maps = own_shapes
    for path in maps:
        Image.fromarray(np.full((64, 64), 190, dtype=np.uint8)).save(path)
    runs = RunsFolder(tmp_path / "runs")
    with pytest.raises(DataError, match=r"Stuff map .*png has class 190.* 0 to 182, or 255"):
        train(base, runs.run(base.run_id), runs)


@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_a_stuff_map_that_is_gone_or_cut_short_is_told_and_not_its_image(
    own_shapes, tmp_path, kept
):
    base, maps = own_shapes
    for path in maps:
        whole = path.read_bytes()
        path.unlink()
        if kept:
            path.write_bytes(whole[: int(kept * len(whole))])
    runs = RunsFolder(tmp_path / "runs")
    with pytest.raises(
        DataError, match=r"^Stuff map .*stuffthingmaps/train/\d+\.png cannot be read"
    ):
        train(base, runs.run(base.run_id), runs)


def test_a_stuff_map_of_colors_is_told_as_its_pixels_would_be_other_classes(own_shapes, tmp_path):
    base, maps = own_shapes
    for path in maps:
        Image.new("P", (64, 64), 17).save(path)
    runs = RunsFolder(tmp_path / "runs")
    with pytest.raises(DataError, match=r"has Pillow's mode P, not L"):
        train(base, runs.run(base.run_id), runs)


def test_a_stuff_map_of_another_size_is_told_with_both_sizes(own_shapes, tmp_path):
    base, maps = own_shapes
    for path in maps:
        Image.fromarray(np.zeros((64, 32), dtype=np.uint8)).save(path)
    runs = RunsFolder(tmp_path / "runs")
    with pytest.raises(DataError, match=r"is 32 x 64 px, its image 64 x 64 \(width x height\)"):
        train(base, runs.run(base.run_id), runs)
