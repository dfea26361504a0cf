"""What a run costs: hours on a GPU and room on a disk.

Hours are from what `harness benchmark` has measured here, else from published figures: a default
that is known to be of other GPUs says more than one that is scaled by a guess.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.grid.benchmarks import Benchmark, fitting
from harness.grid.spec import RunSpec


@dataclass(frozen=True)
class ArchitectureCost:
    """Figures of one architecture at one scale.

    Attributes:
        seconds_per_image: of one GPU, forward and backward (one CPU thread at demo scale).
        parameters: a checkpoint holds each and its momentum, 4 bytes both.
    """

    seconds_per_image: float
    parameters: int


COSTS = {
    # Zoos on 8 V100s. maskrcnn-benchmark: 0.454, 0.567 s per iteration with 2 images per GPU, X101
    # 0.756 with 1. HTC, with its semantic branch: 0.936 with 2, mmdetection 1.x, whose Mask R-CNN
    # R50 takes 0.453.
    ("paper", "mask_rcnn_R50_FPN"): ArchitectureCost(0.227, 44_300_000),
    ("paper", "mask_rcnn_R101_FPN"): ArchitectureCost(0.284, 63_300_000),
    ("paper", "mask_rcnn_X101_FPN"): ArchitectureCost(0.756, 107_400_000),
    ("paper", "htc_R50_FPN"): ArchitectureCost(0.468, 80_200_000),
    # Measured on one thread each of a busy two-core machine.
    ("demo", "mask_rcnn_R50_FPN"): ArchitectureCost(0.080, 2_240_000),
    ("demo", "mask_rcnn_R101_FPN"): ArchitectureCost(0.090, 3_440_000),
    ("demo", "mask_rcnn_X101_FPN"): ArchitectureCost(0.090, 2_440_000),
    ("demo", "htc_R50_FPN"): ArchitectureCost(0.345, 3_500_000),
}
# Of one fine-tune: 60 demo images take 0.5 MB; for the 5,000 of COCO an estimate.
PREDICTIONS_GB = {"paper": 0.1, "demo": 0.0005}
KEPT_WHILE_RUNNING = 2  # checkpoints, and a third while it is written


def gpu_hours(spec: RunSpec, benchmarks: Iterable[Benchmark]) -> float:
    """Hours of one GPU for the iterations of `spec` itself, its base's not included.

    Args:
        spec: the run.
        benchmarks: what was measured where it is to be trained.
    """
    return _hours(spec, spec.last_iteration - spec.first_iteration, benchmarks)


def gpu_hours_from_scratch(spec: RunSpec, benchmarks: Iterable[Benchmark]) -> float:
    """Hours of one GPU if the run trained every iteration itself; `benchmarks` as above."""
    return _hours(spec, spec.schedule.max_iter, benchmarks)


def disk_gb(spec: RunSpec, *, while_running: bool) -> float:
    """Room for the checkpoints and predictions of one run."""
    one = COSTS[spec.scale, spec.architecture].parameters * 8 / 1e9
    predictions = PREDICTIONS_GB[spec.scale] if spec.stage == "finetune" else 0.0
    return one * (KEPT_WHILE_RUNNING + 1 if while_running else 1) + predictions


def _hours(spec: RunSpec, iterations: int, benchmarks: Iterable[Benchmark]) -> float:
    found = fitting(spec, benchmarks)
    if found is not None:
        return iterations * spec.num_gpus * found.measured.iteration.mean / 3600
    cost = COSTS[spec.scale, spec.architecture]
    return iterations * spec.total_batch_size * cost.seconds_per_image / 3600
