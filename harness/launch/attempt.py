"""One attempt at a run: its folder, where its output goes, and the word on how it ended."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from harness.errors import HarnessError
from harness.paths import AttemptPaths, RunPaths, write_text
from harness.records import Outcome, write_outcome


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
    """The folder of the next attempt, made by this call and no other."""
    number = max(paths.attempt_numbers(), default=0)
    while True:
        number += 1
        try:
            paths.attempt(number).folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return paths.attempt(number)


@contextmanager
def recorded(attempt: AttemptPaths) -> Iterator[Clock]:
    """Write the attempt's outcome when the block ends, however it ends, SIGTERM included."""
    clock = Clock()

    def ended(how: str, error: str = "") -> None:
        write_outcome(
            attempt.outcome,
            Outcome(ended=how, error=error, seconds=clock.seconds, trained_s=clock.trained_s),
        )

    with _sigterm_interrupts():
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
        except HarnessError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            raise
        except Exception:
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
    first = str(error).strip().partition("\n")[0]
    if isinstance(error, HarnessError):
        return first
    return f"{type(error).__name__}: {first}".removesuffix(": ")


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: the outcome is to be written
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
