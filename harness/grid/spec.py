"""RunSpec: everything that can change the numbers of one training and its evaluation.

Its hash is the run's identity, so a field that moves no number (a path, how often a checkpoint is
written) is left out by an explicit list, and a fixed bug in the losses, the recipe or the data
mapping raises that part's revision.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from functools import cache, cached_property
from typing import Any

from harness.errors import SpecError, unknown
from harness.grid.architectures import ARCHITECTURES
from harness.grid.losses import NO_LOSS, Loss

SCALES = ("paper", "demo")
STAGES = ("base", "finetune")
MASK_FORMATS = ("polygon", "bitmask")
PRECISIONS = ("float32", "amp")
SPLITS = (
    "coco_2014_train",
    "coco_2014_trainval35k",
    "coco_2014_minival",
    "coco_2017_train",
    "coco_2017_val",
    "shapes_train",
    "shapes_val",
    "own_train",
    "own_val",
)

# Raised by hand when a fixed bug moves the numbers of that part: new ids, so new runs. That of the
# losses stands beside them.
RECIPE_REVISION = 1
DATA_REVISION = 1

NOT_IN_ID = ("data_dir", "checkpoint_every", "log_every")
# Fields younger than the first runs: in the id once they differ from what those had.
ADDED_LATER = {"semantic_branch": False}


def _choice(kind: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise SpecError(unknown(kind, value, known))


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rate over the whole training; a base ends, and its fine-tunes start, at `steps[0]`.

    Attributes:
        base_lr: learning rate between warm-up and the first step.
        steps: iterations at which it falls to a tenth of what it was.
        max_iter: where the training ends.
        warmup_iters, warmup_factor: it rises linearly from `warmup_factor * base_lr`.
    """

    base_lr: float
    steps: tuple[int, ...]
    max_iter: int
    warmup_iters: int
    warmup_factor: float = 1 / 3

    def __post_init__(self) -> None:
        rising = (0, *self.steps, self.max_iter)
        if not self.steps or any(a >= b for a, b in itertools.pairwise(rising)):
            raise SpecError(
                f"steps={self.steps} with max_iter={self.max_iter}: at least one step, rising, "
                "between 0 and max_iter."
            )
        if not (math.isfinite(self.base_lr) and self.base_lr > 0):
            raise SpecError(f"base_lr={self.base_lr}: the learning rate must be above 0.")

    def lr_factor(self, iteration: int) -> float:
        """Learning rate of `iteration` (from 0) as a part of `base_lr`."""
        passed = sum(step <= iteration for step in self.steps)
        warm = min(1.0, iteration / self.warmup_iters) if self.warmup_iters else 1.0
        return float((self.warmup_factor * (1 - warm) + warm) * 0.1**passed)


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training and its evaluation.

    Attributes:
        architecture: in `harness.grid.architectures`.
        scale: "paper" is the published size, "demo" a thin network on small images.
        stage: "base" is [0, steps[0]) without any contour term, "finetune" [steps[0], max_iter).
        loss: the term that a fine-tune adds.
        schedule: of the whole training, in iterations.
        train_split, test_split: names in `SPLITS`; a base is not tested.
        train_hash, test_hash: sha256 of the annotation files of a user's own data.
        mask_format: ground truth as detectron2 keeps it; RLE annotations need "bitmask".
        total_batch_size: images in an iteration, over all GPUs.
        num_gpus: the losses average over each process's positives, so 4 and 8 GPUs differ.
        precision: "float32", or "amp" for automatic mixed precision in training.
        seed: of initialisation, data order, augmentation and RoI sampling.
        semantic_branch: whether Hybrid Task Cascade has its semantic branch, which learns from
            stuff maps.
        data_dir: folder of a user's own data, or of the drawn shapes.
        checkpoint_every, log_every: in iterations; the first is a multiple of the second.
    """

    architecture: str
    scale: str
    stage: str
    loss: Loss
    schedule: Schedule
    train_split: str
    test_split: str | None
    total_batch_size: int
    num_gpus: int
    mask_format: str = "polygon"
    precision: str = "float32"
    seed: int = 0
    train_hash: str | None = None
    test_hash: str | None = None
    recipe_revision: int = RECIPE_REVISION
    data_revision: int = DATA_REVISION
    semantic_branch: bool = False
    data_dir: str | None = None
    checkpoint_every: int = 2500
    log_every: int = 20

    def __post_init__(self) -> None:
        if not isinstance(self.loss, Loss):
            raise SpecError(f"loss={self.loss!r} is no loss: write contour(k=2), or NO_LOSS.")
        if type(self.seed) is not int:
            raise SpecError(f"seed={self.seed!r}: a seed is a whole number.")
        _choice("model", self.architecture, ARCHITECTURES)
        _choice("scale", self.scale, SCALES)
        _choice("stage", self.stage, STAGES)
        _choice("split", self.train_split, SPLITS)
        _choice("mask format", self.mask_format, MASK_FORMATS)
        _choice("precision", self.precision, PRECISIONS)
        if self.test_split is not None:
            _choice("split", self.test_split, SPLITS)
        if self.stage == "base" and (self.loss != NO_LOSS or self.test_split is not None):
            raise SpecError("A base has no contour term and no test split: see base_of().")
        if self.semantic_branch and not ARCHITECTURES[self.architecture].cascade:
            cascades = ", ".join(name for name, one in ARCHITECTURES.items() if one.cascade)
            raise SpecError(
                f"semantic_branch=True with model {self.architecture!r}: only {cascades} has a "
                "semantic branch. Leave it out."
            )
        if self.num_gpus < 1 or self.total_batch_size % self.num_gpus or self.total_batch_size < 1:
            raise SpecError(
                f"total_batch_size={self.total_batch_size} on num_gpus={self.num_gpus}: every GPU "
                "takes the same number of images, at least 1."
            )
        if self.log_every < 1 or self.checkpoint_every % self.log_every:
            raise SpecError(
                f"checkpoint_every={self.checkpoint_every} with log_every={self.log_every}: a "
                "checkpoint must fall on a logged iteration, or a resumed log would differ."
            )

    @cached_property
    def run_id(self) -> str:
        """Eight hex digits: the hash of the spec, chained to the base's for a fine-tune."""
        base = base_of(self)
        identity = {"spec": identity_of(self), "parent": base.run_id if base else None}
        canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    @property
    def first_iteration(self) -> int:
        return 0 if self.stage == "base" else self.schedule.steps[0]

    @property
    def last_iteration(self) -> int:
        """Iterations done when the run is trained (counted from the base's first)."""
        return self.schedule.steps[0] if self.stage == "base" else self.schedule.max_iter


