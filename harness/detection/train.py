"""Trains one run: from nothing, its base, or its own newest checkpoint, to its last iteration."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from detectron2.engine import HookBase, hooks
from detectron2.modeling import GeneralizedRCNN
from detectron2.solver.build import get_default_optimizer_params
from detectron2.utils import comm
from detectron2.utils.events import CommonMetricPrinter, TensorboardXWriter
from torch.amp import GradScaler
from torch.optim.lr_scheduler import LambdaLR

from harness import stop
from harness.detection.checkpoints import (
    Stateful,
    keep_newest,
    newest_checkpoint,
    refuse_other_annotations,
    restore,
)
from harness.detection.datasets import LoadedSplit, load_split, with_objects, with_stuff_maps
from harness.detection.device import WORKERS, pin_device
from harness.detection.images import train_mapper
from harness.detection.loader import IterationBatches, batches, spec_order
from harness.detection.logs import MetricsLog, cut_log
from harness.detection.models import build_model
from harness.detection.order import order_hash
from harness.detection.precision import autocast, grad_scaler
from harness.detection.pretrained import load_imagenet_weights
from harness.detection.processes import data_parallel, gathered, together, true_cause
from harness.detection.reading import Record
from harness.detection.seeding import seed_generators
from harness.detection.trainer import SaveCheckpoint, SeedStep, StopWhenAsked, Trainer
from harness.detection.warm_start import base_checkpoint
from harness.errors import CheckpointError, LaunchError
from harness.grid.spec import RunSpec
from harness.paths import RunPaths, RunsFolder

PRINT_EVERY = 20


@dataclass(frozen=True)
class Trained:
    """What is known at the end of a training.

    Attributes:
        order_hash: over the image ids in the order of this run's own iterations.
        annotations: `hash_of` the annotation files, by split.
    """

    order_hash: str
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Prepared:
    """What a run is trained with in one process.

    Attributes:
        device: "cuda" or "cpu".
        split: what it trains on.
        records: the images of it that can be trained on.
        order: which of them stand in which batch, shape (iterations, num_gpus, images per GPU).
        model, optimizer: as `start_from` leaves them.
        scaler: of the loss, in mixed precision.
        parts: all that has a state, by its name in checkpoints.
    """

    device: str
    split: LoadedSplit
    records: list[Record]
    order: np.ndarray
    model: GeneralizedRCNN
    optimizer: torch.optim.Optimizer
    scaler: GradScaler
    parts: Mapping[str, Stateful]


@true_cause()
def train(spec: RunSpec, paths: RunPaths, runs: RunsFolder) -> Trained:
    """Train `spec` to its last iteration, going on from its newest whole checkpoint.

    Each process of the run calls it; that of rank 0 alone writes files.

    Args:
        spec: the run.
        paths: its folder.
        runs: where its base's folder lies.

    Raises:
        LaunchError: the run asks for another number of processes than there are.
        WarmStartError: the base's checkpoint is missing, damaged, or of another run.
        CheckpointError: the run's own checkpoint was trained on other annotations.
        TrainingError: a loss term became infinite or NaN.
        DataError: images or annotations are missing or damaged, or have changed.
        Stopped: a stop was requested (`harness.stop`); the newest checkpoint goes on from there.
    """
    processes = comm.get_world_size()
    if spec.num_gpus != processes:
        here = "1 process trains" if processes == 1 else f"{processes} processes train"
        raise LaunchError(
            f"Run {spec.run_id} has num_gpus={spec.num_gpus}, and {here} here. A run is trained by "
            f"one process for each of its GPUs: submit it to a Slurm site, or ask for "
            f"num_gpus={processes}, which is another run."
        )
    device = pin_device()
    # No process goes on before all have read what rank 0 is about to cut or delete.
    with together():
        ready = prepare(spec, device)
        start = start_from(spec, paths, runs, ready)
    _refuse_different_starts(spec.run_id, start)
    if start < spec.last_iteration:
        trainer = make_trainer(spec, ready, start)
        trainer.register_hooks(_hooks(spec, paths, ready, start))
        with stop.deferred(), warnings.catch_warnings():
            if ready.scaler.is_enabled():
                # It may leave out the very first step, which torch takes for a wrong order.
                first = r"Detected call of `lr_scheduler\.step\(\)` before"
                warnings.filterwarnings("ignore", first)
            trainer.train(start, spec.last_iteration)
    if comm.is_main_process():
        keep_newest(paths, 1)
    image_ids = np.array([record["image_id"] for record in ready.records])
    return Trained(
        order_hash=order_hash(image_ids[ready.order[spec.first_iteration :]]),
        annotations={spec.train_split: ready.split.annotations_hash},
    )


def prepare(spec: RunSpec, device: str) -> Prepared:
    """What `spec` is trained with, on `device`, with weights drawn from its seed.

    Raises:
        DataError: the annotations are missing or damaged, or have changed.
    """
    split = load_split(spec.train_split, spec.data_dir, spec.train_hash)
    records = with_objects(split)
    if spec.semantic_branch:
        records = with_stuff_maps(records)

    seed_generators(spec.seed, "initialisation", 0)
    model = build_model(spec, len(split.categories)).to(device)
    optimizer = build_optimizer(spec, model)
    scaler = grad_scaler(spec, device)
    parts: dict[str, Stateful] = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": LambdaLR(optimizer, spec.schedule.lr_factor),
    }
    if spec.precision == "amp":
        parts["scaler"] = scaler
    return Prepared(
        device=device,
        split=split,
        records=records,
        order=spec_order(spec, records),
        model=model,
        optimizer=optimizer,
        scaler=scaler,
        parts=parts,
    )


def make_trainer(spec: RunSpec, ready: Prepared, start: int) -> Trainer:
    """The trainer of this process, and its loader, from iteration `start`; without hooks."""
    rank = comm.get_rank()
    order_IB = ready.order[:, rank]
    dataset = IterationBatches(ready.records, order_IB, train_mapper(spec), spec.seed, rank)
    loader = batches(dataset, start, WORKERS[ready.device])
    return Trainer(
        data_parallel(ready.model),
        loader,
        ready.optimizer,
        spec.run_id,
        autocast(spec, ready.device),
        ready.scaler,
    )


def step_hooks(spec: RunSpec, ready: Prepared) -> tuple[HookBase, HookBase]:
    """What every iteration needs in every process: its random numbers and its learning rate."""
    seeds = SeedStep(spec.seed, comm.get_rank())
    return seeds, hooks.LRScheduler(ready.optimizer, ready.parts["scheduler"])


def _hooks(spec: RunSpec, paths: RunPaths, ready: Prepared, start: int) -> list[HookBase]:
    seeds, schedule = step_hooks(spec, ready)
    if not comm.is_main_process():
        return [seeds, schedule, StopWhenAsked(spec, None)]
    cut_log(paths.metrics_log, start)
    log = MetricsLog(paths.metrics_log, spec.log_every, spec.last_iteration)
    board = TensorboardXWriter(str(paths.tensorboard), purge_step=start)
    checkpoint = SaveCheckpoint(spec, paths, ready.parts, log, ready.split.annotations_hash)
    return [
        seeds,
        hooks.IterationTimer(),
        schedule,
        hooks.PeriodicWriter([log, board], period=spec.log_every),
        hooks.PeriodicWriter([CommonMetricPrinter(spec.last_iteration)], period=PRINT_EVERY),
        checkpoint,
        StopWhenAsked(spec, checkpoint),
    ]


def build_optimizer(spec: RunSpec, model: torch.nn.Module) -> torch.optim.Optimizer:
    """SGD as in the paper's code base: biases at twice the rate and without weight decay."""
    parameters = get_default_optimizer_params(
        model,
        base_lr=spec.schedule.base_lr,
        weight_decay_norm=0.0,
        bias_lr_factor=2.0,
        weight_decay_bias=0.0,
    )
    return torch.optim.SGD(parameters, lr=spec.schedule.base_lr, momentum=0.9, weight_decay=1e-4)


def start_from(spec: RunSpec, paths: RunPaths, runs: RunsFolder, ready: Prepared) -> int:
    """Load what the run starts from into `ready`; returns the iterations done.

    Raises:
        WarmStartError, CheckpointError, DataError: as `train`.
    """
    split, checkpoint = ready.split, newest_checkpoint(paths, spec.run_id)
    if checkpoint is not None:
        refuse_other_annotations(checkpoint, spec.run_id, split.annotations_hash, split.place.where)
    elif spec.stage == "finetune":
        checkpoint = base_checkpoint(spec, runs, split.annotations_hash, split.place.where)
    if checkpoint is not None:
        return restore(checkpoint, ready.parts)
    if spec.scale == "paper":
        load_imagenet_weights(spec.architecture, ready.model.backbone.bottom_up)
    return 0


def _refuse_different_starts(run_id: str, start: int) -> None:
    starts = gathered(torch.tensor([start]))[:, 0].tolist()
    if len(set(starts)) > 1:
        raise CheckpointError(
            f"The processes of run {run_id} would go on from different checkpoints: "
            + ", ".join(f"rank {rank} from {begun}" for rank, begun in enumerate(starts))
            + ". One of them could not read a file that another could. Give the same command again."
        )
