"""What befalls live jobs and their cluster: each kind, whom it strikes, and how that may end."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from random import Random

from harness.grid.state import Cause
from slurm.devcluster.cluster import Cluster
from tests.chaos.sight import Task
from tests.devcluster import faults

After = tuple[float, Callable[[], object]]  # in how many seconds something is mended, and how
TOO_LITTLE_MB = 60  # a training takes ten times as much


class Lasts(Enum):
    """How long a strike may explain why its run stands, when that has been struck again."""

    NOT = "it shows at once: what is seen after the next strike is not its doing"
    SOME_STRIKES = "it takes effect a while later"
    WITH_JOB = "it changes the job, which keeps that when it goes back into the queue"


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: as it is counted.
        strikes: "RUNNING" or "PENDING": a job in that state; "node": all that run on a node;
            "cluster": no job by itself.
        causes: with which a run may stand still afterwards; it may always go on.
        lasts: how long it may explain that.
        do: does it to a job; raises `FaultMissedError` where it came too late.
    """

    name: str
    strikes: str
    causes: frozenset[str]
    lasts: Lasts
    do: Callable[[Cluster, Task, Random], After | None]


def kill_worker(cluster: Cluster, task: Task, rng: Random) -> None:
    """kill -9 of one of the processes that train."""
    faults.kill_worker(cluster, task.job_id, rng.randrange(max(1, task.num_gpus)))


def requeue(cluster: Cluster, task: Task, rng: Random) -> None:
    faults.requeue(cluster, task.job_id)


def cancel(cluster: Cluster, task: Task, rng: Random) -> None:
    faults.cancel(cluster, task.job_id)


def warn(cluster: Cluster, task: Task, rng: Random) -> None:
    faults.warn(cluster, task.job_id)


def terminate(cluster: Cluster, task: Task, rng: Random) -> None:
    faults.terminate(cluster, task.job_id)


def shorten(cluster: Cluster, task: Task, rng: Random) -> None:
    faults.shorten(cluster, task.job_id)


def preempt(cluster: Cluster, task: Task, rng: Random) -> None:
    faults.preempt(cluster, task.node, rng.randint(1, 5))


def lose_node(cluster: Cluster, task: Task, rng: Random) -> After:
    faults.lose_node(cluster, task.node)
    return rng.uniform(0, 15), partial(faults.bring_back, cluster, task.node)


def starve(cluster: Cluster, task: Task, rng: Random) -> None:
    """A process that gets no more memory."""
    faults.starve_worker(cluster, task.job_id)


def ask_for_little(cluster: Cluster, task: Task, rng: Random) -> None:
    """Less memory for a job that waits than its run will take: Slurm then kills it."""
    memory = f"MinMemoryNode={TOO_LITTLE_MB}"
    if cluster.answers("scontrol", "update", f"JobId={task.job_id}", memory) is None:
        raise faults.FaultMissedError(f"job {task.job_id} waits no more")


def kill_controller(cluster: Cluster, task: Task, rng: Random) -> After:
    faults.kill_controller(cluster)
    return rng.uniform(0, 8), cluster.start_controller


def kill_accounting(cluster: Cluster, task: Task, rng: Random) -> After:
    faults.kill_accounting(cluster)
    return rng.uniform(0, 20), cluster.start_accounting


def _kind(
    do: Callable[..., After | None],
    name: str,
    strikes: str,
    *causes: Cause,
    lasts: Lasts = Lasts.NOT,
) -> Kind:
    return Kind(name, strikes, frozenset(causes), lasts, do)


REQUEUE, ACCOUNTING = "scontrol requeue", "slurmdbd killed"
# After three attempts in a row that brought no checkpoint a run is given up as killed.
KINDS = (
    _kind(kill_worker, "kill -9 of a worker", "RUNNING", Cause.KILLED),
    _kind(requeue, REQUEUE, "RUNNING"),
    _kind(cancel, "scancel", "RUNNING", Cause.CANCELLED),
    _kind(cancel, "scancel of a waiting job", "PENDING", Cause.CANCELLED),
    _kind(warn, "signal of the time limit", "RUNNING", Cause.KILLED),
    _kind(terminate, "SIGTERM", "RUNNING", Cause.KILLED),
    # In a minute or more, and after each requeue anew.
    _kind(shorten, "time limit", "RUNNING", Cause.KILLED, Cause.TIME_LIMIT, lasts=Lasts.WITH_JOB),
    # When the other job starts, and after the grace.
    _kind(preempt, "preemption", "node", Cause.PREEMPTED, lasts=Lasts.SOME_STRIKES),
    # When Slurm and its accounting agree on it.
    _kind(lose_node, "node failure", "node", Cause.NODE_FAILURE, lasts=Lasts.SOME_STRIKES),
    _kind(starve, "out of memory", "RUNNING", Cause.OUT_OF_MEMORY),
    # When the job has started and taken that much.
    _kind(
        ask_for_little,
        "killed for its memory",
        "PENDING",
        Cause.OUT_OF_MEMORY,
        lasts=Lasts.WITH_JOB,
    ),
    _kind(kill_controller, "slurmctld killed", "cluster"),
    _kind(kill_accounting, ACCOUNTING, "cluster"),
)


class Deck:
    """Kinds in random order, each as often as any other: none is left out by chance."""

    def __init__(self, kinds: tuple[str, ...], rng: Random):
        self.kinds = kinds
        self.rng = rng
        self.left: list[str] = []

    def deal(self, possible: set[str]) -> str | None:
        """The next kind that is possible now; None where only those are that have had their turn.

        The others keep their places.
        """
        if not self.left:
            self.shuffle()
        for name in self.left:
            if name in possible:
                self.left.remove(name)
                return name
        return None

    def shuffle(self) -> None:
        """Begin anew, whatever is left."""
        self.left = self.rng.sample(self.kinds, len(self.kinds))
