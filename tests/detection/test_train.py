import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

import harness.detection.train as training
from harness import stop
from harness.data.splits import locate
from harness.detection.checkpoints import read_checkpoint
from harness.detection.precision import AMP_DTYPES
from harness.detection.predict import predict
from harness.detection.train import train
from harness.errors import CheckpointError, TrainingError
from harness.evaluation import coco_ap
from harness.files import write_json
from harness.grid import NO_LOSS, base_of, contour, mse_contour, mse_edge
from harness.paths import RunsFolder

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
    shutil.copytree(runs.run(spec.run_id).folder, folder / spec.run_id)
    return RunsFolder(folder)


class StoppedError(Exception):
    """Ends a training from outside."""


@contextmanager
def stopped_before(iteration, look=lambda trainer: None):
    """Training in the block ends before `iteration` (from 0), after a `look` at the trainer."""

    class Stop(training.SeedStep):
        def before_step(self):
            if self.trainer.iter == iteration:
                look(self.trainer)
                raise StoppedError
            super().before_step()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SeedStep", Stop)
        try:
            yield
        except StoppedError:
            return
    pytest.fail(f"the training never came to iteration {iteration}")


def checkpoints_of(paths):
    return sorted(path.name for path in paths.checkpoints.iterdir())


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
    spec = tiny()
    runs = copied(trained_base, tmp_path, base_of(spec))
    first = {}

    def look(trainer):
        first["model"] = deepcopy(trainer.model.state_dict())
        first["optimizer"] = deepcopy(trainer.optimizer.state_dict())

    # The base did 6 iterations: 6 is the first of the fine-tune.
    with stopped_before(6, look):
        train(spec, runs.run(spec.run_id), runs)
    base = state_of(runs, base_of(spec))
    assert equal(first["model"], base["model"])
    assert equal(first["optimizer"], base["optimizer"])
    momenta = [state["momentum_buffer"] for state in first["optimizer"]["state"].values()]
    assert len(momenta) == len(list(base["optimizer"]["state"]))
    assert any(momentum.abs().max() > 0 for momentum in momenta)  # equal, and not all zero


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import harness.detection.train as training
from harness import stop
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


@pytest.mark.parametrize(("precision", "killed_at"), [("float32", 7), ("float32", 9), ("amp", 9)])
def test_a_killed_run_goes_on_to_bit_identical_weights_and_metrics(
    tiny, trained_base, tmp_path, precision, killed_at
):
    # Checkpoints stand at 8 (and 10). Killed in its 8th iteration the run starts from its base
    # again; killed in its 10th it goes on from 8 and has to write line 9 a second time.
    spec = replace(tiny(), precision=precision)
    base = base_of(spec)
    train(base, trained_base.run(base.run_id), trained_base)
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


def test_mixed_precision_is_another_run_with_other_numbers_and_float32_weights(
    tiny, trained_base, tmp_path
):
    plain, spec = base_of(tiny()), base_of(replace(tiny(), precision="amp"))
    assert spec.run_id != plain.run_id
    runs = RunsFolder(tmp_path)
    train(spec, runs.run(spec.run_id), runs)
    first, in_float32 = lines(runs, spec)[0], lines(trained_base, plain)[0]
    assert [line["iteration"] for line in lines(runs, spec)] == [1, 2, 3, 4, 5, 6]
    # The same weights, images and anchors: bfloat16 has 8 bits, so the RPN's loss is off by some
    # thousandths at most.
    assert first["loss_rpn_cls"] != in_float32["loss_rpn_cls"]
    assert first["loss_rpn_cls"] == pytest.approx(in_float32["loss_rpn_cls"], rel=0.01)
    state = state_of(runs, spec)
    dtypes = {name: value.dtype for name, value in state["model"].items()}
    assert dtypes == {name: v.dtype for name, v in state_of(trained_base, plain)["model"].items()}
    momenta = [entry["momentum_buffer"].dtype for entry in state["optimizer"]["state"].values()]
    assert set(momenta) == {torch.float32}


def test_a_run_in_float16_leaves_out_steps_and_goes_on_with_the_factor_of_its_loss(
    tiny, tmp_path, monkeypatch
):
    # What a GPU computes in, slowly on a CPU. Stopped in its fourth iteration it goes on from 2.
    monkeypatch.setitem(AMP_DTYPES, "cpu", torch.float16)
    base = base_of(replace(tiny(), precision="amp"))
    undisturbed, resumed = RunsFolder(tmp_path / "undisturbed"), RunsFolder(tmp_path / "resumed")
    train(base, undisturbed.run(base.run_id), undisturbed)
    paths = resumed.run(base.run_id)
    with stopped_before(3):
        train(base, paths, resumed)
    # torch begins at 65,536 and halves it where a step is left out.
    factor = read_checkpoint(paths.checkpoint(2), base.run_id)["state"]["scaler"]["scale"]
    assert factor < 65_536
    train(base, paths, resumed)
    assert equal(state_of(resumed, base), state_of(undisturbed, base))
    assert lines(resumed, base) == lines(undisturbed, base)
    assert state_of(resumed, base)["scaler"]["scale"] <= factor
    # The learning rate goes by iterations, whether their step was taken or not.
    assert [line["lr"] for line in lines(resumed, base)][1:] == pytest.approx(
        [0.02 / 3] + [0.01] * 4
    )


def test_what_a_cpu_began_in_bfloat16_is_refused_where_float16_would_go_on(
    tiny, tmp_path, monkeypatch
):
    spec = replace(tiny(), precision="amp")
    runs = RunsFolder(tmp_path)
    train(base_of(spec), runs.run(base_of(spec).run_id), runs)
    monkeypatch.setitem(AMP_DTYPES, "cpu", torch.float16)
    with pytest.raises(CheckpointError, match="saved from a disabled instance of GradScaler"):
        train(spec, runs.run(spec.run_id), runs)


