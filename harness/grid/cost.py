"""What a run costs: hours on a GPU and room on a disk.

Hours are from what `harness benchmark` has measured here, else from published figures: a default
that is known to be of other GPUs says more than one that is scaled by a guess.
"""

from collections.abc import Iterable

from harness.grid.architectures import cost_of
from harness.grid.benchmarks import Benchmark, fitting
from harness.grid.spec import RunSpec

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
    one = cost_of(spec.architecture, spec.scale).parameters * 8 / 1e9
    predictions = PREDICTIONS_GB[spec.scale] if spec.stage == "finetune" else 0.0
    return one * (KEPT_WHILE_RUNNING + 1 if while_running else 1) + predictions


def _hours(spec: RunSpec, iterations: int, benchmarks: Iterable[Benchmark]) -> float:
    found = fitting(spec, benchmarks)
    if found is not None:
        return iterations * spec.num_gpus * found.measured.iteration.mean / 3600
    cost = cost_of(spec.architecture, spec.scale)
    return iterations * spec.total_batch_size * cost.seconds_per_image / 3600
