"""What a cluster is like, the programs it needs, and what may be wrong with either."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

# The daemons live where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
# A unix socket's path has at most 107 bytes, and the longest here is of the step daemons:
# nodes/node10/node10_1000000.4294967291.
LONGEST_FOLDER = 65
SHORTEST_REQUEUE_WAIT_S = 5


class DevclusterError(Exception):
    """Something that the person at the terminal has to change."""


class Program(NamedTuple):
    """A program that a cluster needs, and Debian's package that holds it."""

    name: str
    package: str


SLURM = (
    Program("munged", "munge"),
    Program("slurmctld", "slurmctld"),
    Program("slurmd", "slurmd"),
    Program("sbatch", "slurm-client"),
    Program("scontrol", "slurm-client"),
)
ACCOUNTING = (
    Program("slurmdbd", "slurmdbd"),
    Program("mariadbd", "mariadb-server-core"),
    Program("mariadb-install-db", "mariadb-server-core"),
    Program("mariadb", "mariadb-client-core"),
)


@dataclass(frozen=True)
class Settings:
    """The shape of a cluster.

    Attributes:
        nodes: number of nodes.
        cpus: CPUs that each node says it has; more than the machine has is fine.
        gpus: GPUs that each node says it has; they are files, nothing can be computed on them.
        memory_mb: memory that each node says it has, in MB.
        accounting: whether there is a database behind `sacct`; None: when its programs are there.
        requeue_wait_s: how long a job that went back into the queue waits there, in s.
        node_timeout_s: how long a node may be silent before it is down, in s.
        kill_over_memory: Slurm kills jobs that use more memory than they asked for.
    """

    nodes: int = 2
    cpus: int = 8
    gpus: int = 4
    memory_mb: int = 16000
    accounting: bool | None = None
    requeue_wait_s: int = SHORTEST_REQUEUE_WAIT_S
    node_timeout_s: int = 10
    kill_over_memory: bool = False


def for_this_machine() -> Settings:
    """Two nodes that share this machine's cores, each large enough for a run on two GPUs."""
    cpus = max(2, len(os.sched_getaffinity(0)) // 2)
    return Settings(cpus=cpus, gpus=cpus, memory_mb=max(16000, 4000 * cpus))


def missing(programs: Iterable[Program]) -> tuple[Program, ...]:
    """Those of `programs` that this machine lacks."""
    return tuple(one for one in programs if shutil.which(one.name, path=SEARCH_PATH) is None)


def how_to_install(programs: Iterable[Program]) -> str:
    """The words that say which programs are missing and how they get here."""
    names, packages = zip(*programs, strict=True)
    return (
        f"{', '.join(names)} not found here. Next: apt-get install -y --no-install-recommends "
        f"{' '.join(sorted(set(packages)))}"
    )


def resolved(settings: Settings, folder: Path) -> Settings:
    """The settings with `accounting` decided, when nothing speaks against such a cluster here.

    Args:
        settings: what is asked for.
        folder: where the cluster is to live, absolute.

    Raises:
        DevclusterError: a number out of range, a program that is missing, a folder that is too
            long or in use.
    """
    least = {"nodes": 1, "cpus": 1, "gpus": 0, "memory_mb": 1, "node_timeout_s": 1}
    # Slurm takes anything shorter for its default, 120 s.
    for name, at_least in {**least, "requeue_wait_s": SHORTEST_REQUEUE_WAIT_S}.items():
        if getattr(settings, name) < at_least:
            raise DevclusterError(f"{name} is {getattr(settings, name)}: at least {at_least}.")
    accounting = not missing(ACCOUNTING) if settings.accounting is None else settings.accounting
    lacking = missing(SLURM + ACCOUNTING if accounting else SLURM)
    if lacking:
        raise DevclusterError(how_to_install(lacking))
    if len(os.fsencode(folder)) > LONGEST_FOLDER:
        raise DevclusterError(
            f"{folder} is {len(os.fsencode(folder))} bytes long; the unix sockets in it leave room "
            f"for {LONGEST_FOLDER}. Next: give a shorter folder, as below /tmp."
        )
    if any(not (letter.isalnum() or letter in "/._-+~") for letter in str(folder)):
        raise DevclusterError(f"{folder!s} holds letters that slurm.conf cannot: use a-z, 0-9, ._-")
    if folder.is_dir() and any(folder.iterdir()):
        raise DevclusterError(
            f"{folder} is not empty: a cluster is up there, or its files were kept. "
            f"Next: python -m slurm.devcluster down {folder}, or give another folder."
        )
    return replace(settings, accounting=accounting)
