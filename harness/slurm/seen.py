"""What commands show of runs that may have been given to Slurm: states, failures, logs."""

from collections.abc import Iterator
from pathlib import Path

from harness.grid.grid import Grid
from harness.grid.spec import RunSpec
from harness.grid.state import RunState, State
from harness.launch import logs
from harness.launch.status import Look, Seen, SeenJob
from harness.paths import RunsFolder
from harness.slurm.look import look
from harness.slurm.submissions import submissions_of


def look_at(grid: Grid, runs: RunsFolder) -> Look:
    """A look at the files of all runs of `grid` and, where they were given to Slurm, at Slurm."""

    def seen() -> Seen:
        found = look(grid.runs, runs)
        jobs = {run_id: SeenJob(job.job_id, job.node) for run_id, job in found.jobs.items()}
        return Seen(found.states, found.asked, found.note, jobs)

    return seen


def failures_of(grid: Grid, runs: RunsFolder) -> tuple[list[logs.Failure], str]:
    """All failed runs of `grid`, by their files and by Slurm; and why Slurm has no part in it."""
    found = look(grid.runs, runs)
    printed = {run_id: runs.job_log(job.sid, job.job_id) for run_id, job in found.jobs.items()}
    failed = [run_id for run_id, now in found.states.items() if now.state is State.FAILED]
    given = submissions_of(runs, failed)  # oldest first: the newest of each run remains
    mem_gb = {run_id: one.mem_gb for one in given for run_id in one.run_ids}
    return logs.failures(grid, runs, found.states, printed, mem_gb), found.note


def log_of(spec: RunSpec, runs: RunsFolder, *, follow: bool) -> Iterator[str]:
    """What the newest attempt at a run printed; followed, also what is to come.

    Raises:
        LaunchError: nothing was printed, or to a terminal.
    """

    def now() -> tuple[RunState, Path | None]:
        found = look({spec.run_id: spec}, runs)
        job = found.jobs.get(spec.run_id)
        return found.states[spec.run_id], runs.job_log(job.sid, job.job_id) if job else None

    paths = runs.run(spec.run_id)
    if not follow:
        return logs.printed(paths, *now())
    on_slurm = bool(submissions_of(runs, (spec.run_id,)))
    return logs.follow(
        paths, ask=(lambda: now()[0]) if on_slurm else None, job_log=lambda: now()[1]
    )
