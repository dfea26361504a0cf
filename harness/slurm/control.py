"""Trying runs again and cancelling their jobs: first what would be done, then doing it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from harness.grid.grid import Grid
from harness.grid.names import matching
from harness.grid.spec import base_of
from harness.grid.state import Cause, RunState, State
from harness.lease import lease
from harness.paths import RunsFolder
from harness.slurm.causes import goes_on
from harness.slurm.commands import SlurmError, call
from harness.slurm.jobs import Job
from harness.slurm.look import BY_FILES, Look, look
from harness.slurm.submissions import open_submissions, submissions_of
from harness.slurm.waiting import WAIT_S, forget_waiting

SCANCEL_TIMEOUT_S = 300.0
GONE_ALREADY = ("already completing or completed", "Invalid job id")


@dataclass(frozen=True)
class RetryPlan:
    """What `retry` would do.

    Attributes:
        again: runs to be submitted, each base before its fine-tunes.
        states: of those, and of those left.
        left: runs that match and need nothing: done, running or queued; or that no retry helps.
        note: why Slurm has no part in it; "" where it answered or was not needed.
    """

    again: tuple[str, ...]
    states: Mapping[str, RunState]
    left: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class CancelPlan:
    """What `cancel` would do.

    Attributes:
        jobs: by run id, the live ones of runs that match and of those in `with_them`.
        with_them: runs that do not match and wait for a base that does: their jobs go too. Slurm
            would start them: to it, a job cancelled before its start is no longer waited for.
        waiting: runs that match and wait for room in Slurm's queue: jobs that end give them to it.
        states: of the runs in `jobs` and in `waiting`.
        left: runs that match and have nothing to end.
    """

    jobs: Mapping[str, Job]
    with_them: tuple[str, ...]
    waiting: tuple[str, ...]
    states: Mapping[str, RunState]
    left: tuple[str, ...]


def retry_plan(grid: Grid, runs: RunsFolder, patterns: Iterable[str]) -> RetryPlan:
    """The runs that `retry` submits: those that match, were tried, and do not go on by themselves.

    A base brings along its fine-tunes that were submitted, and a fine-tune the base that it needs.

    Raises:
        SpecError: a pattern matches no run.
    """
    specs = grid.runs
    named = matching(grid, patterns)
    seen = look(specs, runs)
    given = {run_id for one in submissions_of(runs, specs) for run_id in one.run_ids}
    tried = given | {run_id for run_id, now in seen.states.items() if now.state is State.FAILED}
    again = {run_id for run_id in named if run_id in tried and _can_go_again(seen.states[run_id])}
    bases = {run_id: base.run_id for run_id, spec in specs.items() if (base := base_of(spec))}
    for run_id, base_id in bases.items():
        if run_id in again and _can_go_again(seen.states[base_id]):
            again.add(base_id)
    for run_id, base_id in bases.items():
        # One that still waits does so for a job that is gone: Slurm would start it.
        waits = seen.states[run_id].state is State.QUEUED
        goes_again = waits or _can_go_again(seen.states[run_id])
        # Of a base that was submitted only those that were, too; the others nobody has asked for.
        asked_for = run_id in given or base_id not in given
        if base_id in again and asked_for and goes_again:
            again.add(run_id)
    return RetryPlan(
        again=tuple(run_id for run_id in specs if run_id in again),
        states={run_id: seen.states[run_id] for run_id in specs if run_id in {*again, *named}},
        left=tuple(run_id for run_id in named if run_id not in again),
        note=seen.note,
    )


def cancel_plan(grid: Grid, runs: RunsFolder, patterns: Iterable[str]) -> CancelPlan:
    """What `cancel` ends of the runs that match: live jobs, and waiting to become one.

    Raises:
        SpecError: a pattern matches no run.
        SlurmError: Slurm does not answer, so nobody knows which jobs there are.
    """
    specs = grid.runs
    named = matching(grid, patterns)
    seen = look(specs, runs)
    if seen.note:
        raise SlurmError(f"Nothing was cancelled: {seen.note.removeprefix(BY_FILES)}")
    meant = {run_id for run_id in named if _is_live(seen, run_id)}
    with_them = tuple(
        run_id
        for run_id, spec in specs.items()
        if (base := base_of(spec))
        and base.run_id in meant
        and run_id not in meant
        and _is_live(seen, run_id)
        and seen.states[run_id].state is not State.RUNNING
    )
    # Those that wait go first, so that none starts when its base goes.
    order = [run_id for run_id in reversed(tuple(specs)) if run_id in {*meant, *with_them}]
    waiting = tuple(run_id for run_id in named if run_id in seen.waiting)
    return CancelPlan(
        jobs={run_id: seen.jobs[run_id] for run_id in order},
        with_them=with_them,
        waiting=waiting,
        states={run_id: seen.states[run_id] for run_id in specs if run_id in {*order, *waiting}},
        left=tuple(run_id for run_id in named if run_id not in {*meant, *waiting}),
    )


def cancel(jobs: Iterable[Job]) -> None:
    """End `jobs`, with one call. That some have ended meanwhile is no error.

    Raises:
        SlurmError: Slurm does not answer, or refuses.
    """
    ids = list(dict.fromkeys(job.job_id for job in jobs))
    if not ids:
        return
    reply = call(["scancel", *ids], SCANCEL_TIMEOUT_S)
    if reply.code == 0:
        return
    errors = [line for line in reply.err.splitlines() if "error:" in line]
    left = [line for line in errors if not any(gone in line for gone in GONE_ALREADY)]
    if left or not errors or reply.code is None:
        said = "; ".join(line.partition("error: ")[2] for line in left) or reply.in_one_line
        raise SlurmError(
            f"scancel failed: {said:.300}. Jobs that it does not name may have been cancelled: "
            "`harness status` tells. When the cause is mended, give the same command again."
        )


def stop_waiting(runs: RunsFolder, run_ids: Collection[str]) -> tuple[str, ...]:
    """Let no job that ends give `run_ids` to Slurm; those that one has given to it meanwhile.

    Raises:
        LaunchError: another launcher is at it for long.
    """
    if not run_ids:
        return ()
    with lease(runs.submit_lock, f"A submission into {runs.folder}", WAIT_S):
        submissions = open_submissions(runs)
        still = {one.run_ids[index] for one in submissions for index in one.waiting}
        forget_waiting(runs, run_ids, "cancelled")
    return tuple(run_id for run_id in run_ids if run_id not in still)


def _can_go_again(now: RunState) -> bool:
    return not goes_on(now) and (now.state is not State.BLOCKED or now.cause is Cause.BASE)


def _is_live(seen: Look, run_id: str) -> bool:
    # One that is done has a job for a moment more.
    done = seen.states[run_id].state is State.DONE
    return run_id in seen.jobs and seen.jobs[run_id].live and not done
