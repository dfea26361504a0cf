"""Real faults for a real cluster: what goes wrong with a job, its node, and Slurm itself.

A job is named as Slurm names it: "12", or "12_3" for a task of an array. A fault that comes too
late - the job is over, its process gone - raises `FaultMissedError` and has done nothing.
"""

import contextlib
import datetime
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

from slurm.devcluster.cluster import Cluster
from slurm.devcluster.processes import Process, is_task, kill, processes_of, until

WORKER = "harness.slurm.worker"


class FaultMissedError(Exception):
    """There was nothing left to hit."""


def processes_of_job(cluster: Cluster, job: str) -> list[Process]:
    """The processes of a job: its batch script, srun, the workers and what they started."""

    def names(environ: dict[str, str]) -> set[str]:
        array, index = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
        return {environ["SLURM_JOB_ID"], f"{array}_{index}"}

    found = processes_of(cluster.folder)
    return [process for process in found if is_task(process) and job in names(process.environ)]


def workers(cluster: Cluster, job: str) -> list[Process]:
    """The workers of a job, one for each rank; not srun, nor what a worker forked."""
    # srun's command line holds the worker's.
    named = [
        process
        for process in processes_of_job(cluster, job)
        if WORKER in process.argv and process.name != "srun"
    ]
    pids = {process.pid for process in named}
    return [process for process in named if process.parent not in pids]


def worker(cluster: Cluster, job: str, rank: int = 0) -> Process:
    """The worker of a rank.

    Raises:
        FaultMissedError: it does not run now.
    """
    for process in workers(cluster, job):
        if process.environ.get("SLURM_PROCID") == str(rank):
            return process
    raise FaultMissedError(f"job {job} has no worker of rank {rank} now")


def kill_worker(cluster: Cluster, job: str, rank: int = 0) -> None:
    """kill -9 of a worker, as the kernel does when the node's memory is full.

    Raises:
        FaultMissedError: it does not run now.
    """
    kill([worker(cluster, job, rank)])


def starve_worker(cluster: Cluster, job: str, spare_mb: int = 0, rank: int = 0) -> None:
    """Leave a worker no more than `spare_mb` MB of address space beyond what it has.

    Raises:
        FaultMissedError: it does not run now.
    """
    pid = worker(cluster, job, rank).pid
    with _too_late(job):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + spare_mb * 2**20
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))


def requeue(cluster: Cluster, job: str) -> None:
    """`scontrol requeue`: Slurm ends the job, without a warning signal, and starts it again.

    Raises:
        FaultMissedError: the job is not running.
    """
    # Slurm would start a job again that ended well.
    _must_be(cluster, job, "running")
    with _too_late(job):
        cluster.ask("scontrol", "requeue", job)


def cancel(cluster: Cluster, job: str) -> None:
    """`scancel`: SIGTERM, then after KillWait (2 s) SIGKILL.

    Raises:
        FaultMissedError: the job is over.
    """
    _must_be(cluster, job, "pending,running")
    with _too_late(job):
        cluster.ask("scancel", job)


def warn(cluster: Cluster, job: str) -> None:
    """SIGUSR2 to the job's steps: what --signal=USR2@... sends when the time limit is near.

    Raises:
        FaultMissedError: the job is not running.
    """
    _signal(cluster, job, "USR2")


def terminate(cluster: Cluster, job: str) -> None:
    """SIGTERM to the job's steps, and nothing more: as sites announce preemption by default.

    Raises:
        FaultMissedError: the job is not running.
    """
    _signal(cluster, job, "TERM")


def shorten(cluster: Cluster, job: str) -> None:
    """Cut the job's time limit to 1 minute, Slurm's least.

    It is over up to 30 s after that minute, and a job that has run longer at once.

    Raises:
        FaultMissedError: the job is over.
    """
    _must_be(cluster, job, "pending,running")
    with _too_late(job):
        cluster.ask("scontrol", "update", f"JobId={job}", "TimeLimit=1")


