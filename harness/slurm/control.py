"""Trying runs again and cancelling their jobs: first what would be done, then doing it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.errors import SpecError, unknown
from harness.grid.grid import Grid
from harness.grid.spec import NOT_BUILT, RunSpec, base_of
from harness.grid.state import Cause, RunState, State
from harness.paths import RunsFolder
from harness.slurm.causes import goes_on
from harness.slurm.commands import SlurmError, call
from harness.slurm.jobs import Job
from harness.slurm.look import Look, look

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
        states: of the runs in `jobs`.
        left: runs that match and have no live job.
        note: why Slurm has no part in it; "" where it answered or was not needed.
    """

    jobs: Mapping[str, Job]
    with_them: tuple[str, ...]
    states: Mapping[str, RunState]
    left: tuple[str, ...]
    note: str = ""


def matching(grid: Grid, patterns: Iterable[str]) -> tuple[str, ...]:
    """The runs meant by what a person types, in the order of the grid.

    Each of `patterns` is a name (`table1/k=2`, `base mask_rcnn_R50_FPN`), a run id or its
    beginning, an experiment (`table1`: its rows, and the bases that it shares with no other), or a
    shell pattern over all of these (`table1/k=*`).

    Raises:
        SpecError: one matches no run, or is the beginning of several ids.
    """
    specs = grid.runs
    names = _names(grid, specs)
    found = {run_id for pattern in patterns for run_id in _matching(grid, specs, names, pattern)}
    return tuple(run_id for run_id in specs if run_id in found)


def retry_plan(grid: Grid, runs: RunsFolder, patterns: Iterable[str]) -> RetryPlan:
    """The runs that `retry` submits: those that match and do not go on by themselves.

    A base brings along its fine-tunes that are not done, and a fine-tune the base that it needs.

    Raises:
        SpecError: a pattern matches no run.
    """
    specs = grid.runs
    named = matching(grid, patterns)
    seen = look(specs, runs)
    again = {run_id for run_id in named if _can_go_again(specs[run_id], seen.states[run_id])}
    bases = {run_id: base.run_id for run_id, spec in specs.items() if (base := base_of(spec))}
    for run_id, base_id in bases.items():
        if run_id in again and _can_go_again(specs[base_id], seen.states[base_id]):
            again.add(base_id)
    for run_id, base_id in bases.items():
        # One that still waits does so for a job that is gone: Slurm would start it.
        waits = seen.states[run_id].state is State.QUEUED
        if base_id in again and (waits or _can_go_again(specs[run_id], seen.states[run_id])):
            again.add(run_id)
    return RetryPlan(
        again=tuple(run_id for run_id in specs if run_id in again),
        states={run_id: seen.states[run_id] for run_id in specs if run_id in {*again, *named}},
        left=tuple(run_id for run_id in named if run_id not in again),
        note=seen.note,
    )


def cancel_plan(grid: Grid, runs: RunsFolder, patterns: Iterable[str]) -> CancelPlan:
    """The jobs that `cancel` ends: the live ones of the runs that match.

    Raises:
        SpecError: a pattern matches no run.
    """
    specs = grid.runs
    named = matching(grid, patterns)
    seen = look(specs, runs)
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
    return CancelPlan(
        jobs={run_id: seen.jobs[run_id] for run_id in order},
        with_them=with_them,
        states={run_id: seen.states[run_id] for run_id in order},
        left=tuple(run_id for run_id in named if run_id not in meant),
        note=seen.note,
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
        said = "; ".join(left) or reply.in_one_line
        raise SlurmError(
            f"scancel failed: {said:.300}. Jobs that it does not name may have been cancelled: "
            "`harness status` tells. When the cause is mended, give the same command again."
        )


def _can_go_again(spec: RunSpec, now: RunState) -> bool:
    if spec.architecture in NOT_BUILT or goes_on(now):
        return False
    return now.state is not State.BLOCKED or now.cause is Cause.BASE


def _is_live(seen: Look, run_id: str) -> bool:
    return run_id in seen.jobs and seen.jobs[run_id].live


def _names(grid: Grid, specs: Mapping[str, RunSpec]) -> dict[str, set[str]]:
    """The runs by every name that they have: a row's is one run's, a base's may be several's."""
    names: dict[str, set[str]] = {}
    for cell in grid.cells:
        names.setdefault(cell.name, set()).add(cell.spec.run_id)
    for run_id, spec in specs.items():
        if spec.stage == "base":
            names.setdefault(f"base {spec.architecture}", set()).add(run_id)
    return names


def _matching(
    grid: Grid, specs: Mapping[str, RunSpec], names: Mapping[str, set[str]], pattern: str
) -> set[str]:
    if pattern in names:
        return names[pattern]
    if pattern in grid.layouts:
        return _of_experiment(grid, specs, pattern)
    begun = {run_id for run_id in specs if pattern and run_id.startswith(pattern)}
    if len(begun) > 1:
        raise SpecError(f"{pattern!r} begins more than one run id: {', '.join(sorted(begun))}.")
    fitting = {one for name, ids in names.items() if fnmatchcase(name, pattern) for one in ids}
    fitting |= {run_id for run_id in specs if fnmatchcase(run_id, pattern)}
    for name in grid.layouts:
        if fnmatchcase(name, pattern):
            fitting |= _of_experiment(grid, specs, name)
    if not begun and not fitting:
        raise SpecError(unknown("run", pattern, (*names, *grid.layouts)))
    return begun | fitting


def _of_experiment(grid: Grid, specs: Mapping[str, RunSpec], name: str) -> set[str]:
    rows = {cell.spec.run_id for cell in grid.table(name)}
    bases = {run_id: base.run_id for run_id, spec in specs.items() if (base := base_of(spec))}
    shared = {base_id for run_id, base_id in bases.items() if run_id not in rows}
    return rows | {bases[run_id] for run_id in rows if bases.get(run_id)} - shared
