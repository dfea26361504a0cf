"""What runs printed: following a run's output, and the last words of those that failed."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LaunchError
from harness.files import tail
from harness.grid.grid import Grid
from harness.grid.next_command import command, submit_here
from harness.grid.spec import RunSpec
from harness.grid.state import Cause, RunState, State
from harness.launch.schedule import States
from harness.lease import live_holder
from harness.paths import AttemptPaths, RunPaths, RunsFolder
from harness.records import End, read_begin, read_outcome

POLL_S = 0.5
ASK_EVERY_S = 10.0  # Slurm is asked no more often than this

Wait = Callable[[float], None]
GOES_ON = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Failure:
    """A failed run, its reason in a line, and the end of what it printed.

    Attributes:
        log: the file that `last_lines` are from; None where the attempt printed to a terminal.
        again: the command that tries it again; "" where none helps before something is mended.
    """

    run_id: str
    name: str
    reason: str
    cause: Cause
    last_lines: tuple[str, ...]
    log: Path | None
    again: str


def failures(
    grid: Grid,
    runs: RunsFolder,
    states: States,
    job_logs: Mapping[str, Path],
    mem_gb: Mapping[str, float | None],
    lines: int = 15,
) -> list[Failure]:
    """All failed runs of `grid`, each with the last lines that tell most.

    Args:
        grid: the runs.
        runs: their folders.
        states: by run id.
        job_logs: for each run that Slurm was given, the file of what its newest job wrote to stderr
            before, and after, it was ours.
        mem_gb: for each run that Slurm was given, what it asked for; None for the default.
        lines: how many of each.
    """
    failed = []
    run_ids = [run_id for run_id, now in states.items() if now.state is State.FAILED]
    # One command for the failures of all seeds.
    seeds = max(map(grid.seeds_to_ask_for, run_ids), default=1)
    for run_id in run_ids:
        now = states[run_id]
        spec, paths, job_log = grid.runs[run_id], runs.run(run_id), job_logs.get(run_id)
        log = _telling_log(paths, job_log)
        last = tuple(_end_of(log)[-lines:]) if log else ()
        on_slurm = job_log is not None or _slurm_id(paths.last_attempt()) != ""
        if on_slurm:
            again = _retry(spec, runs, now, mem_gb.get(run_id))
        else:
            again = submit_here(spec, runs.folder, seeds, grid.to_be_named(run_id))
        name = grid.name_of(run_id)
        failed.append(Failure(run_id, name, now.reason, now.cause, last, log, again))
    return failed


def printed(
    paths: RunPaths, now: RunState | None = None, job_log: Path | None = None
) -> Iterator[str]:
    """What the newest attempt has printed so far: its stdout, then its stderr.

    Where there is no attempt, what Slurm's job printed before it came to one.

    Args:
        paths: of the run.
        now: its state, where Slurm was asked.
        job_log: what its newest job wrote to stderr.

    Raises:
        LaunchError: nothing was printed, or to a terminal.
    """
    if paths.last_attempt() is None and job_log is not None and _size(job_log):
        yield f"No attempt has begun. Its job printed, into {job_log}:\n"
        yield _text(job_log)
        return
    attempt = _logged_attempt(paths, now)
    yield from (_text(path) for path in (attempt.stdout, attempt.stderr))


def follow(
    paths: RunPaths,
    wait: Wait = time.sleep,
    ask: Callable[[], RunState] | None = None,
    job_log: Callable[[], Path | None] = lambda: None,
) -> Iterator[str]:
    """What the newest attempt prints, as it comes, until the attempt has ended.

    On Slurm also what the attempts after it print, until the run neither waits nor runs.

    Args:
        paths: of the run.
        wait: called with seconds between two looks.
        ask: the state of the run, by Slurm too; None where it was not given to Slurm.
        job_log: what its newest job wrote to stderr; told where that ends before its first attempt.

    Raises:
        LaunchError: there is no attempt and none is to come, or it printed to a terminal.
    """
    if paths.last_attempt() is None and ask is not None:
        yield from _until_next(paths, None, wait, ask)
        if paths.last_attempt() is None:
            yield from printed(paths, ask(), job_log())
            return
    attempt = _logged_attempt(paths)
    while True:
        yield from _follow_attempt(paths, attempt, wait)
        if ask is None:
            return
        yield from _until_next(paths, attempt, wait, ask)
        if not _has_begun(paths, attempt):
            return
        attempt = _logged_attempt(paths)


def _follow_attempt(paths: RunPaths, attempt: AttemptPaths, wait: Wait) -> Iterator[str]:
    with (
        attempt.stdout.open(errors="replace") as out,
        attempt.stderr.open(errors="replace") as err,
    ):
        while True:
            ended = _has_ended(paths, attempt)  # asked first: what it printed last is read below
            for file in (out, err):
                if text := file.read():
                    yield text
            if ended:
                return
            wait(POLL_S)


def _until_next(
    paths: RunPaths, attempt: AttemptPaths | None, wait: Wait, ask: Callable[[], RunState]
) -> Iterator[str]:
    """Wait for the attempt after `attempt`, and tell for what; ends too when none is to come."""
    told = ""
    while not _has_begun(paths, attempt):
        now = ask()
        if now.state not in GOES_ON:
            return
        line = _waiting(paths, attempt, now)
        if line != told:
            yield line
            told = line
        wait(ASK_EVERY_S)


def _has_begun(paths: RunPaths, before: AttemptPaths | None) -> bool:
    newest = paths.last_attempt()
    # Its files come a moment after its folder.
    return newest is not None and newest != before and newest.stderr.exists()


def _waiting(paths: RunPaths, attempt: AttemptPaths | None, now: RunState) -> str:
    why = f": {now.reason}" if now.reason else ""
    if attempt is None:
        return f"Run {paths.folder.name} is {now.state}{why}. It has printed nothing yet.\n"
    return f"Attempt {attempt.folder.name} has ended; the run is {now.state} again{why}.\n"


def _logged_attempt(paths: RunPaths, now: RunState | None = None) -> AttemptPaths:
    attempt = paths.last_attempt()
    run_id = paths.folder.name
    if attempt is None and now is not None and now.state is not State.TO_DO:
        why = f" ({now.reason})" if now.reason else ""
        raise LaunchError(f"Run {run_id} is {now.state}{why}. It has printed nothing yet.")
    if attempt is None:
        raise LaunchError(f"Run {run_id} was never started, so it has printed nothing.")
    if not attempt.stdout.exists() or not attempt.stderr.exists():
        raise LaunchError(
            f"The newest attempt at run {run_id} printed to a terminal, not to {attempt.folder}."
        )
    return attempt


def _telling_log(paths: RunPaths, job_log: Path | None) -> Path | None:
    attempt = paths.last_attempt()
    job = [job_log] if job_log else []
    if attempt is None:
        return next(filter(_size, job), None)
    # A later job that came to no attempt has the last word, else the attempt itself.
    sid = _slurm_id(attempt)
    later = job_log is not None and sid != "" and sid not in job_log.parts
    files = [*job, attempt.stderr] if later else [attempt.stderr, *job]
    return next(filter(_size, [*files, attempt.stdout]), None)


def _slurm_id(attempt: AttemptPaths | None) -> str:
    """Of the submission whose job the attempt was; "" outside Slurm."""
    begin = read_begin(attempt.begin) if attempt else None
    return begin.sid if begin else ""


def _retry(spec: RunSpec, runs: RunsFolder, now: RunState, mem_gb: float | None) -> str:
    more = ""
    if now.cause is Cause.OUT_OF_MEMORY:  # with the same memory it would end in the same way
        attempt = runs.run(spec.run_id).last_attempt()
        outcome = read_outcome(attempt.outcome) if attempt else None
        if outcome and outcome.ended is End.OUT_OF_GPU_MEMORY:
            return ""
        more = f" --mem-gb {2 * mem_gb:g}" if mem_gb else " --mem-gb GB"
    return command(f"retry {spec.run_id}{more}", spec, runs.folder)


def _has_ended(paths: RunPaths, attempt: AttemptPaths) -> bool:
    return (
        read_outcome(attempt.outcome) is not None
        or live_holder(paths.lease) is None
        or paths.last_attempt() != attempt
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def _end_of(path: Path) -> list[str]:
    return tail(path).decode(errors="replace").splitlines()
