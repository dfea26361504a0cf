"""What Slurm says of our jobs: one squeue, and one sacct where squeue has forgotten them."""

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.slurm.commands import DAY_S, SlurmError, output_of, seconds_of
from harness.slurm.submissions import SID, Submission

# All others run or may still run: releases of Slurm add to those.
ENDED = frozenset(
    (
        *("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY"),
        *("NODE_FAIL", "BOOT_FAIL", "PREEMPTED"),
    )
)
REPORT = "Give the same command again; if that stays, report this line."
# Of what Slurm refuses because no node fits, it keeps a failed job all the same.
REFUSED = "BadConstraints"
NEVER_SATISFIED = "DependencyNeverSatisfied"

SQUEUE = "squeue --noheader --array --states=all --format=%F|%K|%j|%T|%r|%N|%M|%L"
SACCT = (
    "sacct --allocations --noheader --parsable2 "
    "--format=JobID,JobName,State,ExitCode,NodeList,ElapsedRaw,Reason"
)
INDICES = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One task of an array, as Slurm last told it.

    Attributes:
        sid: of its submission: the job's name.
        index: in the array.
        job_id: as Slurm's commands take it: "123_4".
        state: Slurm's word in full: "PENDING", "NODE_FAIL".
        reason: why it waits, or ended: "Dependency"; "" where Slurm does not say.
        node: where it runs or ran; "" where it has not.
        elapsed_s: since its (last) start.
        left_s: until its time limit; None where it does not run.
        exit_code: "1:0", exit code and signal; "" where it is not known.
    """

    sid: str
    index: int
    job_id: str
    state: str
    reason: str = ""
    node: str = ""
    elapsed_s: float = 0.0
    left_s: float | None = None
    exit_code: str = ""

    @property
    def live(self) -> bool:
        """Whether it runs or may still run."""
        return self.state not in ENDED

    @property
    def array_id(self) -> str:
        """The job id of its array: "123"."""
        return self.job_id.partition("_")[0]


@dataclass(frozen=True)
class Answer:
    """What Slurm knows.

    Attributes:
        jobs: of each (sid, index) the newest live job; where none is live, the newest of all.
        live_total: the user's jobs that run or wait, foreign ones and each array task counted.
        live: every live job that bears a name of ours, also of other runs folders.
        accounted: whether sacct was needed and answered: what it does not know never started.
    """

    jobs: Mapping[tuple[str, int], Job]
    live_total: int
    live: tuple[Job, ...] = ()
    accounted: bool = False


def ask(submissions: Iterable[Submission], undone: Collection[str] | None = None) -> Answer:
    """What Slurm knows of the jobs of `submissions`: one squeue, and at most one sacct.

    Args:
        submissions: whose jobs are looked for.
        undone: the runs that matter; all where it is None. sacct is asked only where squeue no
            longer knows the job of such a run in the newest submission that holds it.

    Raises:
        SlurmError: squeue fails, or its answer cannot be understood. Without accounting, or where
            that fails, squeue's answer is all there is.
    """
    ours = sorted(submissions, key=lambda one: one.created_at)
    listed, live_total = _queued()
    jobs = _newest(listed)
    forgotten = _forgotten(ours, undone, jobs)
    accounted = _accounted(forgotten) if forgotten else None
    if accounted:
        jobs = {**_newest(accounted), **jobs}
    sids = {one.sid for one in ours}
    return Answer(
        jobs={key: job for key, job in jobs.items() if key[0] in sids},
        live_total=live_total,
        live=tuple(job for job in listed if job.live),
        accounted=accounted is not None,
    )


def _queued() -> tuple[list[Job], int]:
    """Our jobs that squeue lists, and how many jobs of this user are live."""
    text = output_of([*SQUEUE.split(), f"--user={os.getuid()}"])
    if text and not text.endswith("\n"):
        raise SlurmError("squeue's answer is cut short. Give the same command again.")
    jobs: list[Job] = []
    live_total = 0
    for line in text.splitlines():
        fields = _squeue_fields(line)
        if fields is None:
            if SID.search(line):
                raise SlurmError(f"squeue's line {line!r:.200} cannot be understood. {REPORT}")
            continue  # a foreign job of a strange name, or a cluster's headline
        array, index, name, state, reason, node, elapsed, left = fields
        indices = _indices(index)
        if "..." in index and SID.fullmatch(name):
            raise SlurmError(f"squeue's line {line!r:.200} leaves indices out. {REPORT}")
        if state not in ENDED:
            live_total += max(1, len(indices))
        if SID.fullmatch(name):
            jobs += (
                Job(
                    sid=name,
                    index=one,
                    job_id=f"{array}_{one}",
                    state=state,
                    reason="" if reason == "None" else reason,
                    node=node,
                    elapsed_s=seconds_of(elapsed) or 0.0,
                    left_s=seconds_of(left) if state == "RUNNING" else None,
                )
                for one in indices
            )
    return jobs, live_total


def _squeue_fields(line: str) -> list[str] | None:
    first = line.split("|", 2)  # a job's name may itself hold the bar
    if len(first) != 3:
        return None
    last = first[2].rsplit("|", 5)
    if len(last) != 6 or not first[0].isdecimal() or not last[1].isupper():
        return None
    return [*first[:2], *last]


def _forgotten(
    ours: list[Submission], undone: Collection[str] | None, jobs: Mapping[tuple[str, int], Job]
) -> list[Submission]:
    """The submissions that hold a run of which squeue does not know the newest job."""
    newest: dict[str, tuple[Submission, int]] = {}
    for submission in ours:
        for index, run_id in enumerate(submission.run_ids):
            if undone is None or run_id in undone:
                newest[run_id] = (submission, index)
    missing = {one.sid: one for one, index in newest.values() if (one.sid, index) not in jobs}
    return list(missing.values())


def _accounted(submissions: list[Submission]) -> list[Job] | None:
    """The ended jobs of `submissions` that accounting knows; None where there is no accounting."""
    # A day earlier, for a clock that goes wrong.
    since = min(one.created_at for one in submissions) - DAY_S
    names = ",".join(one.sid for one in submissions)
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
    try:
        text = output_of([*SACCT.split(), f"--name={names}", f"--starttime={start}"])
    except SlurmError:
        return None
    lines = (line.split("|") for line in text.splitlines())
    return [job for fields in lines for job in _accounted_jobs(fields)]


def _accounted_jobs(fields: list[str]) -> Iterator[Job]:
    if len(fields) != 7 or not SID.fullmatch(fields[1]) or not fields[2]:
        return
    array, _, index = fields[0].partition("_")
    state, *by = fields[2].split()
    if state not in ENDED:  # squeue does not know it: its end was never told to the database
        return
    # Any other reason is why it waited, once, before it started.
    never = fields[6] if fields[6] in (NEVER_SATISFIED, REFUSED) else ""
    for one in _indices(index):
        yield Job(
            sid=fields[1],
            index=one,
            job_id=f"{array}_{one}",
            state=state,
            reason=" ".join(by) or never,
            node="" if fields[4] == "None assigned" else fields[4],
            elapsed_s=float(fields[5]) if fields[5].isdecimal() else 0.0,
            exit_code=fields[3],
        )


def _newest(jobs: Iterable[Job]) -> dict[tuple[str, int], Job]:
    # A job without a right to requeue is followed by another of its name and index.
    ranked = sorted(jobs, key=lambda job: (job.live, job.reason != REFUSED, int(job.array_id)))
    return {(job.sid, job.index): job for job in ranked}


def _indices(text: str) -> list[int]:
    """The indices in "7", or in what tasks that wait are told as: "[3-9,12%2]"; none in "N/A"."""
    found: list[int] = []
    for part in text.strip("[]").partition("%")[0].split(","):
        match = INDICES.fullmatch(part)
        if match:
            first, last, step = (int(group) if group else None for group in match.groups())
            assert first is not None  # the pattern's first group is never empty
            found += range(first, (first if last is None else last) + 1, step or 1)
    return found
