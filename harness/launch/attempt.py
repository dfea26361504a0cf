"""One attempt at a run: its folder, where its output goes, and the word on how it ended."""

import errno
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.files import TEMPORARY, disk_full, private_folder, reserved_for, write_text
from harness.launch.error_class import class_of
from harness.launch.signals import signals_end_in_order
from harness.paths import AttemptPaths, RunPaths
from harness.records import (
    KILLED,
    LOST,
    Begin,
    End,
    Outcome,
    read_begin,
    read_outcome,
    reserve_outcome,
    write_begin,
    write_outcome,
    write_outcome_beside,
)
from harness.stop import PeerLost


@dataclass(frozen=True)
class JobName:
    """The Slurm job that makes an attempt.

    Attributes:
        sid: of its submission.
        job_id: as Slurm's commands take it, "123_4".
        restart: how often Slurm had put it back into its queue.
    """

    sid: str
    job_id: str
    restart: int


class Stopwatch:
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


def new_attempt(paths: RunPaths, job: JobName | None = None) -> AttemptPaths:
    """The folder of the next attempt, made by this call and no other, with room for its outcome.

    Args:
        paths: of the run.
        job: the Slurm job that makes it, where one does.

    Raises:
        HarnessError: the disk is full; there is no attempt then.
    """
    private_folder(paths.attempts)
    number = max(paths.attempt_numbers(), default=0)
    while True:
        number += 1
        try:
            paths.attempt(number).folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        attempt = paths.attempt(number)
        try:
            reserve_outcome(attempt.outcome)
            write_begin(attempt.begin, _begin(paths, job))
        except BaseException:
            reserved_for(attempt.outcome).unlink(missing_ok=True)
            attempt.folder.rmdir()
            raise
        return attempt


def settle_killed(paths: RunPaths) -> None:
    """Write the outcome of attempts that ended without one.

    Only for the holder of the lease, before it trains.
    """
    for number in paths.attempt_numbers():
        attempt = paths.attempt(number)
        if attempt.outcome.exists():
            # Left where a process beside the one that took the room has written it.
            reserved_for(attempt.outcome).unlink(missing_ok=True)
            continue
        for path in attempt.folder.glob(f".*{TEMPORARY}"):
            path.unlink()
        begin = read_begin(attempt.begin)
        in_slurm = begin is not None and begin.job_id
        write_end(paths, attempt, *((End.LOST, LOST) if in_slurm else (End.KILLED, KILLED)))


def write_end(paths: RunPaths, attempt: AttemptPaths, ended: End, error: str) -> None:
    """Write the outcome of an attempt whose process is gone: it lasted until its last line."""
    begin = read_begin(attempt.begin)
    first = reserved_for(attempt.outcome)
    begun = (
        begin.started_at if begin else (first if first.exists() else attempt.folder).stat().st_mtime
    )
    logged = paths.metrics_log.stat().st_mtime if paths.metrics_log.exists() else 0.0
    seconds = max(0.0, logged - begun)
    outcome = Outcome(ended=ended, error=error, seconds=seconds, trained_s=seconds)
    write_outcome(attempt.outcome, outcome)


@contextmanager
def recorded(
    attempt: AttemptPaths,
    signals: Callable[[], AbstractContextManager[None]] = signals_end_in_order,
) -> Iterator[Stopwatch]:
    """Write the attempt's outcome when the block ends, however it ends, by signals too.

    Args:
        attempt: this process has made it.
        signals: what signals do in the block.
    """
    clock = Stopwatch()

    def ended(how: End, error: str = "") -> None:
        # A process beside this one that failed first knows the reason better.
        if how is End.DONE or read_outcome(attempt.outcome) is None:
            write_outcome(
                attempt.outcome,
                Outcome(ended=how, error=error, seconds=clock.seconds, trained_s=clock.trained_s),
            )

    with signals():
        try:
            yield clock
        except Exception as error:
            ended(class_of(error), one_line(error))
            raise
        except PeerLost as lost:
            ended(End.KILLED, str(lost))
            raise
        except BaseException:
            ended(End.INTERRUPTED)
            raise
        ended(End.DONE)


@contextmanager
def recorded_beside(attempt: AttemptPaths) -> Iterator[None]:
    """Write the attempt's outcome if the block fails before the process that has made it did."""
    try:
        yield
    except Exception as error:
        if read_outcome(attempt.outcome) is None:
            begin = read_begin(attempt.begin)
            seconds = max(0.0, time.time() - begin.started_at) if begin else 0.0
            outcome = Outcome(
                ended=class_of(error), error=one_line(error), seconds=seconds, trained_s=seconds
            )
            write_outcome_beside(attempt.outcome, outcome)
        raise


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
        Outcome(ended=End.FAILED, error=f"died at its start: {last}", seconds=0.0, trained_s=0.0),
    )


def one_line(error: Exception) -> str:
    """An error as a table shows it: a `HarnessError` speaks for itself."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = disk_full(Path(error.filename or ""))  # met in a print, or by a library
    first = str(error).strip().partition("\n")[0]
    if isinstance(error, HarnessError):
        return first
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def _begin(paths: RunPaths, job: JobName | None) -> Begin:
    name = job or JobName("", "", 0)
    return Begin(
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=time.time(),
        iteration=paths.newest_iteration(),
        sid=name.sid,
        job_id=name.job_id,
        restart=name.restart,
    )


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # what a full disk does not take must not hide why the run ended
            stream.flush()
