"""What a cluster is like, the programs it needs, and what may be wrong with either."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

# The daemons live where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
# program -> Debian's package
SLURM = {
    "munged": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "scontrol": "slurm-client",
}
ACCOUNTING = {
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "mariadb": "mariadb-client-core",
}
# A unix socket's path has at most 107 bytes, and the longest here is of the step daemons:
# nodes/node10/node10_1000000.4294967291.
LONGEST_FOLDER = 65
SHORTEST_REQUEUE_WAIT_S = 5


class DevclusterError(Exception):
    """Something that the person at the terminal has to change."""


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


def missing_programs(accounting: bool = False) -> tuple[str, ...]:
    """The needed programs that this machine lacks.

    Args:
        accounting: look for those of the accounting instead.
    """
    wanted = ACCOUNTING if accounting else SLURM
    return tuple(name for name in wanted if shutil.which(name, path=SEARCH_PATH) is None)


def how_to_install(missing: tuple[str, ...]) -> str:
    """The words that say which programs are missing and how they get here."""
    packages = sorted({(SLURM | ACCOUNTING)[name] for name in missing})
    return (
        f"{', '.join(missing)} not found here. Next: apt-get install -y --no-install-recommends "
        f"{' '.join(packages)}"
    )


def check(settings: Settings, folder: Path) -> Settings:
    """The settings with `accounting` decided, after everything that can be known beforehand.

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
    missing = missing_programs()
    without_accounting = missing_programs(accounting=True)
    if settings.accounting:
        missing += without_accounting
    if missing:
        raise DevclusterError(how_to_install(missing))
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
    if settings.accounting is not None:
        return settings
    return Settings(**{**vars(settings), "accounting": not without_accounting})
