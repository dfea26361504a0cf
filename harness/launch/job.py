"""What a job executes: one run, from its spec.json to its metrics.json."""

import math
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from harness.data.splits import locate
from harness.errors import ResultsError, SpecError
from harness.grid.again import command
from harness.grid.spec import (
    DATA_REVISION,
    LOSSES_REVISION,
    NO_LOSS,
    RECIPE_REVISION,
    RunSpec,
    base_of,
    identity_of,
    spec_from_json,
)
from harness.grid.state import is_done, is_trained
from harness.launch.attempt import (
    Clock,
    new_attempt,
    output_into_files,
    recorded,
    settle_killed,
)
from harness.launch.environment import describe_device, describe_environment, package_version
from harness.lease import lease
from harness.paths import AttemptPaths, RunPaths, RunsFolder, read_json, write_json
from harness.records import TASKS, Metrics, read_outcome, write_metrics

PRIVATE = ("host", "platform")  # stay in env.json; metrics are made to be shared
Output = Callable[[AttemptPaths], AbstractContextManager[None]]


def execute(folder: Path) -> None:
    """The run in `folder` as a job: its output goes into the files of its attempt.

    Raises:
        HarnessError: the run cannot be trained or scored; the attempt's outcome says so too.
    """
    _attempt(folder, output_into_files)


def run_here(folder: Path) -> None:
    """The run in `folder` in the foreground: its output stays on the terminal.

    Raises:
        HarnessError: the run cannot be trained or scored; the attempt's outcome says so too.
    """
    _attempt(folder, lambda attempt: nullcontext())


def read_spec(paths: RunPaths) -> RunSpec:
    """The spec of the run in `paths.folder`.

    Raises:
        ResultsError: spec.json is missing, damaged, or of another run.
    """
    way_out = "Give `harness submit --site local` with the scale of the run: it is written anew."
    spec = spec_from_json(read_json(paths.spec, way_out))
    if spec.run_id != paths.folder.name:
        raise ResultsError(f"{paths.spec} is of run {spec.run_id}. {way_out}")
    return spec


def _attempt(folder: Path, output: Output) -> None:
    paths = RunPaths(folder.resolve())
    spec = read_spec(paths)
    with lease(paths.lease, f"Run {spec.run_id}"):
        if is_done(spec, paths):
            return
        if not is_trained(spec, paths):
            _refuse_other_code(spec, paths)
        paths.remove_temporaries()
        settle_killed(paths)
        attempt = new_attempt(paths)
        with recorded(attempt) as clock, output(attempt):
            _train_and_score(spec, paths, clock)


def _refuse_other_code(spec: RunSpec, paths: RunPaths) -> None:
    losses = NO_LOSS.revision if spec.loss.name == NO_LOSS.name else LOSSES_REVISION
    for part, own, here in (
        ("recipe", spec.recipe_revision, RECIPE_REVISION),
        ("data", spec.data_revision, DATA_REVISION),
        ("losses", spec.loss.revision, losses),
    ):
        if own != here:
            submit = command("submit --site local", spec, paths.folder.parent)
            raise SpecError(
                f"Run {spec.run_id} is of {part} revision {own}, this harness has {here}. New code "
                f"trains nothing under an old id. Next: `{submit}`, which makes a new run."
            )


def _train_and_score(spec: RunSpec, paths: RunPaths, clock: Clock) -> None:
    environment = describe_environment()
    write_json(paths.environment, environment)

    _silence_libraries()
    from harness.detection.logs import print_progress
    from harness.detection.train import train

    environment |= describe_device()
    write_json(paths.environment, environment)
    print_progress()
    with clock.training():
        trained = train(spec, paths, RunsFolder(paths.folder.parent))
    annotations = dict(trained.annotations)
    ap: dict[str, dict[str, float | None]] = {}
    if spec.test_split is not None:
        annotations[spec.test_split], ap = _score(spec, paths, spec.test_split)
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


def _score(
    spec: RunSpec, paths: RunPaths, split: str
) -> tuple[str, dict[str, dict[str, float | None]]]:
    """The sha256 of the test split's annotations, and AP by task and metric."""
    from harness.detection.predict import predict
    from harness.evaluation import coco_ap

    annotations_hash = predict(spec, paths)
    ground_truth = locate(split, spec.data_dir).annotations
    return annotations_hash, {
        task: {
            metric: None if math.isnan(value) else value
            for metric, value in coco_ap(ground_truth, paths.results, task=task).items()
        }
        for task in TASKS
    }


def _trained_before_s(paths: RunPaths) -> float:
    """Training seconds of earlier attempts."""
    outcomes = [read_outcome(paths.attempt(n).outcome) for n in paths.attempt_numbers()]
    return sum(outcome.trained_s for outcome in outcomes if outcome)


def _silence_libraries() -> None:
    # What they say of each other's next releases would be all that `harness fails` can show.
    warnings.filterwarnings("ignore", module=r"(torch|fvcore|detectron2|pycocotools)(\.|$)")
