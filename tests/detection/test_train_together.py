"""Training in two processes, on CPUs and through gloo."""

from dataclasses import asdict, replace

import pytest
import torch
from detectron2.utils.events import EventStorage

from harness.detection.checkpoints import read_checkpoint
from harness.detection.datasets import load_split, with_objects
from harness.detection.device import pin_device
from harness.detection.images import train_mapper
from harness.detection.loader import IterationBatches, spec_order
from harness.detection.models import build_model
from harness.detection.seeding import seed_generators
from harness.files import write_json
from harness.grid import base_of
from harness.paths import RunsFolder

pytestmark = pytest.mark.slow

TRAIN = """
import sys
from pathlib import Path
import torch
import harness.detection.train as training
from harness import stop
from harness.detection.processes import process_group
from harness.launch.job import read_spec
from harness.paths import RunPaths, RunsFolder

rank, count, meeting = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
paths, what = RunPaths(Path(sys.argv[4])), sys.argv[5]

class Disturbed(training.SeedStep):
    def before_step(self):
        if what == "stop" and rank == 1 and self.trainer.iter == 2:
            stop.request()
        super().before_step()

    def after_step(self):
        self.weights = [w.detach().double().sum().item() for w in self.trainer.model.parameters()]

    def after_train(self):
        print(self.weights)

class Broken(training.Trainer):
    def _forward(self):
        losses, data_time = super()._forward()
        if what == "nan" and rank == 1 and self.iter == 2:
            losses["loss_mask"] = losses["loss_mask"] * float("nan")
        return losses, data_time

training.SeedStep, training.Trainer = Disturbed, Broken
try:
    with process_group(rank, count, rank, meeting):
        training.train(read_spec(paths), paths, RunsFolder(paths.folder.parent))
except (Exception, stop.Stopped) as error:
    print(f"{type(error).__name__}: {error}")
"""


R50, HTC = "mask_rcnn_R50_FPN", "htc_R50_FPN"


@pytest.fixture(scope="module", params=[(R50, "float32")])
def spec(tiny, request):
    # 6 iterations of one image each; lines, of means over two, after 2, 4 and 6.
    architecture, precision = request.param
    base = replace(base_of(tiny(architecture=architecture)), precision=precision)
    return replace(base, num_gpus=2, log_every=2, checkpoint_every=6)


@pytest.fixture
def train_beside(spec, side_by_side):
    def run(runs, what):
        paths = runs.run(spec.run_id)
        write_json(paths.spec, asdict(spec))
        return [ended.stdout.splitlines() for ended in side_by_side(TRAIN, paths.folder, what)]

    return run


def checkpoints(paths):
    return sorted(path.name for path in paths.checkpoints.iterdir())


def equal(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("spec", [(R50, "float32"), (R50, "amp"), (HTC, "float32")], indirect=True)
def test_two_processes_stopped_and_resumed_end_as_two_that_were_not(spec, train_beside, tmp_path):
    undisturbed, stopped = RunsFolder(tmp_path / "undisturbed"), RunsFolder(tmp_path / "stopped")
    paths, other = stopped.run(spec.run_id), undisturbed.run(spec.run_id)
    first, second = train_beside(undisturbed, "")
    assert first == second  # the weights agree over the ranks
    # Only rank 1 is asked, in the third iteration: both stop at the next line, after the fourth.
    for told in train_beside(stopped, "stop"):
        assert told[-1] == "Stopped: stopped as asked after 4 iterations"
    assert checkpoints(paths) == ["iteration_0000004.pth"]
    assert train_beside(stopped, "") == [first, second]
    states = [read_checkpoint(one.checkpoint(6), spec.run_id)["state"] for one in (paths, other)]
    assert equal(*states)
    assert paths.metrics_log.read_bytes() == other.metrics_log.read_bytes()
    assert len(paths.metrics_log.read_text().splitlines()) == 3
    # The names are those of a training in one process.
    assert states[0]["model"].keys() == build_model(spec, num_classes=3).state_dict().keys()


def test_a_term_that_is_nan_in_one_process_ends_both_by_its_name(spec, train_beside, tmp_path):
    runs = RunsFolder(tmp_path)
    for told in train_beside(runs, "nan"):
        assert told[-1].startswith(
            f"TrainingError: loss_mask of rank 1 became nan at iteration 3 of run {spec.run_id}."
        )


GRADIENTS = """
import sys
import torch
from harness.detection.processes import data_parallel, process_group
from harness.detection.trainer import SeedStep, Trainer
from detectron2.engine import HookBase
from pathlib import Path
from harness.detection.datasets import load_split, with_objects
from harness.detection.device import pin_device
from harness.detection.images import train_mapper
from harness.detection.loader import IterationBatches, spec_order
from harness.detection.models import build_model
from harness.detection.seeding import seed_generators
from harness.launch.job import read_spec
from harness.paths import RunPaths

rank, count, meeting = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
paths = RunPaths(Path(sys.argv[4]))
spec = read_spec(paths)
pin_device()
split = load_split(spec.train_split, spec.data_dir)
records = with_objects(split)

class Keep(HookBase):
    def after_backward(self):
        gradients = [weight.grad.clone() for weight in self.trainer.model.parameters()]
        torch.save(gradients, paths.folder / f"{rank}.pt")

with process_group(rank, count, rank, meeting):
    seed_generators(spec.seed, "initialisation", 0)
    model = build_model(spec, len(split.categories))
    order = spec_order(spec, records)
    batches = IterationBatches(records, order[:, rank], train_mapper(spec), spec.seed, rank)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    trainer = Trainer(data_parallel(model), [batches[0]], optimizer, spec.run_id)
    trainer.register_hooks([SeedStep(spec.seed, rank), Keep()])
    trainer.train(0, 1)
"""


def test_gradients_of_two_processes_are_the_mean_of_the_two_half_batches(
    tiny, side_by_side, tmp_path
):
    # With the contour loss; 2 images in each half.
    spec = replace(tiny(), num_gpus=2, total_batch_size=4)
    paths = RunsFolder(tmp_path).run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    for ended in side_by_side(GRADIENTS, paths.folder):
        assert ended.returncode == 0, ended.stderr
    pin_device()
    split = load_split(spec.train_split, spec.data_dir)
    records = with_objects(split)
    order = spec_order(spec, records)
    seed_generators(spec.seed, "initialisation", 0)
    model = build_model(spec, len(split.categories)).train()
    halves = []
    for rank in range(2):
        batch = IterationBatches(records, order[:, rank], train_mapper(spec), spec.seed, rank)[0]
        seed_generators(spec.seed, "model", 0, rank)
        model.zero_grad()
        with EventStorage():  # the model counts its proposals there
            losses = model(batch)
        assert losses["loss_contour"] > 0
        sum(losses.values()).backward()
        halves.append([weight.grad.clone() for weight in model.parameters()])
    for rank in range(2):
        together = torch.load(paths.folder / f"{rank}.pt", weights_only=True)
        for ours, half, other in zip(together, *halves, strict=True):
            torch.testing.assert_close(ours, (half + other) / 2, rtol=1e-6, atol=1e-9)
