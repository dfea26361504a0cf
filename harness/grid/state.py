"""The state of a run, read from the files it left: never from a scheduler, never with torch."""

import zipfile
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import ResultsError
from harness.grid.spec import RunSpec, base_of
from harness.lease import live_holder
from harness.paths import RunPaths, RunsFolder
from harness.records import KILLED, METRICS, End, read_begin, read_metrics, read_outcome


class State(StrEnum):
    """What can be said of a run."""

    DONE = "done"
    RUNNING = "running"
    QUEUED = "queued"
    FAILED = "failed"
    TO_DO = "to do"
    BLOCKED = "blocked"


class Cause(StrEnum):
    """Why a run that is not done does not go on: what decides whether it is tried again."""

    NONE = ""
    ERROR = "error"  # a bug, or something that the user must mend
    OUT_OF_MEMORY = "out of memory"
    TIME_LIMIT = "time limit"
    PREEMPTED = "preempted"
    NODE_FAILURE = "node failure"
    CANCELLED = "cancelled"
    KILLED = "killed"
    LOST = "lost"  # its job is gone and nobody knows why
    BASE = "base"  # its base does not go on


FAILURES = {
    End.FAILED: Cause.ERROR,
    End.NOT_STARTED: Cause.ERROR,
    End.OUT_OF_MEMORY: Cause.OUT_OF_MEMORY,
    End.OUT_OF_GPU_MEMORY: Cause.OUT_OF_MEMORY,
    End.BAD_NODE: Cause.NODE_FAILURE,
    End.KILLED: Cause.KILLED,
}


@dataclass(frozen=True)
class RunState:
    """A state and, unless it is done, its reason in a few words."""

    state: State
    reason: str = ""
    cause: Cause = Cause.NONE


def run_state(spec: RunSpec, runs: RunsFolder) -> RunState:
    """What is known of a run from its folder and its base's."""
    try:
        return _state_on_disk(spec, runs)
    except PermissionError as error:  # a colleague's folder
        return RunState(State.BLOCKED, f"{error.filename} cannot be read: {error.strerror}")


def is_done(spec: RunSpec, paths: RunPaths) -> bool:
    """A fine-tune is done when scored; a base when its metrics and final checkpoint are whole."""
    try:
        metrics = read_metrics(paths.metrics, spec.run_id)
    except ResultsError:
        return False
    if spec.stage == "base":
        return is_trained(spec, paths)
    return all(name in metrics.ap.get("segm", {}) for name in METRICS)


def is_trained(spec: RunSpec, paths: RunPaths) -> bool:
    """Whether the final checkpoint is whole: a zip file cut short has lost its directory."""
    return zipfile.is_zipfile(paths.checkpoint(spec.last_iteration))


def last_failure(paths: RunPaths) -> str:
    """What ended the newest attempt at a run that is not being trained; "" for nothing."""
    failure = _failure(paths)
    return failure.reason if failure else ""


def _state_on_disk(spec: RunSpec, runs: RunsFolder) -> RunState:
    paths = runs.run(spec.run_id)
    if is_done(spec, paths):
        return RunState(State.DONE)
    if live_holder(paths.lease):
        return RunState(State.RUNNING)
    failure = _failure(paths)
    if failure is not None:
        return failure
    base = base_of(spec)
    if base is not None and run_state(base, runs).state is State.FAILED:
        return RunState(State.BLOCKED, f"its base {base.run_id} failed", Cause.BASE)
    return RunState(State.TO_DO)


def _failure(paths: RunPaths) -> RunState | None:
    # A run that was interrupted, or whose job Slurm took away, has not failed: it can go on.
    attempt = paths.last_attempt()
    if attempt is None:
        return None
    outcome = read_outcome(attempt.outcome)
    if outcome is None:
        begin = read_begin(attempt.begin)
        lost = begin is not None and begin.job_id  # as `harness.launch.attempt.settle_killed`
        return None if lost else RunState(State.FAILED, KILLED, Cause.KILLED)
    cause = FAILURES.get(outcome.ended)
    return RunState(State.FAILED, outcome.error, cause) if cause else None
