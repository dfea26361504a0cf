"""What `harness status` tells of each run: its state, how far it is, and what it has cost."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.errors import ResultsError
from harness.grid.benchmarks import Benchmark, read_benchmarks
from harness.grid.cost import gpu_hours
from harness.grid.grid import Grid
from harness.grid.spec import RunSpec
from harness.grid.state import Cause, State
from harness.launch.progress import effort, progress
from harness.launch.schedule import States
from harness.paths import RunPaths, RunsFolder
from harness.records import read_metrics


@dataclass(frozen=True)
class SeenJob:
    """The Slurm job of a run: as Slurm's commands take it, "123_4", and the node it has."""

    job_id: str
    node: str


@dataclass(frozen=True)
class Seen:
    """The states of all runs at one look.

    Attributes:
        states: by run id, each base before its fine-tunes.
        asked: whether Slurm was asked, which is not to be done too often.
        jobs: by run id, of those that have one or had one lately.
        note: what a person must know to trust them, as "Slurm does not answer"; "" for nothing.
    """

    states: States
    asked: bool
    note: str = ""
    jobs: Mapping[str, SeenJob] = field(default_factory=dict)


Look = Callable[[], Seen]


@dataclass(frozen=True)
class RunStatus:
    """One line of `harness status`.

    Attributes:
        run_id, name, stage: of the run.
        state, reason, cause: as in `RunState`.
        iteration, last_iteration: done, and done when it is trained; counted from the base's first.
        loss: the newest logged; None where nothing is.
        ap: its mask AP in percent points; None until it is scored, and for a base.
        attempts: how many it has had.
        gpu_hours, gpu_hours_planned: used by all attempts, and by the plan.
        left_s: seconds of training left; None where it does not run, or has logged nothing yet.
        job: of Slurm, that it has or had lately, as "123_4"; "" where it has none.
        node: Slurm's, or the host, on which it runs; "" where it does not.
        cells: the names of all cells that show it; none for a base.
    """

    run_id: str
    name: str
    stage: str
    state: State
    reason: str
    cause: Cause
    iteration: int
    last_iteration: int
    loss: float | None
    ap: float | None
    attempts: int
    gpu_hours: float
    gpu_hours_planned: float
    left_s: float | None
    job: str
    node: str
    cells: tuple[str, ...]


def run_statuses(
    grid: Grid, runs: RunsFolder, seen: Seen, now_s: float | None = None
) -> tuple[RunStatus, ...]:
    """A line for every run that was looked at, in their order.

    Args:
        grid: the runs.
        runs: their folders.
        seen: their states and jobs.
        now_s: seconds since 1970; the time of the call by default.
    """
    now_s = time.time() if now_s is None else now_s
    benchmarks = _benchmarks(runs)
    return tuple(_status(grid, run_id, runs, seen, now_s, benchmarks) for run_id in seen.states)


def statuses_json(grid: Grid, runs: RunsFolder, seen: Seen) -> list[dict[str, Any]]:
    """What `harness status --json` prints: a `RunStatus` for each run.

    Args:
        grid: the runs.
        runs: their folders.
        seen: their states and jobs.
    """
    return [asdict(status) for status in run_statuses(grid, runs, seen)]


def _benchmarks(runs: RunsFolder) -> tuple[Benchmark, ...]:
    try:
        return read_benchmarks(runs)
    except ResultsError:  # `harness plan` tells it; a launch that is watched must not end by it
        return ()


def _status(
    grid: Grid,
    run_id: str,
    runs: RunsFolder,
    seen: Seen,
    now_s: float,
    benchmarks: tuple[Benchmark, ...],
) -> RunStatus:
    spec, paths = grid.runs[run_id], runs.run(run_id)
    now, job = seen.states[run_id], seen.jobs.get(run_id)
    running = now.state is State.RUNNING
    done = progress(spec, paths)
    taken = effort(spec, paths, done, running=running, now_s=now_s)
    return RunStatus(
        run_id=spec.run_id,
        name=grid.name_of(run_id),
        stage=spec.stage,
        state=now.state,
        reason=now.reason,
        cause=now.cause,
        iteration=done.iteration,
        last_iteration=spec.last_iteration,
        loss=done.loss,
        ap=_ap(spec, paths) if now.state is State.DONE else None,
        attempts=taken.attempts,
        gpu_hours=taken.gpu_hours,
        gpu_hours_planned=gpu_hours(spec, benchmarks),
        left_s=taken.left_s,
        job=job.job_id if job else "",
        node=job.node if job and running else taken.node,
        cells=grid.cell_names.get(run_id, ()),
    )


def _ap(spec: RunSpec, paths: RunPaths) -> float | None:
    if spec.stage == "base":
        return None
    try:
        return read_metrics(paths.metrics, spec.run_id).ap.get("segm", {}).get("AP")
    except ResultsError:
        return None
