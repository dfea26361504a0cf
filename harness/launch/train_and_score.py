"""The work of an attempt: training, prediction, AP, and metrics.json as the last word."""

import logging
import math
import socket
import warnings
from collections.abc import Callable

from harness.data.splits import locate
from harness.errors import NodeError
from harness.files import write_json
from harness.grid.spec import RunSpec, base_of, identity_of
from harness.launch.attempt import Stopwatch
from harness.launch.environment import (
    PRIVATE,
    describe_device,
    describe_environment,
    earlier_code,
    package_version,
)
from harness.paths import RunPaths, RunsFolder
from harness.records import TASKS, Metrics, read_outcome, write_metrics

AP = dict[str, dict[str, float | None]]  # by task and metric
Scored = tuple[str, AP]


def train_and_score(
    spec: RunSpec, paths: RunPaths, clock: Stopwatch, *, on_gpu: bool, leave: Callable[[], None]
) -> None:
    """Train the run from its newest checkpoint, predict and score, and write its metrics.json.

    Args:
        spec: the run.
        paths: its folder.
        clock: of the attempt.
        on_gpu: whether it must not be trained on a CPU.
        leave: called between training and scoring, which this process does alone.

    Raises:
        NodeError: there is no GPU and must be one.
        HarnessError: the run cannot be trained or scored.
    """
    environment = describe_environment()
    if paths.newest_iteration() > 0:
        environment |= earlier_code(environment, paths.environment)
    write_json(paths.environment, environment)

    silence_libraries()
    from harness.detection.logs import print_progress
    from harness.detection.train import train

    device = describe_device()
    if on_gpu and "gpu" not in device:
        raise NodeError(
            f"torch sees no GPU on {socket.gethostname()}, and this run is not trained on a CPU. "
            "Slurm gives it another node; `harness doctor --site NAME` looks what is wrong. A "
            "cluster whose GPUs are fake has fake_gpus = true in its site file."
        )
    environment |= device
    write_json(paths.environment, environment)
    print_progress()
    score = _scorer()  # an installation that cannot score fails now, not after days of training
    with clock.training():
        trained = train(spec, paths, RunsFolder(paths.folder.parent))
    leave()
    annotations = dict(trained.annotations)
    ap: AP = {}
    if spec.test_split is not None:
        annotations[spec.test_split], ap = score(spec, paths, spec.test_split)
    base = base_of(spec)
    write_metrics(
        paths.metrics,
        Metrics(
            run_id=spec.run_id,
            parent=base.run_id if base else None,
            spec=identity_of(spec),
            ap=ap,
            annotations=annotations,
            order_hash=trained.order_hash,
            evaluator=f"pycocotools {package_version('pycocotools')}" if ap else "",
            environment={k: v for k, v in environment.items() if k not in PRIVATE},
            gpu_hours=(_trained_before_s(paths) + clock.trained_s) * spec.num_gpus / 3600,
        ),
    )


def _scorer() -> Callable[[RunSpec, RunPaths, str], Scored]:
    """Scores a trained run on a split; importing is done, which tells that it can be.

    It gives the sha256 of the split's annotations, and AP by task and metric.
    """
    from harness.detection.predict import predict
    from harness.evaluation import coco_ap
    from harness.evaluation.replicates import replicate
    from harness.replicates import write_replicates

    def score(spec: RunSpec, paths: RunPaths, split: str) -> Scored:
        annotations_hash = predict(spec, paths)
        ground_truth = locate(split, spec.data_dir).annotations
        ap = {
            task: {
                metric: None if math.isnan(value) else value
                for metric, value in coco_ap(ground_truth, paths.results, task=task).items()
            }
            for task in TASKS
        }
        write_replicates(paths.replicates, replicate(spec.run_id, ground_truth, paths.results))
        return annotations_hash, ap

    return score


def _trained_before_s(paths: RunPaths) -> float:
    """Training seconds of earlier attempts."""
    outcomes = [read_outcome(paths.attempt(n).outcome) for n in paths.attempt_numbers()]
    return sum(outcome.trained_s for outcome in outcomes if outcome)


def silence_libraries() -> None:
    """Keep what libraries say of each other's next releases out of what `harness fails` shows."""
    warnings.filterwarnings("ignore", module=r"(torch|fvcore|detectron2|pycocotools)(\.|$)")
    logging.getLogger("torch.fx").setLevel(logging.ERROR)
