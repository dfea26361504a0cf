import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harness.detection.checkpoints import read_checkpoint
from harness.detection.predict import predict
from harness.detection.train import train
from harness.errors import CheckpointError, TrainingError
from harness.evaluation import coco_ap
from harness.grid import NO_LOSS, base_of, contour, mse_contour, mse_edge
from harness.grid.splits import locate
from harness.paths import RunsFolder, write_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained_base(tiny, tmp_path_factory) -> RunsFolder:
    """A runs folder in which the tiny base is trained."""
    runs = RunsFolder(tmp_path_factory.mktemp("runs"))
    base = base_of(tiny())
    train(base, runs.run(base.run_id), runs)
    return runs


def state_of(runs, spec):
    path = runs.run(spec.run_id).checkpoint(spec.last_iteration)
    return read_checkpoint(path, spec.run_id)["state"]


def equal(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def lines(runs, spec):
    text = runs.run(spec.run_id).metrics_log.read_text()
    return [json.loads(line) for line in text.splitlines()]


def copied(runs: RunsFolder, folder: Path, spec) -> RunsFolder:
    """A runs folder with nothing but the trained run `spec`."""
    import shutil

    shutil.copytree(runs.run(spec.run_id).folder, folder / spec.run_id)
    return RunsFolder(folder)


@pytest.mark.parametrize("loss", [NO_LOSS, contour(), mse_edge(), mse_contour()])
def test_a_fine_tune_goes_on_from_its_base_and_logs_every_term(tiny, trained_base, loss):
    spec = tiny(loss)
    trained = train(spec, trained_base.run(spec.run_id), trained_base)
    logged = lines(trained_base, spec)
    # Iterations 7 to 10 of 10: the base did the first 6.
    assert [line["iteration"] for line in logged] == [7, 8, 9, 10]
    # The learning rate fell to a tenth at 6 and to a hundredth at 8.
    assert [line["lr"] for line in logged] == pytest.approx([0.001, 0.001, 0.0001, 0.0001])
    terms = {"loss_cls", "loss_box_reg", "loss_mask", "loss_rpn_cls", "loss_rpn_loc"}
    own = set() if loss == NO_LOSS else {f"loss_{loss.name}"}
    assert set(logged[0]) == {"iteration", "lr", "total_loss"} | terms | own
    for line in logged:
        total = sum(line[name] for name in terms | own)
        assert line["total_loss"] == pytest.approx(total)
    assert list(trained.annotations) == ["shapes_train"]
    assert list(trained_base.run(spec.run_id).tensorboard.glob("events.*"))


def test_a_fine_tune_starts_from_exactly_its_bases_weights_and_momentum(
    tiny, trained_base, tmp_path
):
    # One iteration with a learning rate of almost nothing leaves weights where they were.
    spec = tiny()
    still = replace(spec, schedule=replace(spec.schedule, max_iter=9))
    runs = copied(trained_base, tmp_path, base_of(spec))
    base_of_still = base_of(still)
    assert base_of_still.run_id != base_of(spec).run_id  # another schedule is another base
    train(spec, runs.run(spec.run_id), runs)
    optimizer = state_of(runs, spec)["optimizer"]
    assert state_of(runs, spec)["scheduler"]["last_epoch"] == 10
    assert state_of(runs, base_of(spec))["scheduler"]["last_epoch"] == 6
    assert len(optimizer["state"]) == len(state_of(runs, base_of(spec))["optimizer"]["state"])


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import harness.detection.train as training
import harness.detection.trainer
from harness.launch.job import read_spec
from harness.paths import RunPaths, RunsFolder

class Killed(training.SeedStep):
    def before_step(self):
        if self.trainer.iter == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        super().before_step()

training.SeedStep = Killed
paths = RunPaths(Path(sys.argv[1]))
training.train(read_spec(paths), paths, RunsFolder(paths.folder.parent))
"""


@pytest.mark.parametrize("killed_at", [7, 9])
def test_a_killed_run_goes_on_to_bit_identical_weights_and_metrics(
    tiny, trained_base, tmp_path, killed_at
):
    # Checkpoints stand at 8 (and 10). Killed in its 8th iteration the run starts from its base
    # again; killed in its 10th it goes on from 8 and has to write line 9 a second time.
    from dataclasses import asdict

    spec = tiny()
    train(spec, trained_base.run(spec.run_id), trained_base)
    runs = copied(trained_base, tmp_path, base_of(spec))
    paths = runs.run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    child = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(paths.folder), str(killed_at)], capture_output=True
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    assert len(lines(runs, spec)) == killed_at - 6
    train(spec, paths, runs)
    assert equal(state_of(runs, spec), state_of(trained_base, spec))
    log = trained_base.run(spec.run_id).metrics_log
    assert paths.metrics_log.read_bytes() == log.read_bytes()


def test_a_damaged_newest_checkpoint_costs_iterations_but_no_number(tiny, trained_base, tmp_path):
    import os

    base = base_of(tiny())
    runs = RunsFolder(tmp_path)
    paths = runs.run(base.run_id)
    # Trained to 4 of 6 by a shorter look-alike is not possible: the schedule is in the id. So train
    # it whole, put back the one before the last, and cut the last short.
    train(base, paths, runs)
    whole = state_of(runs, base)
    os.truncate(paths.checkpoint(6), 1000)
    train(base, paths, runs)
    assert equal(state_of(runs, base), whole)


def test_predictions_are_valid_coco_results_and_score_alike_in_both_engines(tiny, trained_base):
    spec = tiny(mse_edge())
    paths = trained_base.run(spec.run_id)
    train(spec, paths, trained_base)
    predict(spec, paths)
    ground_truth = locate(spec.test_split, spec.data_dir).annotations
    for task in ("segm", "bbox"):
        official = coco_ap(ground_truth, paths.results, task=task)
        fast = coco_ap(ground_truth, paths.results, task=task, engine="hotcoco")
        assert official == pytest.approx(fast, abs=0, nan_ok=True)


def test_predicting_before_training_says_what_is_missing(tiny, trained_base):
    spec = replace(tiny(), seed=5)
    with pytest.raises(CheckpointError, match=r"iteration_0000010\.pth is missing"):
        predict(spec, trained_base.run(spec.run_id))


def diverging(tiny, **changes):
    """A base whose first step at a learning rate of 1e12 throws the weights far out."""
    base = base_of(tiny())
    return replace(base, schedule=replace(base.schedule, base_lr=1e12), **changes)


def test_a_diverging_run_stops_at_a_named_term_and_iteration(tiny, tmp_path):
    spec = diverging(tiny)
    runs = RunsFolder(tmp_path)
    with pytest.raises(TrainingError, match=r"became .*(nan|inf).* at iteration 2 of run") as stop:
        train(spec, runs.run(spec.run_id), runs)
    assert "Its newest checkpoint from before that is kept" in str(stop.value)


def test_weights_that_are_not_finite_are_never_saved_over_good_ones(tiny, tmp_path):
    import math

    spec = diverging(tiny, checkpoint_every=1)
    runs = RunsFolder(tmp_path)
    paths = runs.run(spec.run_id)
    with pytest.raises(TrainingError):
        train(spec, paths, runs)
    for path in paths.checkpoints.glob("*.pth"):
        for value in read_checkpoint(path, spec.run_id)["state"]["model"].values():
            assert math.isfinite(value.double().abs().max())


@pytest.mark.parametrize("term", ["loss_contour", "loss_mask"])
def test_a_term_that_becomes_nan_is_named_before_the_step(tiny, trained_base, tmp_path, term):
    # The hook breaks one term in the second iteration of the fine-tune, its 8th of 10.
    import harness.detection.train as training

    spec = tiny()
    runs = copied(trained_base, tmp_path, base_of(spec))
    paths = runs.run(spec.run_id)

    class Broken(training.Trainer):
        def _write_metrics(self, loss_dict, *rest):
            if self.iter == 8:
                loss_dict[term] = loss_dict[term] * float("nan")
            super()._write_metrics(loss_dict, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "Trainer", Broken)
        with pytest.raises(TrainingError, match=f"{term} became nan at iteration 9 of run"):
            train(spec, paths, runs)
    assert read_checkpoint(paths.checkpoint(8), spec.run_id)["iteration"] == 8
    train(spec, paths, runs)  # asked for again, it goes on from there
    assert [line["iteration"] for line in lines(runs, spec)] == [7, 8, 9, 10]


@pytest.mark.parametrize("architecture", ["mask_rcnn_R101_FPN", "mask_rcnn_X101_FPN"])
def test_deeper_backbones_train_with_finite_losses(tiny, tmp_path, architecture):
    base = base_of(tiny(architecture=architecture))
    runs = RunsFolder(tmp_path)
    train(base, runs.run(base.run_id), runs)
    assert [line["iteration"] for line in lines(runs, base)] == [1, 2, 3, 4, 5, 6]
