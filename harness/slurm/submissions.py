"""The record of each array: written before sbatch is called, so that no job is ever without one.

A job carries its record's `sid` as its name, so it is found whatever became of the launcher. The
record says which run each array index is.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.errors import ResultsError
from harness.files import read_json, write_json
from harness.paths import RunsFolder

SID = re.compile("h-[0-9a-f]{12}")
WAY_OUT = "Move it away: its jobs, if there are any, are then no longer known to harness."


@dataclass(frozen=True, kw_only=True)
class Submission:
    """submissions/<sid>.json: one array of jobs.

    Attributes:
        sid: the name of its jobs in Slurm.
        site: the name of the site file that it was made with.
        run_ids: of the array, by index.
        num_gpus: of each run.
        mem_gb: memory asked for; None where the cluster's default is taken.
        time_limit_min: of one job.
        requeue: whether its jobs may be put back into the queue; else they submit a successor.
        code: name of the snapshot that its jobs run, in `RunsFolder.code`.
        code_hash: of that snapshot's files.
        created_at: seconds since 1970, just before sbatch.
        job_id: of the array; None until sbatch has answered.
        fake_gpus: whether its runs train on CPUs, though Slurm counts GPUs.
        max_running: tasks of an array that run at a time; None for any number.
        waiting: indices not given to Slurm yet, for want of room in its queue.
        most_jobs: that may then be in the queue; None for any number.
        withdrawn: why no job of it may start any more; "" while one may.
    """

    sid: str
    site: str
    run_ids: tuple[str, ...]
    num_gpus: int
    mem_gb: float | None
    time_limit_min: int
    requeue: bool
    code: str
    code_hash: str
    created_at: float
    job_id: str | None = None
    fake_gpus: bool = False
    max_running: int | None = None
    waiting: tuple[int, ...] = ()
    most_jobs: int | None = None
    withdrawn: str = ""

    @property
    def was_given(self) -> bool:
        """Whether Slurm was told of any of its runs."""
        return len(self.waiting) < len(self.run_ids)


def new_sid() -> str:
    """A name that no other submission has: Slurm's job ids begin anew with each cluster."""
    return f"h-{secrets.token_hex(6)}"


def write_submission(runs: RunsFolder, submission: Submission) -> None:
    """Write the record of `submission`, anew where there is one."""
    write_json(runs.submission(submission.sid), asdict(submission))


def read_submission(path: Path) -> Submission:
    """The record in `path`.

    Raises:
        ResultsError: it is missing, damaged, or of another version of harness.
    """
    value = read_json(path, WAY_OUT)
    try:
        lists = {name: tuple(value.get(name, ())) for name in ("run_ids", "waiting")}
        return Submission(**{**value, **lists})
    except (KeyError, TypeError) as error:
        raise ResultsError(f"{path} is no record of a submission ({error}). {WAY_OUT}") from error


def submissions_of(runs: RunsFolder, run_ids: Iterable[str]) -> tuple[Submission, ...]:
    """Every submission, withdrawn ones left out, that holds one of `run_ids`: oldest first."""
    wanted = set(run_ids)
    return tuple(one for one in open_submissions(runs) if wanted & set(one.run_ids))


def open_submissions(runs: RunsFolder) -> tuple[Submission, ...]:
    """Every submission, withdrawn ones left out: oldest first."""
    found = (read_submission(path) for path in runs.all_submissions())
    kept = [one for one in found if not one.withdrawn]
    return tuple(sorted(kept, key=lambda one: one.created_at))


def withdraw(runs: RunsFolder, submission: Submission, why: str) -> None:
    """Let no job of `submission` start any more, should one turn up late."""
    write_submission(runs, replace(submission, withdrawn=why))
