"""What a user sees of the grid at one moment, and what must never be seen."""

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.paths import RunsFolder
from harness.records import read_begin
from harness.slurm.submissions import read_submission
from slurm.devcluster.cluster import Cluster
from slurm.devcluster.processes import look_at
from tests.chaos.project import Project

WAITS_OR_RUNS = ("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED")
WORKER = "harness.slurm.worker"
BY_FILES = "By files alone"  # what `harness status` says when Slurm does not answer it


@dataclass(frozen=True)
class Row:
    """A line of `harness status --json`."""

    name: str
    state: str
    cause: str
    reason: str

    @property
    def stands(self) -> bool:
        """Whether nothing happens with the run until somebody acts."""
        return self.state in ("failed", "to do", "blocked")


@dataclass(frozen=True)
class Task:
    """A live job of a run, as squeue shows it: "123_4", why it waits, and where it runs."""

    run_id: str
    sid: str
    job_id: str
    state: str
    reason: str
    node: str
    num_gpus: int

    @property
    def number(self) -> int:
        """Of its array: the later it was submitted, the higher."""
        return int(self.job_id.partition("_")[0])


@dataclass(frozen=True)
class Sight:
    """The grid at one moment.

    Attributes:
        rows: by run id, in the order of the grid.
        tasks: live jobs.
        attempts: by run id, how many have begun.
        answered: whether Slurm did.
        trouble: what `harness status` said where it failed.
    """

    rows: Mapping[str, Row]
    tasks: tuple[Task, ...]
    attempts: Mapping[str, int]
    answered: bool = True
    trouble: str = ""

    @property
    def done(self) -> bool:
        return bool(self.rows) and all(row.state == "done" for row in self.rows.values())

    def undone(self) -> str:
        """The runs that are not done, and why, in one line."""
        waiting = {one: row for one, row in self.rows.items() if row.state != "done"}
        return ", ".join(f"{one} {row.state} ({row.reason})" for one, row in waiting.items())

    def name(self, run_id: str) -> str:
        return f"{run_id} ({self.rows[run_id].name})" if run_id in self.rows else run_id


def look(project: Project, cluster: Cluster, runs: RunsFolder) -> Sight:
    """What `harness status` and squeue say now."""
    code, printed, trouble = project.give(runs, "status", "chaos", "--json")
    if code:
        return Sight({}, (), {}, answered=False, trouble=trouble)
    rows = {
        one["run_id"]: Row(one["name"], one["state"], one["cause"], one["reason"])
        for one in json.loads(printed)
    }
    attempts = {run_id: len(runs.run(run_id).attempt_numbers()) for run_id in rows}
    told = cluster.answers("squeue", "-h", "-r", "-t", "all", "-o", "%j|%K|%F|%T|%r|%N")
    answered = told is not None and BY_FILES not in trouble
    return Sight(rows, live_tasks(told or "", runs), attempts, answered)


def live_tasks(told: str, runs: RunsFolder) -> tuple[Task, ...]:
    """Of what squeue told every job of `runs` that waits or runs, and is not just ending."""
    tasks = []
    for line in told.splitlines():
        sid, index, array, state, reason, node = line.split("|")
        if state in WAITS_OR_RUNS and runs.submission(sid).exists():
            given = read_submission(runs.submission(sid))
            if not given.withdrawn:  # such a job ends itself before it begins
                run_id, job_id = given.run_ids[int(index)], f"{array}_{index}"
                tasks.append(Task(run_id, sid, job_id, state, reason, node, given.num_gpus))
    return tuple(tasks)


def doubled(tasks: tuple[Task, ...]) -> dict[str, str]:
    """Runs with more than one live job, and which.

    A job that may not be put back into the queue submits its successor before it ends: the pair has
    one name, and only the older one runs.
    """
    by_run: dict[str, list[Task]] = {}
    for task in tasks:
        by_run.setdefault(task.run_id, []).append(task)
    return {
        run_id: ", ".join(f"{task.job_id} {task.state}" for task in group)
        for run_id, group in by_run.items()
        if len(group) > 1 and not _is_handing_over(group)
    }


def _is_handing_over(group: list[Task]) -> bool:
    older, newer, *more = sorted(group, key=lambda task: task.number)
    return not more and older.sid == newer.sid and newer.state == "PENDING"


def writers(runs: RunsFolder, run_ids: list[str]) -> dict[str, int]:
    """Runs of which more than one attempt is alive, and how many."""
    alive = Counter(
        run_id
        for run_id in run_ids
        for number in runs.run(run_id).attempt_numbers()
        if (begin := read_begin(runs.run(run_id).attempt(number).begin))
        and not runs.run(run_id).attempt(number).outcome.exists()
        and (process := look_at(begin.pid))
        and WORKER in process.argv
    )
    return {run_id: number for run_id, number in alive.items() if number > 1}


def overlaps(runs: RunsFolder, run_ids: list[str]) -> list[str]:
    """Attempts whose processes still printed when the next attempt had begun, a sentence each."""
    found = []
    for run_id in run_ids:
        paths = runs.run(run_id)
        attempts = [paths.attempt(number) for number in paths.attempt_numbers()]
        for before, after in itertools.pairwise(attempts):
            begin = read_begin(after.begin)
            if begin and _printed_at(before.stdout) > begin.started_at + 1:
                found.append(f"{run_id}: attempt {before.folder.name} wrote during the next one")
    return found


def _printed_at(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0