@cache  # a thousand runs ask for the few bases that they share, whose ids are hashes
def base_of(spec: RunSpec) -> RunSpec | None:
    """The base that a fine-tune starts from; None for a base."""
    if spec.stage == "base":
        return None
    return replace(spec, stage="base", loss=NO_LOSS, test_split=None, test_hash=None)


def identity_of(spec: RunSpec) -> dict[str, Any]:
    """What is hashed: every field but those that can move no number."""
    values = {field.name: getattr(spec, field.name) for field in fields(spec)}
    return {
        name: dict(_plain(value)) if isinstance(value, (Loss, Schedule)) else value
        for name, value in values.items()
        if name not in NOT_IN_ID and (name not in ADDED_LATER or value != ADDED_LATER[name])
    }


@cache  # `asdict` goes through each number of the few losses and schedules that a grid has
def _plain(part: Loss | Schedule) -> dict[str, Any]:
    return asdict(part)


def spec_from_json(value: dict[str, Any]) -> RunSpec:
    """The RunSpec that `dataclasses.asdict` turned into JSON.

    Raises:
        SpecError: a field is unknown, missing, or not allowed.
    """
    try:
        loss = Loss(**value["loss"])
        schedule = value["schedule"]
        schedule = Schedule(**{**schedule, "steps": tuple(schedule["steps"])})
        return RunSpec(**{**value, "loss": loss, "schedule": schedule})
    except (KeyError, TypeError) as error:
        raise SpecError(f"This is no run of this version of harness: {error}.") from error
