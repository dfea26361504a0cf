"""What became of each strike: the run goes on, or it stands still with its true cause."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.grid.state import Cause
from harness.paths import RunsFolder
from tests.chaos.sight import Sight, Task, doubled, writers
from tests.chaos.strikes import Kind, Lasts

UNHURT_AFTER_S = 20  # the strike met nothing: a process that was just starting, or ending
WRONG_FOR_S = 15  # accounting lags behind by a few seconds
UNKNOWN_AFTER_S = 300
REMEMBERED = 4  # strikes of a run: `Lasts.SOME_STRIKES`


@dataclass(frozen=True)
class Strike:
    """A fault that befell a run.

    Attributes:
        kind: of fault.
        at: when, on the monotonic clock.
        attempts: how many the run had then.
        job_id, state: of the job that was struck.
    """

    kind: Kind
    at: float
    attempts: int
    job_id: str
    state: str


class Watched:
    """The strikes of a round and what is seen of them.

    Attributes:
        runs: the folder of the round's runs.
        find: notes what must not be.
        all: strikes of each run, the newest last.
        open: of each run the strike of which it is not known yet what it did.
        jobs: the newest live job that was seen of each run.
        wrong_since: when a run was first seen to stand with a cause that cannot be.
        launcher_hit_at, trouble_until: times on the monotonic clock.
    """

    def __init__(self, runs: RunsFolder, find: Callable[[str], None]):
        self.runs = runs
        self.find = find
        self.all: dict[str, list[Strike]] = {}
        self.open: dict[str, Strike] = {}
        self.jobs: dict[str, str] = {}
        self.wrong_since: dict[str, float] = {}
        self.launcher_hit_at = float("-inf")
        self.trouble_until = float("-inf")

    def struck(self, kind: Kind, tasks: list[Task], seen: Sight) -> None:
        """Remember that `kind` befalls `tasks` now."""
        for task in tasks:
            attempts = seen.attempts.get(task.run_id, 0)
            strike = Strike(kind, time.monotonic(), attempts, task.job_id, task.state)
            self.all.setdefault(task.run_id, []).append(strike)
            self.open[task.run_id] = strike

    def may_be_struck(self, task: Task, most: int) -> bool:
        """Whether it is known what became of the last strike of the task's run."""
        return task.run_id not in self.open and len(self.all.get(task.run_id, ())) < most

    def launcher_was_hit(self) -> None:
        self.launcher_hit_at = time.monotonic()

    def trouble_begins(self) -> None:
        """Slurm may not answer from now on, or a node be away."""
        self.trouble_until = float("inf")

    def trouble_ends(self) -> None:
        self.trouble_until = time.monotonic()

    def was_in_trouble(self, since: float) -> bool:
        """Whether Slurm may not have answered at some time after `since`."""
        return self.trouble_until >= since

    def check(self, seen: Sight) -> None:
        """Hold what is seen against what may be."""
        if seen.trouble and not self.was_in_trouble(time.monotonic() - 60):
            self.find(f"harness status fails: {seen.trouble[-400:]}")
        for task in sorted(seen.tasks, key=lambda task: task.number):
            self.jobs[task.run_id] = task.job_id
        for run_id, jobs in doubled(seen.tasks).items():
            self.find(f"{run_id} has two live jobs: {jobs}")
        for run_id, number in writers(self.runs, list(seen.rows)).items():
            self.find(f"{run_id}: {number} attempts are alive at once")
        for run_id in seen.rows:
            self._check_run(run_id, seen)

    def standing(self, seen: Sight) -> list[str]:
        """Runs that stand still and whose cause has been judged."""
        return [
            run_id
            for run_id, row in seen.rows.items()
            if row.stands and run_id not in self.open and run_id not in self.wrong_since
        ]

    def _check_run(self, run_id: str, seen: Sight) -> None:
        row, now = seen.rows[run_id], time.monotonic()
        if row.stands and not self._is_true(run_id, seen):
            since = self.wrong_since.setdefault(run_id, now)
            if now - since < WRONG_FOR_S:
                return
            kinds = [strike.kind.name for strike in self.all.get(run_id, ())]
            self.find(f"{run_id} is {row.state}: {row.cause} ({row.reason}) after {kinds}")
            self.open.pop(run_id, None)
        self.wrong_since.pop(run_id, None)
        strike = self.open.get(run_id)
        if strike is None:
            return
        waits = any(task.run_id == run_id and task.state == "PENDING" for task in seen.tasks)
        if (
            row.stands
            or row.state == "done"
            or seen.attempts[run_id] > strike.attempts
            or (waits and strike.state == "RUNNING")
            or now - strike.at > UNHURT_AFTER_S
        ):
            del self.open[run_id]

    def _is_true(self, run_id: str, seen: Sight) -> bool:
        """Whether what `harness status` says of a run that stands can be so."""
        row = seen.rows[run_id]
        if row.state == "to do":
            return True
        if row.cause == Cause.BASE:
            return any(other.stands for other in seen.rows.values() if other is not row)
        if row.cause == Cause.LOST and time.monotonic() - self.launcher_hit_at < UNKNOWN_AFTER_S:
            return not seen.attempts[run_id]
        return any(row.cause in strike.kind.causes for strike in self._may_explain(run_id, seen))

    def _may_explain(self, run_id: str, seen: Sight) -> list[Strike]:
        strikes = self.all.get(run_id, [])
        return [
            strike
            for later, strike in enumerate(reversed(strikes))
            if later == 0
            # What came after it met a job whose attempt had ended.
            or strike.attempts == seen.attempts[run_id]
            or (strike.kind.lasts is Lasts.SOME_STRIKES and later < REMEMBERED)
            or (strike.kind.lasts is Lasts.WITH_JOB and strike.job_id == self.jobs.get(run_id))
        ]