def preempt(cluster: Cluster, node: str, seconds: float) -> str:
    """Submit a job that wants the whole node before all others; its id.

    The jobs there get their --signal, 5 s of grace, and go back into the queue.

    Args:
        cluster: the cluster.
        node: a name, as node1.
        seconds: how long that job stays.
    """
    where = ["--partition=high", f"--nodelist={node}", "--exclusive", "--time=10"]
    quiet = ["--job-name=preemptor", "--chdir=/", "--output=/dev/null"]
    return cluster.ask("sbatch", "--parsable", *where, *quiet, f"--wrap=sleep {seconds}").strip()


def lose_node(cluster: Cluster, node: str) -> None:
    """A node dies with all that runs on it, and Slurm is told (State=DOWN)."""

    def dead() -> bool:
        here = [process for process in processes_of(cluster.folder) if _is_on(process, node)]
        # Daemons first: a step daemon that saw its tasks die would report that as their end.
        kill([process for process in here if not is_task(process)])
        kill([process for process in here if is_task(process)])
        return not here

    def _is_on(process: Process, node: str) -> bool:
        if is_task(process):
            return process.environ.get("SLURMD_NODENAME") == node
        # slurmd and its step daemons.
        return process.cwd == cluster.folder / "nodes" / node

    until(dead, 10, f"the end of {node}")
    cluster.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=fault")


def bring_back(cluster: Cluster, node: str) -> None:
    """Start a lost node again; returns when it takes jobs."""
    cluster.start_node(node)
    usable = ("idle", "mixed", "allocated", "completing")

    def up() -> bool:
        cluster.answers("scontrol", "update", f"NodeName={node}", "State=RESUME")
        state = cluster.answers("sinfo", "-h", "-N", "-n", node, "-p", "low", "-o", "%T") or ""
        return state.strip() in usable

    until(up, 30, f"{node} up again")


def until_controller_has_saved(cluster: Cluster, job: str) -> None:
    """Return when slurmctld can be killed without forgetting `job`: it saves every few seconds."""
    started = cluster.ask("squeue", "-h", "-t", "all", "-j", job, "-o", "%S").strip()
    started_s = datetime.datetime.fromisoformat(started).timestamp()
    saved = cluster.folder / "state" / "job_state"
    until(
        lambda: saved.exists() and saved.stat().st_mtime > started_s + 1, 20, "a saved controller"
    )


def kill_controller(cluster: Cluster) -> None:
    """kill -9 of slurmctld; `cluster.start_controller()` starts it on its old state."""
    until(lambda: _killed(cluster, "slurmctld", "slurmscriptd"), 10, "the end of slurmctld")


def kill_accounting(cluster: Cluster) -> None:
    """kill -9 of slurmdbd: sacct fails, jobs go on; `cluster.start_accounting()` ends it."""
    until(lambda: _killed(cluster, "slurmdbd"), 10, "the end of slurmdbd")


def _killed(cluster: Cluster, *names: str) -> bool:
    left = [process for name in names for process in cluster.daemons(name)]
    kill(left)
    return not left


def _signal(cluster: Cluster, job: str, name: str) -> None:
    # Without --batch: to what srun started, not to the batch script.
    _must_be(cluster, job, "running")
    with _too_late(job):
        cluster.ask("scancel", f"--signal={name}", job)


def _must_be(cluster: Cluster, job: str, states: str) -> None:
    with _too_late(job):
        if not cluster.ask("squeue", "-h", "-t", states, "-j", job, "-o", "%A"):
            raise FaultMissedError(f"job {job} is not {states.replace(',', ' or ')}")


@contextlib.contextmanager
def _too_late(job: str) -> Iterator[None]:
    try:
        yield
    except subprocess.CalledProcessError as error:
        raise FaultMissedError(f"job {job}: {error.stderr.strip()}") from None
    except (ProcessLookupError, FileNotFoundError):
        raise FaultMissedError(f"job {job} has just ended") from None
