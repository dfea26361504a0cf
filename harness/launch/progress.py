"""How far a run is and what its attempts have taken, read from its files alone."""

import json
from dataclasses import dataclass
from typing import Any

from harness.files import tail
from harness.grid.spec import RunSpec
from harness.paths import AttemptPaths, RunPaths
from harness.records import Begin, Outcome, read_begin, read_outcome

LAST_LINES = 16 * 1024  # bytes; a line is well below 1 KiB


@dataclass(frozen=True)
class Progress:
    """Iterations done, counted from the base's first, and the total loss of the last ones."""

    iteration: int
    loss: float | None


@dataclass(frozen=True)
class Effort:
    """What the attempts at a run have taken.

    Attributes:
        attempts: how many there are.
        gpu_hours: of all of them. One that was killed counts to its last logged line.
        left_s: seconds of training left at the speed of the attempt that runs; None where none
            runs, or it has logged nothing yet.
        node: the host on which an attempt runs; "" where none does.
    """

    attempts: int = 0
    gpu_hours: float = 0.0
    left_s: float | None = None
    node: str = ""


def progress(spec: RunSpec, paths: RunPaths) -> Progress:
    """How far `spec` is by the last whole line of its metrics.jsonl."""
    for line in reversed(tail(paths.metrics_log, LAST_LINES).splitlines(keepends=True)):
        if line.endswith(b"\n") and (logged := _json_object(line)):
            loss = logged.get("total_loss")
            return Progress(int(logged["iteration"]), None if loss is None else float(loss))
    return Progress(spec.first_iteration, None)


def effort(
    spec: RunSpec, paths: RunPaths, seen: Progress, *, running: bool, now_s: float
) -> Effort:
    """What the attempts at `spec` have taken until now.

    Args:
        spec: of the run.
        paths: of the run.
        seen: how far it is.
        running: whether its newest attempt runs.
        now_s: seconds since 1970.
    """
    try:
        attempts = [paths.attempt(number) for number in paths.attempt_numbers()]
        logged_s = paths.metrics_log.stat().st_mtime if paths.metrics_log.exists() else 0.0
    except PermissionError:  # a colleague's folder
        return Effort()
    if not attempts:
        return Effort()
    outcomes = [read_outcome(attempt.outcome) for attempt in attempts]
    *_, newest = attempts
    running = running and outcomes[-1] is None
    begin = read_begin(newest.begin) if running else None
    seconds = [
        _seconds(attempt, outcome, now_s if running and attempt is newest else logged_s)
        for attempt, outcome in zip(attempts, outcomes, strict=True)
    ]
    return Effort(
        attempts=len(attempts),
        gpu_hours=sum(seconds) * spec.num_gpus / 3600,
        left_s=_left_s(spec, seen, begin, logged_s, now_s) if begin else None,
        node=begin.host if begin else "",
    )


def _seconds(attempt: AttemptPaths, outcome: Outcome | None, until_s: float) -> float:
    if outcome is not None:
        return outcome.seconds
    begin = read_begin(attempt.begin)
    return max(0.0, until_s - begin.started_at) if begin else 0.0


def _left_s(
    spec: RunSpec, seen: Progress, begin: Begin, logged_s: float, now_s: float
) -> float | None:
    # A fine-tune's first attempt has no checkpoint of its own: it goes on from its base's.
    done = seen.iteration - max(begin.iteration, spec.first_iteration)
    took_s = logged_s - begin.started_at
    if done <= 0 or took_s <= 0:  # these lines are an earlier attempt's
        return None
    left_s = (spec.last_iteration - seen.iteration) * took_s / done
    return max(0.0, left_s - max(0.0, now_s - logged_s))


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "iteration" in value else None
