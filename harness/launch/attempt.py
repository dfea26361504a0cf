"""One attempt at a run: its folder, where its output goes, and the word on how it ended."""

import errno
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError
from harness.launch.signals import signals_end_in_order
from harness.paths import AttemptPaths, RunPaths, disk_full, reserved_for, write_text
from harness.records import KILLED, Outcome, reserve_outcome, write_outcome


class Clock:
    """Seconds of an attempt, and how many of them went into training."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self.trained_s = 0.0

    @property
    def seconds(self) -> float:
        """Since the attempt began."""
        return time.monotonic() - self._begun

    @contextmanager
    def training(self) -> Iterator[None]:
        """Count the block as training, however it ends."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.trained_s += time.monotonic() - begun


def new_attempt(paths: RunPaths) -> AttemptPaths:
    """The folder of the next attempt, made by this call and no other, with room for its outcome.

    Raises:
        HarnessError: the disk is full; there is no attempt then.
    """
    number = max(paths.attempt_numbers(), default=0)
    while True:
        number += 1
        try:
            paths.attempt(number).folder.mkdir(parents=True)
        except FileExistsError:
            continue
        attempt = paths.attempt(number)
        try:
            reserve_outcome(attempt.outcome)
        except BaseException:
            attempt.folder.rmdir()
            raise
        return attempt


def settle_killed(paths: RunPaths) -> None:
    """Write the outcome of attempts that were killed: their time is in no file but by its dates.

    Only for the holder of the lease, before it trains.
    """
    for number in paths.attempt_numbers():
        outcome = paths.attempt(number).outcome
        begun = reserved_for(outcome)  # where it is left, nothing was written into it
        if begun.exists():
            logged_s = paths.metrics_log.stat().st_mtime if paths.metrics_log.exists() else 0.0
            seconds = max(0.0, logged_s - begun.stat().st_mtime)
            write_outcome(
                outcome, Outcome(ended="killed", error=KILLED, seconds=seconds, trained_s=seconds)
            )


@contextmanager
def recorded(attempt: AttemptPaths) -> Iterator[Clock]:
    """Write the attempt's outcome when the block ends, however it ends, by signals too."""
    clock = Clock()

    def ended(how: str, error: str = "") -> None:
        write_outcome(
            attempt.outcome,
            Outcome(ended=how, error=error, seconds=clock.seconds, trained_s=clock.trained_s),
        )

    with signals_end_in_order():
        try:
            yield clock
        except Exception as error:
            ended("failed", one_line(error))
            raise
        except BaseException:
            ended("interrupted")
            raise
        ended("done")


@contextmanager
def output_into_files(attempt: AttemptPaths) -> Iterator[None]:
    """Send what this process prints into the attempt's files, C libraries' output included."""
    with (
        attempt.stdout.open("ab", buffering=0) as out,
        attempt.stderr.open("ab", buffering=0) as err,
        ExitStack() as restore,
    ):
        for descriptor, file in ((1, out), (2, err)):
            before = os.dup(descriptor)
            restore.callback(os.close, before)
            restore.callback(os.dup2, before, descriptor)
            restore.callback(_flush)
            _flush()
            os.dup2(file.fileno(), descriptor)
        try:
            yield
        except Exception as error:
            with suppress(OSError):  # a full disk: then the outcome alone says why
                if isinstance(error, HarnessError):
                    print(f"{type(error).__name__}: {error}", file=sys.stderr)
                else:
                    traceback.print_exc()
            raise


def record_lost_attempt(paths: RunPaths, printed: Path) -> None:
    """Leave an attempt for a job that died before it could, so that its reason is on record.

    Args:
        paths: of the run.
        printed: the scheduler's file of what the job wrote to stderr.
    """
    text = printed.read_text(errors="replace") if printed.exists() else ""
    attempt = new_attempt(paths)
    write_text(attempt.stderr, text)
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "no output")
    write_outcome(
        attempt.outcome,
        Outcome(ended="failed", error=f"died at its start: {last}", seconds=0.0, trained_s=0.0),
    )


def one_line(error: Exception) -> str:
    """An error as a table shows it: a `HarnessError` speaks for itself."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = disk_full(Path(error.filename or ""))  # met in a print, or by a library
    first = str(error).strip().partition("\n")[0]
    if isinstance(error, HarnessError):
        return first
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # what a full disk does not take must not hide why the run ended
            stream.flush()
