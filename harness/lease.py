"""A lease on a run folder: two attempts at one run never write together.

The file is created exclusively and touched while its holder lives. It may be taken over when the
holder is seen to be dead (same host) or has not touched it for long (another host).
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LaunchError

HEARTBEAT_S = 20.0
STALE_AFTER_S = 180.0


@dataclass(frozen=True)
class Holder:
    """Who holds a lease: a process, told from a later one of the same number by its start."""

    host: str
    pid: int
    started: str


@contextmanager
def lease(path: Path, what: str) -> Iterator[None]:
    """Hold the lease file `path` in the block.

    Args:
        path: the lease file, in the run's folder.
        what: the run's name for the message.

    Raises:
        LaunchError: another live process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    me = Holder(socket.gethostname(), os.getpid(), _started(os.getpid()))
    _take(path, me, what)
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        path.unlink(missing_ok=True)


def live_holder(path: Path) -> Holder | None:
    """Who holds the lease now; None where nobody does, or the holder is dead."""
    try:
        holder = Holder(**json.loads(path.read_text()))
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        # Being written at this moment, or cut short by a full disk long ago.
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime < STALE_AFTER_S:
                return Holder("unknown", 0, "")
        return None
    if holder.host == socket.gethostname():
        return holder if _started(holder.pid) == holder.started else None
    return holder if age < STALE_AFTER_S else None


def _take(path: Path, me: Holder, what: str) -> None:
    for _ in range(10):
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(me.__dict__, file)
            return
        holder = live_holder(path)
        if holder is not None:
            raise LaunchError(
                f"{what} is being trained already, by process {holder.pid} on {holder.host} "
                f"({path}). Wait for it, or end that process first."
            )
        _put_aside(path, me)
    raise LaunchError(f"The lease {path} is taken again and again by others. Try once more.")


def _put_aside(path: Path, me: Holder) -> None:
    # Of two that see the same dead holder one may rename the other's new lease: then it goes back.
    aside = path.with_name(f"{path.name}.dead.{me.host}.{me.pid}")
    with suppress(FileNotFoundError):
        os.rename(path, aside)
        if live_holder(aside) is not None:
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_S):
        with suppress(FileNotFoundError):
            os.utime(path)


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of process `pid`; "" where there is none."""
    try:
        # Field 22; the second field, a name in brackets, may itself hold spaces. A zombie is dead.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