def test_a_damaged_newest_checkpoint_costs_iterations_but_no_number(tiny, trained_base, tmp_path):
    base = base_of(tiny())
    runs = RunsFolder(tmp_path)
    paths = runs.run(base.run_id)
    with stopped_before(5):  # in its sixth and last iteration, so that two checkpoints stand
        train(base, paths, runs)
    assert checkpoints_of(paths) == ["iteration_0000002.pth", "iteration_0000004.pth"]
    os.truncate(paths.checkpoint(4), 1000)
    begun = []
    with stopped_before(2, look=lambda trainer: begun.append(trainer.start_iter)):
        train(base, paths, runs)
    assert begun == [2]  # not from nothing
    train(base, paths, runs)
    assert equal(state_of(runs, base), state_of(trained_base, base))
    log = trained_base.run(base.run_id).metrics_log
    assert paths.metrics_log.read_bytes() == log.read_bytes()


def test_means_over_several_iterations_are_the_same_after_a_resume(tiny, tmp_path):
    # Lines at 2, 4, 6. Stopped after 5, the resume from 4 has to mean over 5 and 6 all the same.
    base = replace(base_of(tiny()), log_every=2)
    undisturbed, resumed = RunsFolder(tmp_path / "undisturbed"), RunsFolder(tmp_path / "resumed")
    train(base, undisturbed.run(base.run_id), undisturbed)
    with stopped_before(5):
        train(base, resumed.run(base.run_id), resumed)
    train(base, resumed.run(base.run_id), resumed)
    assert [line["iteration"] for line in lines(resumed, base)] == [2, 4, 6]
    assert lines(resumed, base) == lines(undisturbed, base)


def test_a_stop_on_request_waits_for_a_logged_iteration_and_costs_no_number(tiny, tmp_path):
    # Lines at 2, 4, 6. Asked in the third iteration, the training stops after the fourth, where no
    # checkpoint was due.
    base = replace(base_of(tiny()), log_every=2, checkpoint_every=6)
    undisturbed, resumed = RunsFolder(tmp_path / "undisturbed"), RunsFolder(tmp_path / "resumed")
    train(base, undisturbed.run(base.run_id), undisturbed)
    paths = resumed.run(base.run_id)

    class Asked(training.SeedStep):
        def before_step(self):
            if self.trainer.iter == 2:
                stop.request()
            super().before_step()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SeedStep", Asked)
        with pytest.raises(stop.Stopped, match="stopped as asked after 4 iterations"):
            train(base, paths, resumed)
    assert checkpoints_of(paths) == ["iteration_0000004.pth"]
    train(base, paths, resumed)
    assert equal(state_of(resumed, base), state_of(undisturbed, base))
    log = undisturbed.run(base.run_id).metrics_log
    assert paths.metrics_log.read_bytes() == log.read_bytes()


def test_tensorboard_shows_each_iteration_once_after_a_resume(tiny, trained_base, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    base = base_of(tiny())
    runs = RunsFolder(tmp_path)
    paths = runs.run(base.run_id)
    with stopped_before(5):  # after 5 iterations, of which the resume from 4 repeats the fifth
        train(base, paths, runs)
    train(base, paths, runs)

    def shown(folder):
        events = EventAccumulator(str(folder)).Reload()
        return [(event.step, event.value) for event in events.Scalars("total_loss")]

    assert len(list(paths.tensorboard.glob("events.*"))) == 2
    assert [step for step, _ in shown(paths.tensorboard)] == [0, 1, 2, 3, 4, 5]
    undisturbed = shown(trained_base.run(base.run_id).tensorboard)
    assert len(undisturbed) == 6


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


def test_a_diverging_run_stops_at_a_named_term_and_iteration(tiny, tmp_path):
    # The first step at a learning rate of 1e12 throws the weights far out.
    base = base_of(tiny())
    spec = replace(base, schedule=replace(base.schedule, base_lr=1e12))
    runs = RunsFolder(tmp_path)
    with pytest.raises(TrainingError, match=r"became .*(nan|inf).* at iteration 2 of run") as stop:
        train(spec, runs.run(spec.run_id), runs)
    assert "What was saved before that is kept" in str(stop.value)


def test_weights_that_are_not_finite_are_never_saved_over_good_ones(tiny, tmp_path):
    # As after an infinite gradient of a finite loss: the step of the fourth iteration breaks one
    # weight, and a checkpoint is due. The good one, of the second, must stay alone.
    base = base_of(tiny())
    runs = RunsFolder(tmp_path)
    paths = runs.run(base.run_id)

    class Breaks(training.Trainer):
        def run_step(self):
            super().run_step()
            if self.iter == 3:
                next(self.model.parameters()).data.view(-1)[0] = float("inf")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "Trainer", Breaks)
        with pytest.raises(TrainingError, match=r"weight became .* at iteration 4 of run"):
            train(base, paths, runs)
    assert checkpoints_of(paths) == ["iteration_0000002.pth"]
    kept = read_checkpoint(paths.checkpoint(2), base.run_id)["state"]["model"]
    assert all(torch.isfinite(value).all() for value in kept.values())


@pytest.mark.parametrize("term", ["loss_contour", "loss_mask"])
def test_a_term_that_becomes_nan_is_named_before_the_step(tiny, trained_base, tmp_path, term):
    # The hook breaks one term in the second iteration of the fine-tune, its 8th of 10.
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
