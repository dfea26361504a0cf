"""A lease on a folder: two attempts at one run, or two launchers, never write together.

The file is created exclusively and touched while its holder lives. It may be taken over when the
holder is seen to be dead (same host) or has not touched it for long (another host). A holder that
slept so long that its lease was taken over is ended by its own heartbeat.
"""

import errno
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import LaunchError
from harness.files import disk_full, private_folder

HEARTBEAT_S = 20.0
STALE_AFTER_S = 180.0
POLL_S = 1.0  # between two looks at a lease that is waited for

# What a process that has lost its lease gets. Not SIGTERM: in a Slurm job that asks for a
# checkpoint first, and this process may write nothing any more.
LEASE_LOST = signal.SIGUSR1


@dataclass(frozen=True)
class Holder:
    """Who holds a lease: a process, told from a later one of the same number by its start.

    Attributes:
        token: random, so that a holder knows its own lease from any other.
    """

    host: str
    pid: int
    started: str
    token: str = ""


UNKNOWN = Holder("unknown", 0, "")


@contextmanager
def lease(path: Path, what: str, wait_s: float = 0.0) -> Iterator[Callable[[], None]]:
    """Hold the lease file `path` in the block, which gets a function to make sure of it.

    That raises a LaunchError if the lease was lost: to a process that was stopped for long, its own
    heartbeat says so only later.

    If it is lost meanwhile, this process gets `LEASE_LOST`: an attempt then ends as interrupted,
    and any other process dies of it.

    Args:
        path: the lease file.
        what: is leased, as a message names it.
        wait_s: how long to wait for another holder to end, or to be known as dead.

    Raises:
        LaunchError: another live process holds it, and still does after `wait_s`.
        HarnessError: the disk is full.
    """
    private_folder(path.parent)
    me = Holder(socket.gethostname(), os.getpid(), _started(os.getpid()), secrets.token_hex(8))
    _take(path, me, what, wait_s)
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(path, me, what, ended), daemon=True)
    heart.start()

    def make_sure() -> None:
        if not path.exists() or _holder_in(path) != me:
            raise LaunchError(
                f"{what}: its lease was lost while this process was stopped. Give the same command "
                "again."
            )

    try:
        yield make_sure
    finally:
        ended.set()
        heart.join()
        with suppress(OSError):  # left behind it is a dead holder's
            if _holder_in(path) == me:
                path.unlink()


def live_holder(path: Path, now_s: float | None = None) -> Holder | None:
    """Who holds the lease now; None where nobody does, or the holder is dead.

    Args:
        path: the lease file.
        now_s: seconds since 1970 by the clock that stamps this file; that of this host by default.
    """
    try:
        try:
            holder = _holder_in(path)
        except PermissionError:
            holder = UNKNOWN
        if holder.host == socket.gethostname():
            return holder if _started(holder.pid) == holder.started else None
        now_s = time.time() if now_s is None else now_s
        return holder if now_s - path.stat().st_mtime < STALE_AFTER_S else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _holder_in(path: Path) -> Holder:
    try:
        return Holder(**json.loads(path.read_text()))
    except (ValueError, TypeError, RecursionError):
        return UNKNOWN  # being written at this moment, or cut short by a full disk long ago


def _take(path: Path, me: Holder, what: str, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    told = False
    while (holder := _taken_by(path, me)) != me:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise LaunchError(
                f"{what} is under way already, by process {holder.pid} on {holder.host} "
                f"({path}). Wait for it, or end that process first."
            )
        if not told:
            print(
                f"{what} is held by process {holder.pid} on {holder.host}: waiting up to "
                f"{wait_s:.0f} s for it to end.",
                file=sys.stderr,
                flush=True,
            )
            told = True
        time.sleep(min(POLL_S, left_s))


def _taken_by(path: Path, me: Holder) -> Holder:
    """Who holds the lease after an attempt to take it: `me`, or another that lives."""
    holder = UNKNOWN
    for _ in range(10):
        if _create(path, me):
            return me
        with suppress(FileNotFoundError):
            holder = _holder_in(path)
            if holder.host == me.host and live_holder(path) is not None:
                return holder
        if _take_over(path, me):
            return me
        if holder.host != me.host:
            return holder
        time.sleep(0.05)
    return holder


def _create(path: Path, me: Holder) -> bool:
    """Whether the file is made by this call; it is another's where it stood there before."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(me), file)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
    return True


def _take_over(path: Path, me: Holder) -> bool:
    # One at a time, and each looks again: of two that saw the same dead holder the slower one would
    # else push aside the lease that the faster one has taken.
    turn = path.with_name(f"{path.name}.takeover")
    if not _create(turn, me):
        if live_holder(turn) is None:
            turn.unlink(missing_ok=True)
        return False
    with suppress(FileNotFoundError):
        # Both files have their times from one clock, which need not be that of this host.
        if path.exists() and live_holder(path, turn.stat().st_mtime) is None:
            os.replace(turn, path)
            return True
        turn.unlink()
    return False


def _beat(path: Path, me: Holder, what: str, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_S):
        try:
            holder = _holder_in(path)
            if holder == me:
                os.utime(path)
                continue
            how = f"taken over by process {holder.pid} on {holder.host}"
        except FileNotFoundError:
            how = "removed"
        except OSError:  # a file system that is away for a while is no reason to end
            continue
        with suppress(OSError):
            print(
                f"{what}: its lease was {how}, so this process ends.", file=sys.stderr, flush=True
            )
        os.kill(os.getpid(), LEASE_LOST)
        return


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of process `pid`; "" where there is none."""
    try:
        # Field 22; the second field, a name in brackets, may itself hold spaces. A zombie is dead.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
