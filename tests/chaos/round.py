"""One grid from its first submit to its last run, disturbed all the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from slurm.devcluster.cluster import Cluster
from tests.chaos import strikes
from tests.chaos.sight import Sight, Task, look
from tests.chaos.strikes import Deck, Kind
from tests.chaos.tally import Tally
from tests.chaos.user import User
from tests.chaos.watched import Watched
from tests.devcluster.faults import FaultMissedError

LONGEST_S = 2400
# A controller that lost a job's end when it was killed sees that within a minute, if it lives.
CALM_S = 60
IDLE_S = 20
MOST_ON_ONE = 7  # strikes of one run in a round: it has to get somewhere


@dataclass
class Round:
    """A grid under way.

    Attributes:
        cluster: that it runs on.
        user: who submits it.
        requeue: whether jobs may go back into the queue.
        most: faults in all rounds at which this one does no more.
        kinds: of strikes, as they come.
        later: when and how what is broken is mended.
        next_strike: when, at the earliest, on the monotonic clock.
        next_of_cluster: the same for one of the cluster.
        seen: the grid, last time.
        tally, watched, rng: the user's.
    """

    cluster: Cluster
    user: User
    requeue: bool
    most: int
    kinds: Deck
    later: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    next_strike: float = 0.0
    next_of_cluster: float = 0.0
    seen: Sight = field(init=False)
    tally: Tally = field(init=False)
    watched: Watched = field(init=False)
    rng: Random = field(init=False)

    def __post_init__(self) -> None:
        self.tally, self.watched, self.rng = self.user.tally, self.user.watched, self.user.rng

    def go(self) -> list[str]:
        """The runs, when all are done and nothing is under way."""
        deadline = time.monotonic() + LONGEST_S
        while True:
            self.seen = look(self.user.project, self.cluster, self.user.runs)
            self.watched.check(self.seen)
            under_way = self.user.launch or self.later or self.seen.tasks
            if self.seen.done and not under_way:
                break
            if time.monotonic() > deadline:
                self.tally.find(f"not done after {LONGEST_S} s: {self.seen.undone()}")
                break
            self.mend()
            self.user.act(self.seen)
            self.strike()
        return list(self.seen.rows)

    def mend(self) -> None:
        """Start again what was ended, when it is time; let go what Slurm holds back for itself."""
        now = time.monotonic()
        due = [act for at, act in self.later if at <= now]
        self.later = [(at, act) for at, act in self.later if at > now]
        for act in due:
            act()
        if due and not self.later:
            self.watched.trouble_ends()
        if not self.later:
            self._operate()

    def _operate(self) -> None:
        # A controller that was killed starts jobs twice, drains their node and holds them: its
        # operator resumes the one, its user releases the other.
        away = self.cluster.answers(
            "sinfo", "-h", "-N", "-p", "low", "-t", "down,drain", "-o", "%N"
        )
        for node in (away or "").split():
            self.tally.tell(f"resumes {node}")
            self.cluster.answers("scontrol", "update", f"NodeName={node}", "State=RESUME")
        for task in self.seen.tasks:
            if "held" in task.reason.lower():
                self.tally.tell(f"releases {task.job_id}: {task.reason}")
                self.cluster.answers("scontrol", "release", task.job_id)

    def strike(self) -> None:
        """Let the next fault happen, if it is its time and there is something to strike."""
        if self.tally.total >= self.most or time.monotonic() < self.next_strike:
            return
        targets = self.targets()
        name = self.kinds.deal({name for name, found in targets.items() if found})
        if name is None:
            if time.monotonic() > self.next_strike + IDLE_S:  # what is left does not come to pass
                self.kinds.shuffle()
            return
        kind = next(kind for kind in strikes.KINDS if kind.name == name)
        task = self.rng.choice(targets[name])
        struck = self.struck_with(kind, task)
        try:
            after = kind.do(self.cluster, task, self.rng)
        except FaultMissedError:
            return
        names = ", ".join(self.seen.name(one.run_id) for one in struck)
        self.tally.tell(f"{kind.name}: {task.job_id} on {task.node or 'no node'}, {names}")
        self.watched.struck(kind, struck, self.seen)
        if after:
            self.later.append((time.monotonic() + after[0], after[1]))
            self.watched.trouble_begins()
        if kind.strikes == "cluster":
            self.next_of_cluster = time.monotonic() + CALM_S
        self.tally.faults[kind.name] += 1
        self.next_strike = time.monotonic() + self.rng.uniform(0.5, 5)

    def targets(self) -> dict[str, list[Task]]:
        """The jobs that each kind may be done to now."""
        free = [task for task in self.seen.tasks if self.watched.may_be_struck(task, MOST_ON_ONE)]
        running = [task for task in free if task.state == "RUNNING"]
        calm = not self.later and time.monotonic() > self.next_of_cluster
        by_what = {
            "RUNNING": running,
            "PENDING": [task for task in free if task.state == "PENDING"],
            "node": [] if self.later else running,
            "cluster": running if calm else [],
        }
        found = {kind.name: by_what[kind.strikes] for kind in strikes.KINDS}
        if not self.requeue:
            found[strikes.REQUEUE] = []
        if not self.cluster.settings.accounting:
            found[strikes.ACCOUNTING] = []
        return found

    def struck_with(self, kind: Kind, task: Task) -> list[Task]:
        if kind.strikes == "cluster":
            return []
        if kind.strikes != "node":
            return [task]
        return [one for one in self.seen.tasks if one.state == "RUNNING" and one.node == task.node]
