"""What a run leaves for others to read: metrics.json, written last, and each outcome.json."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.files import json_text, read_json, reserve, write_json, write_reserved

METRICS_SCHEMA = 1
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")
EXTENDED_METRICS = (*METRICS, "AP80", "AP90")  # the last two where a contour loss should show
# Names of columns: each of these metrics with masks compared near their contours, and its error.
BY_BOUNDARY = "boundary "  # begins one
STD_ERROR = " std_error"  # ends one
TASKS = ("segm", "bbox")
HIGHEST_AP = 100  # percent points

KILLED = "killed: the attempt ended without a word"
LOST = "Slurm took the job away (preemption, node failure or requeue)"
LONGEST_ERROR = 500
ROOM_FOR_OUTCOME = 8192  # bytes: each of those letters may take 12 in JSON


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
        gpu_hours: training time of all attempts times the number of processes. A killed attempt
            counts from its begin to its last logged line.
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


def read_metrics(path: Path, run_id: str, way_out: str | None = None) -> Metrics:
    """The metrics of `run_id` in `path`.

    Args:
        path: metrics.json of the run's folder, or a copy.
        run_id: the run that they must be of.
        way_out: what the user can do where they are damaged; that of a run's folder by default.

    Raises:
        ResultsError: the file is missing, cut short, of another run, or of another schema.
    """
    way_out = way_out or (
        f"Delete it and give `harness run {run_id}`, which scores a trained run again; then "
        "`harness collect` with the run's scale."
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
    wrong = [name for name, fits in FITS.items() if not fits(value[name])]
    if wrong:
        told = ", ".join(f"{name} is {value[name]!r:.60}" for name in wrong)
        raise ResultsError(f"{path} is no metrics file: {told}. {way_out}")
    if metrics.run_id != run_id:
        raise ResultsError(f"{path} is of run {metrics.run_id}, not {run_id}. {way_out}")
    return metrics


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _is_ap(value: object) -> bool:
    return value is None or (_is_number(value) and 0 <= value <= HIGHEST_AP)  # type: ignore[operator]


def _is_hours(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_text(value: object) -> bool:
    # Half a letter outside of the first 65,536 is legal in JSON, and can be written nowhere.
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def _maps_to(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


# What is JSON is not yet what the type says, and all that reads metrics relies on that.
FITS: Mapping[str, Callable[[object], bool]] = {
    "run_id": _is_text,
    "parent": lambda value: value is None or _is_text(value),
    "spec": _maps_to(lambda value: True),
    "ap": _maps_to(_maps_to(_is_ap)),
    "annotations": _maps_to(_is_text),
    "order_hash": _is_text,
    "evaluator": _is_text,
    "environment": _maps_to(_is_text),
    "gpu_hours": _is_hours,
}


@dataclass(frozen=True, kw_only=True)
class Begin:
    """begin.json: an attempt's first word.

    Attributes:
        host, pid: of the process that writes the run's files.
        started_at: seconds since 1970.
        iteration: done before this attempt, by the newest checkpoint.
        sid: of the submission whose job this is; "" outside Slurm.
        job_id: as Slurm's commands take it, "123_4"; "" outside Slurm.
        restart: how often Slurm had put that job back into its queue.
    """

    host: str
    pid: int
    started_at: float
    iteration: int
    sid: str = ""
    job_id: str = ""
    restart: int = 0


def write_begin(path: Path, begin: Begin) -> None:
    """Write begin.json."""
    write_json(path, asdict(begin))


def read_begin(path: Path) -> Begin | None:
    """How the attempt began; None where it has not said so, or its file is damaged."""
    try:
        begin = Begin(**read_json(path, ""))
    except (ResultsError, TypeError):
        return None
    texts, numbers = (begin.host, begin.sid, begin.job_id), (begin.pid, begin.started_at)
    whole = all(map(_is_text, texts)) and all(map(_is_number, numbers))
    return begin if whole and type(begin.iteration) is type(begin.restart) is int else None


class End(StrEnum):
    """How an attempt ended: what is tried again, and when, is decided by this alone."""

    DONE = "done"
    FAILED = "failed"  # a bug, or something that the user must mend
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_GPU_MEMORY = "out of GPU memory"  # asking for more on the host is no help
    NO_BASE = "no base"  # a fine-tune that was started before its base was trained
    NOT_STARTED = "could not start"  # its job ended before harness could begin
    BAD_NODE = "bad node"
    INTERRUPTED = "interrupted"  # by a signal that it could answer; in a job, until that knows more
    ASKED = "asked to stop"  # so, its time limit near, or by a person
    PREEMPTED = "preempted"  # so, for the sake of another job
    KILLED = "killed"  # found so by the next attempt, or by its job
    LOST = "lost"  # found so, but Slurm took the job away (preemption, node failure, requeue)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """outcome.json: how one attempt ended. An attempt without one is running, or was killed.

    Attributes:
        ended: in what way.
        error: one line for a person; "" where there is none.
        seconds: length of the attempt.
        trained_s: of which training.
    """

    ended: End
    error: str
    seconds: float
    trained_s: float


def reserve_outcome(path: Path) -> None:
    """Take the room for outcome.json, whose reason may be that the disk is full."""
    reserve(path, ROOM_FOR_OUTCOME)


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write outcome.json, its error cut to the room there is for it."""
    outcome = replace(outcome, error=outcome.error[:LONGEST_ERROR])
    write_reserved(path, json_text(asdict(outcome)))


def write_outcome_beside(path: Path, outcome: Outcome) -> None:
    """Write outcome.json from a process that has not taken the room for it."""
    write_json(path, asdict(replace(outcome, error=outcome.error[:LONGEST_ERROR])))


def read_outcome(path: Path) -> Outcome | None:
    """How the attempt ended; None where it did not, or its file is damaged."""
    try:
        value = read_json(path, "")
        outcome = Outcome(**{**value, "ended": End(str(value.get("ended")))})
    except (ResultsError, TypeError, ValueError):
        return None
    whole = (
        _is_text(outcome.error) and _is_number(outcome.seconds) and _is_number(outcome.trained_s)
    )
    return outcome if whole else None
