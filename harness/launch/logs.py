"""What runs printed: following a run's output, and the last words of those that failed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LaunchError
from harness.grid.again import command
from harness.grid.grid import Grid
from harness.grid.state import State, run_state
from harness.lease import live_holder
from harness.paths import AttemptPaths, RunPaths, RunsFolder
from harness.records import read_outcome

POLL_S = 0.5


@dataclass(frozen=True)
class Failure:
    """A failed run, its reason in a line, and the end of what it printed.

    Attributes:
        log: the file that `last_lines` are from; None where the attempt printed to a terminal.
        again: the command that tries it again.
    """

    run_id: str
    name: str
    reason: str
    last_lines: tuple[str, ...]
    log: Path | None
    again: str


def failures(grid: Grid, runs: RunsFolder, lines: int = 15) -> list[Failure]:
    """All failed runs of `grid`, each with the last `lines` lines of its newest attempt."""
    failed = []
    for run_id, spec in grid.runs.items():
        now = run_state(spec, runs)
        attempt = runs.run(run_id).last_attempt()
        if now.state is State.FAILED and attempt:
            log = next((path for path in (attempt.stderr, attempt.stdout) if _size(path)), None)
            last = tuple(_text(log).splitlines()[-lines:]) if log else ()
            again = command("submit --site local", spec, runs.folder)
            failed.append(Failure(run_id, grid.name_of(run_id), now.reason, last, log, again))
    return failed


def printed(paths: RunPaths) -> Iterator[str]:
    """What the newest attempt has printed so far: its stdout, then its stderr.

    Raises:
        LaunchError: there is no attempt, or it printed to a terminal.
    """
    attempt = _logged_attempt(paths)
    yield from (_text(path) for path in (attempt.stdout, attempt.stderr))


def follow(paths: RunPaths, wait: Callable[[], None] = lambda: time.sleep(POLL_S)) -> Iterator[str]:
    """What the newest attempt prints, as it comes, until the attempt has ended.

    Args:
        paths: of the run.
        wait: called between two looks at the files.

    Raises:
        LaunchError: there is no attempt, or it printed to a terminal.
    """
    attempt = _logged_attempt(paths)
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
            wait()


def _logged_attempt(paths: RunPaths) -> AttemptPaths:
    attempt = paths.last_attempt()
    run_id = paths.folder.name
    if attempt is None:
        raise LaunchError(f"Run {run_id} was never started, so it has printed nothing.")
    if not attempt.stdout.exists() or not attempt.stderr.exists():
        raise LaunchError(
            f"The newest attempt at run {run_id} printed to a terminal, not to {attempt.folder}."
        )
    return attempt


def _has_ended(paths: RunPaths, attempt: AttemptPaths) -> bool:
    return read_outcome(attempt.outcome) is not None or live_holder(paths.lease) is None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
