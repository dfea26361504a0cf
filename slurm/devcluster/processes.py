"""The processes of a cluster, told by what the kernel knows of them and not by pid files.

A pid file is gone when a daemon is killed, and its number may be somebody else's by then. Daemons
are started with a mark in their environment; jobs have the path of their cluster's slurm.conf in
theirs; slurmstepd and slurmscriptd write their title over it, but work in the cluster's folder.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

MARK = "DEVCLUSTER_DAEMON"


@dataclass(frozen=True)
class Process:
    """A process as it was when looked at.

    Attributes:
        pid: its number.
        parent: its parent's.
        name: the program, at most 15 letters.
        argv: its command line.
        environ: the environment that it was started with.
        cwd: the folder that it works in.
    """

    pid: int
    parent: int
    name: str
    argv: tuple[str, ...]
    environ: dict[str, str]
    cwd: Path


def look_at(pid: int) -> Process | None:
    """A process; None if it has ended, waits to be reaped or is another user's."""
    proc = Path("/proc") / str(pid)
    try:
        # "pid (name) state parent ...", and the name may hold anything.
        name, _, rest = (proc / "stat").read_text(errors="replace").rpartition(")")
        state, parent = rest.split()[:2]
        if state in "ZX":
            return None
        argv = os.fsdecode((proc / "cmdline").read_bytes()).rstrip("\0").split("\0")
        pairs = os.fsdecode((proc / "environ").read_bytes()).split("\0")
        environ = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        cwd = (proc / "cwd").readlink()
    except (OSError, ValueError):
        return None
    return Process(pid, int(parent), name.partition("(")[2], tuple(argv), environ, cwd)


def processes_of(folder: Path) -> list[Process]:
    """All processes of the cluster in `folder`: its daemons and what runs in its jobs."""

    def belongs(process: Process) -> bool:
        environ = process.environ
        return (
            environ.get(MARK) == str(folder)
            or ("SLURM_JOB_ID" in environ and environ.get("SLURM_CONF") == f"{folder}/slurm.conf")
            or (process.name.startswith("slurm") and process.cwd.is_relative_to(folder))
        )

    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    known = [look_at(pid) for pid in pids if pid != os.getpid()]
    return [process for process in known if process is not None and belongs(process)]


def is_task(process: Process) -> bool:
    """Whether this runs in a job: the batch script, srun, or what srun started."""
    return MARK not in process.environ and "SLURM_JOB_ID" in process.environ


def kill(processes: Collection[Process], signum: int = signal.SIGKILL) -> None:
    """Send all of them a signal; those that have ended meanwhile are no error."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signum)


def until(condition: Callable[[], object], seconds: float, what: str = "") -> None:
    """Return as soon as `condition()` is true.

    Args:
        condition: asked again and again.
        seconds: how long, in s.
        what: what is waited for, for the error.

    Raises:
        TimeoutError: it has not come true.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what or condition} did not come true within {seconds} s")
        time.sleep(0.02)
