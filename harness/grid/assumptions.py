"""Where the paper is silent or says two things, and what is run: lines for people to read."""

from collections.abc import Iterable, Iterator, Sequence

from harness.errors import SpecError
from harness.grid.architectures import ARCHITECTURES
from harness.grid.benchmarks import Benchmark, fitting
from harness.grid.grid import Grid
from harness.grid.losses import NO_LOSS
from harness.grid.names import seeds_in_words
from harness.grid.recipes import PAPER_BATCH, Setting, finetune, scaled
from harness.grid.spec import RunSpec


def assumptions(grid: Grid, measured: Sequence[Benchmark]) -> tuple[str, ...]:
    """Where the paper is silent or says two things, what is run, and where its cost is from."""
    specs = list(grid.runs.values())
    demo = any(spec.scale == "demo" for spec in specs)
    scale = _ON_DEMO if demo else _on_paper_scale(specs)
    return (
        *_on_data(specs),
        *scale,
        *_on_seeds(grid.seeds),
        *_on_batches(specs),
        *_on_precision(specs),
        *hours_assumed(specs, measured),
    )


_ON_DEMO = (
    "Demo scale: thin networks from scratch on 128 px images with trainable norms. Its numbers "
    "are no COCO numbers and say nothing about the paper's.",
)


def _on_data(specs: list[RunSpec]) -> Iterator[str]:
    splits = {spec.train_split for spec in specs}
    for folder in sorted({str(spec.data_dir) for spec in specs if spec.train_split == "own_train"}):
        yield (
            f"Data: the annotations below {folder}, whose hashes are in the ids. The numbers are "
            "not COCO's; the published ones are."
        )
    if "coco_2014_train" in splits:
        yield (
            "Training split: COCO 2014 train (82,783 images), as the text says. The published "
            "baselines sit at the level of models trained on trainval35k (118,287 images)."
        )
    if "coco_2014_trainval35k" in splits:
        yield (
            "Training split: COCO 2014 trainval35k (118,287 images), at whose level the published "
            "baselines sit. The text says COCO 2014 train (82,783 images)."
        )
    if any(ARCHITECTURES[spec.architecture].cascade and not spec.semantic_branch for spec in specs):
        yield "HTC without its semantic branch, which would need stuff maps."


def _on_paper_scale(specs: list[RunSpec]) -> Iterator[str]:
    architectures = {spec.architecture for spec in specs}
    yield (
        "A base ends, and its fine-tunes start, at the first learning-rate step: 120K of 180K at "
        "batch 8."
    )
    losses = [spec.loss for spec in specs if spec.loss != NO_LOSS]
    weights = sorted({loss.weight for loss in losses})
    if weights:
        yield (
            "The contour term acts from the first iteration of the fine-tune with weight "
            f"{' or '.join(f'{weight:g}' for weight in weights)}."
        )
    yield "Warm-up, as in the paper's code base: 500 iterations from a third of the learning rate."
    if any(loss.variant == "paper" for loss in losses):
        yield (
            "Variant 'paper': the formulas as printed, where k >= 3 computes almost what k = 2 "
            "does."
        )
    if any(loss.variant == "sound" for loss in losses):
        yield "Variant 'sound': not as printed; the distance image counts pixels."
    if any(
        spec.architecture in ("mask_rcnn_R101_FPN", "mask_rcnn_X101_FPN")
        and spec.total_batch_size == PAPER_BATCH
        for spec in specs
    ):
        yield "R101, X101: batch 8 like R50 (the text mentions smaller batches, not which)."
    if "mask_rcnn_X101_FPN" in architectures:
        yield "X101 is 32x8d."
    if any(ARCHITECTURES[one].cascade for one in architectures):
        on_coco = any(spec.train_split == "coco_2017_train" for spec in specs)
        data = "COCO 2017, " if on_coco else ""
        yield f"HTC: {data}the schedule of the Mask R-CNNs, base to the first step."


def _on_seeds(seeds: Sequence[int]) -> Iterator[str]:
    if len(seeds) > 1:
        yield (
            f"Seeds {seeds_in_words(seeds)}, where the text names none: each has bases of its "
            "own, and all its rows of a model share initialisation and order of images."
        )


def _on_batches(specs: list[RunSpec]) -> Iterator[str]:
    """Learning rate and iterations of each batch that is not the recipe's."""
    told: dict[str, list[str]] = {}
    for spec in specs:
        recipe = finetune(Setting(scale=spec.scale), spec.architecture, NO_LOSS)
        if spec.total_batch_size != recipe.total_batch_size:
            names = told.setdefault(_schedule_in_words(spec, recipe), [])
            if spec.architecture not in names:
                names.append(spec.architecture)
    for words, names in told.items():
        yield f"{words} ({', '.join(names)})."


def _schedule_in_words(spec: RunSpec, recipe: RunSpec) -> str:
    schedule, was = spec.schedule, recipe.schedule
    steps = " and ".join(f"{step:,}" for step in schedule.steps)
    rule = "by the linear scaling rule" if _is_scaled(spec, recipe) else "not scaled linearly"
    return (
        f"Batch {spec.total_batch_size} on num_gpus={spec.num_gpus}: learning rate "
        f"{schedule.base_lr:g}, falling at {steps} of {schedule.max_iter:,} iterations, {rule} "
        f"from batch {recipe.total_batch_size} with {was.base_lr:g} and {was.max_iter:,}"
    )


def _is_scaled(spec: RunSpec, recipe: RunSpec) -> bool:
    try:
        linear = scaled(recipe, spec.total_batch_size, num_gpus=spec.num_gpus).schedule
    except SpecError:  # the rule gives no schedule there
        return False
    return linear == spec.schedule


def _on_precision(specs: list[RunSpec]) -> Iterator[str]:
    if any(spec.precision == "amp" for spec in specs):
        yield (
            "Precision amp: training in float16 on GPUs and bfloat16 on CPUs, weights in float32. "
            "The text names none; the code base trains in float32 unless told otherwise. "
            "Published GPU-hours are float32's."
        )


def hours_assumed(specs: Iterable[RunSpec], measured: Sequence[Benchmark]) -> Iterator[str]:
    """Where the GPU-hours of a plan are from, a sentence for each source.

    Args:
        specs: the runs.
        measured: what was measured where they are to be trained.
    """
    of: dict[str, list[str]] = {}
    for spec in specs:
        of.setdefault(_source(spec, fitting(spec, measured)), []).append(spec.architecture)
    for source, architectures in of.items():
        yield f"GPU-hours of {', '.join(dict.fromkeys(architectures))}: {source}"


def _source(spec: RunSpec, found: Benchmark | None) -> str:
    """Where the GPU-hours of `spec` are from, as the end of a sentence."""
    if found is not None:
        return (
            f"measured here with run {found.spec.run_id}, {found.spec.num_gpus} x {found.device}, "
            f"on {found.date}: {found.measured.iteration.mean:.3f} s per iteration."
        )
    if spec.scale == "demo":
        return "measured on one thread of a busy machine with two cores."
    zoo = "mmdetection" if ARCHITECTURES[spec.architecture].cascade else "maskrcnn-benchmark"
    return f"what {zoo} publishes for V100s; `harness benchmark RUN` measures yours."
