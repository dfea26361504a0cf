"""The recipe of a run at each scale: schedule, splits, batch (section IV-A and IV-B)."""

from dataclasses import dataclass, replace
from pathlib import Path

from harness.data.annotations import annotations_hash, find_own_data
from harness.errors import SpecError, unknown
from harness.grid.architectures import ARCHITECTURES
from harness.grid.losses import Loss
from harness.grid.spec import SCALES, RunSpec, Schedule

# IV-B: 180K iterations at batch 8 on 4 GPUs, 0.01 falling at 120K and 160K. Warm-up: the code base.
PAPER_SCHEDULE = Schedule(
    base_lr=0.01, steps=(120_000, 160_000), max_iter=180_000, warmup_iters=500
)
PAPER_BATCH, PAPER_GPUS = 8, 4

# Minutes on two cores: at 128 px the R50 reaches a mask AP of about 30, the deeper ones less.
DEMO_SCHEDULE = Schedule(base_lr=0.02, steps=(300, 370), max_iter=400, warmup_iters=40)
DEMO_BATCH = 4


@dataclass(frozen=True)
class Setting:
    """What a command line chooses for a whole grid.

    Attributes:
        scale: "paper" or "demo".
        seed: a seed owns its base, so another seed is another base.
        data_dir: a user's own data in COCO's layout; None for COCO or the drawn shapes.
        shapes_dir: where the drawn shapes lie at demo scale.
    """

    scale: str = "paper"
    seed: int = 0
    data_dir: Path | None = None
    shapes_dir: Path | None = None


def finetune(setting: Setting, architecture: str, loss: Loss) -> RunSpec:
    """The fine-tune of `architecture` with `loss` added, as the paper trains it.

    Args:
        setting: scale, seed and data.
        architecture: in `harness.grid.architectures`.
        loss: `NO_LOSS` for the baseline.

    Raises:
        SpecError: the architecture or scale does not exist.
        DataError: the user's own data is not in COCO's layout.
    """
    if architecture not in ARCHITECTURES:
        raise SpecError(unknown("model", architecture, ARCHITECTURES))
    if setting.scale not in SCALES:
        raise SpecError(unknown("scale", setting.scale, SCALES))
    spec = _RECIPES[setting.scale](setting, architecture, loss)
    return spec if setting.data_dir is None else _on_own_data(spec, setting.data_dir)


def scaled(spec: RunSpec, total_batch_size: int, *, num_gpus: int | None = None) -> RunSpec:
    """The same fine-tune at another batch, by the linear scaling rule; its base follows.

    With b images in an iteration instead of a: the learning rate times b/a, steps and iterations
    times a/b to the nearest whole one, so that each image is seen as often. The iterations of
    warm-up stay: maskrcnn-benchmark's configurations at batch 16 and at batch 8 both have 500.

    Args:
        spec: a fine-tune at any scale, and itself at any batch.
        total_batch_size: images in an iteration, over all GPUs.
        num_gpus: of the result; None for as many as `spec` has.

    Raises:
        SpecError: the batch cannot be shared out evenly, or is so large that the steps fall
            together or into the warm-up.

    Source: Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.1.
    """
    # First of all, since it refuses a batch of nothing.
    gpus = spec.num_gpus if num_gpus is None else num_gpus
    other = replace(spec, total_batch_size=total_batch_size, num_gpus=gpus)
    before, old = spec.total_batch_size, spec.schedule
    schedule = replace(
        old,
        base_lr=old.base_lr * total_batch_size / before,
        steps=tuple(round(step * before / total_batch_size) for step in old.steps),
        max_iter=round(old.max_iter * before / total_batch_size),
    )
    if schedule.steps[0] <= schedule.warmup_iters:
        raise SpecError(
            f"total_batch_size={total_batch_size}: the learning rate would fall at iteration "
            f"{schedule.steps[0]}, within the {schedule.warmup_iters} of warm-up. Take a smaller "
            "batch."
        )
    return replace(other, schedule=schedule)


def _paper(setting: Setting, architecture: str, loss: Loss) -> RunSpec:
    # Table III's note: HTC is trained on COCO 2017; the others on COCO 2014 (IV-A).
    year_2017 = ARCHITECTURES[architecture].cascade
    return RunSpec(
        architecture=architecture,
        scale="paper",
        stage="finetune",
        loss=loss,
        schedule=PAPER_SCHEDULE,
        train_split="coco_2017_train" if year_2017 else "coco_2014_train",
        test_split="coco_2017_val" if year_2017 else "coco_2014_minival",
        total_batch_size=PAPER_BATCH,
        num_gpus=PAPER_GPUS,
        seed=setting.seed,
        semantic_branch=ARCHITECTURES[architecture].cascade,
    )


def _demo(setting: Setting, architecture: str, loss: Loss) -> RunSpec:
    return RunSpec(
        architecture=architecture,
        scale="demo",
        stage="finetune",
        loss=loss,
        schedule=DEMO_SCHEDULE,
        train_split="shapes_train",
        test_split="shapes_val",
        total_batch_size=DEMO_BATCH,
        num_gpus=1,
        mask_format="bitmask",
        seed=setting.seed,
        semantic_branch=ARCHITECTURES[architecture].cascade,
        data_dir=str(setting.shapes_dir) if setting.shapes_dir else None,
        checkpoint_every=50,
        log_every=1,
    )


_RECIPES = {"paper": _paper, "demo": _demo}


def _on_own_data(spec: RunSpec, folder: Path) -> RunSpec:
    data = find_own_data(folder)
    return replace(
        spec,
        train_split="own_train",
        test_split="own_val",
        train_hash=annotations_hash(data.train.annotations),
        test_hash=annotations_hash(data.val.annotations),
        mask_format="bitmask",
        semantic_branch=False,  # a user's own data has no stuff maps
        data_dir=str(data.folder.resolve()),
    )
