"""What a run leaves for others to read: metrics.json, written last, and each outcome.json."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.paths import read_json, write_json

METRICS_SCHEMA = 1
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")
TASKS = ("segm", "bbox")


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """metrics.json: what a finished run says of itself.

    Attributes:
        run_id, parent: the run and the base it started from.
        spec: the fields behind the id (`harness.grid.spec.identity_of`).
        ap: by task ("segm", "bbox") and metric, in percent points; None where there is no ground
            truth of that size. Empty for a base.
        annotations: sha256 of the annotation files used, by split.
        order_hash: sha256 over the image ids in the order in which they were trained on.
        evaluator: name and version of what computed the AP; "" for a base.
        environment: commit, versions and threads.
        gpu_hours: training time of all attempts times the number of processes.
    """

    run_id: str
    parent: str | None
    spec: Mapping[str, Any]
    ap: Mapping[str, Mapping[str, float | None]]
    annotations: Mapping[str, str]
    order_hash: str
    evaluator: str
    environment: Mapping[str, str]
    gpu_hours: float
    schema: int = METRICS_SCHEMA


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics.json."""
    write_json(path, asdict(metrics))


def read_metrics(path: Path, run_id: str) -> Metrics:
    """The metrics of `run_id` in `path`.

    Raises:
        ResultsError: the file is missing, cut short, of another run, or of another schema.
    """
    way_out = (
        f"Delete it and give `harness run {run_id}`: a trained run is only scored again; "
        "then `harness collect`."
    )
    value = read_json(path, way_out)
    if value.get("schema") != METRICS_SCHEMA:
        raise ResultsError(
            f"{path} has schema {value.get('schema')!r}; this harness reads {METRICS_SCHEMA}. "
            f"{way_out}"
        )
    try:
        metrics = Metrics(**value)
    except TypeError as error:
        raise ResultsError(f"{path} is no metrics file ({error}). {way_out}") from error
    if metrics.run_id != run_id:
        raise ResultsError(f"{path} is of run {metrics.run_id}, not {run_id}. {way_out}")
    return metrics


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """outcome.json: how one attempt ended. An attempt without one is running, or was killed.

    Attributes:
        ended: "done", "failed" or "interrupted".
        error: one line for a person; "" where there is none.
        seconds: length of the attempt.
        trained_s: of which training.
    """

    ended: str
    error: str
    seconds: float
    trained_s: float


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write outcome.json."""
    write_json(path, asdict(outcome))


def read_outcome(path: Path) -> Outcome | None:
    """How the attempt ended; None where it did not, or its file is damaged."""
    try:
        return Outcome(**read_json(path, ""))
    except (ResultsError, TypeError):
        return None
