"""What a run costs: hours on a GPU and room on a disk, from published and measured figures."""

from dataclasses import dataclass

from harness.grid.spec import RunSpec


@dataclass(frozen=True)
class ArchitectureCost:
    """Figures of one architecture at one scale.

    Attributes:
        seconds_per_image: of one GPU, forward and backward (one CPU thread at demo scale).
        parameters: trainable ones; a checkpoint also holds a momentum for each, 4 bytes both.
    """

    seconds_per_image: float
    parameters: int


COSTS = {
    # maskrcnn-benchmark's zoo on V100s: 0.454, 0.567 s per iteration with 2 images per GPU, X101
    # 0.756 with 1. HTC: 2.2 times mmdetection's Mask R-CNN with 2 images per GPU, an estimate.
    # Parameters: counted on the models that harness.detection builds (HTC's: an estimate).
    ("paper", "mask_rcnn_R50_FPN"): ArchitectureCost(0.227, 44_400_000),
    ("paper", "mask_rcnn_R101_FPN"): ArchitectureCost(0.284, 63_400_000),
    ("paper", "mask_rcnn_X101_FPN"): ArchitectureCost(0.756, 107_000_000),
    ("paper", "htc_R50_FPN"): ArchitectureCost(0.500, 80_000_000),
    # Measured on one thread of a two-core machine.
    ("demo", "mask_rcnn_R50_FPN"): ArchitectureCost(0.065, 1_800_000),
    ("demo", "mask_rcnn_R101_FPN"): ArchitectureCost(0.112, 2_400_000),
    ("demo", "mask_rcnn_X101_FPN"): ArchitectureCost(0.088, 2_400_000),
    ("demo", "htc_R50_FPN"): ArchitectureCost(0.130, 3_000_000),
}
KEPT_WHILE_RUNNING = 2  # checkpoints, and a third while it is written


def gpu_hours(spec: RunSpec) -> float:
    """Hours of one GPU for the iterations of `spec` itself, its base's not included."""
    return _hours(spec, spec.last_iteration - spec.first_iteration)


def gpu_hours_from_scratch(spec: RunSpec) -> float:
    """Hours of one GPU if the run trained every iteration itself."""
    return _hours(spec, spec.schedule.max_iter)


def disk_gb(spec: RunSpec, *, while_running: bool) -> float:
    """Room for the checkpoints of one run."""
    one = COSTS[spec.scale, spec.architecture].parameters * 8 / 1e9
    return one * (KEPT_WHILE_RUNNING + 1 if while_running else 1)


def _hours(spec: RunSpec, iterations: int) -> float:
    cost = COSTS[spec.scale, spec.architecture]
    return iterations * spec.total_batch_size * cost.seconds_per_image / 3600
