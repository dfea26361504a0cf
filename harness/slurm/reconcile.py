"""Before anything is submitted: every record and Slurm's word on it are brought together."""

import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from harness.errors import ResultsError
from harness.paths import RunsFolder
from harness.slurm.causes import APPEAR_WITHIN_S
from harness.slurm.commands import SlurmError
from harness.slurm.jobs import Answer, Job, ask
from harness.slurm.submissions import (
    Submission,
    read_submission,
    submissions_of,
    withdraw,
    write_submission,
)

ASK_EVERY_S = 2.0
NEVER_SEEN = f"Slurm showed no job of it in {APPEAR_WITHIN_S:g} s"


@dataclass(frozen=True)
class Clock:
    """Time as a launcher sees it: seconds since 1970, and waiting for some."""

    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Settled:
    """What is known once no record is in doubt any more.

    Attributes:
        submissions: the open ones that hold an undone run; each that was given has a job id.
        answer: what Slurm says of them.
        unwanted: live jobs that must not be: of a withdrawn submission, or a task's double.
    """

    submissions: tuple[Submission, ...]
    answer: Answer
    unwanted: tuple[Job, ...]


def reconcile(runs: RunsFolder, undone: Collection[str], clock: Clock) -> Settled:
    """What Slurm knows of `undone`, after waiting for jobs that may still appear.

    A launcher that was killed, or whose sbatch was cut off, leaves a record without a job id. Its
    job may turn up a moment later, by its name. When it could no longer, the record is withdrawn:
    should the job come all the same, it ends itself.

    Raises:
        SlurmError: Slurm does not answer. No record was changed.
    """
    begun, told = clock.now(), False
    while True:
        submissions = submissions_of(runs, undone)
        answer = ask(submissions, undone)
        array_ids = _array_ids(answer)
        unseen = [
            one
            for one in submissions
            if one.was_given and not one.job_id and one.sid not in array_ids
        ]
        # The record's time may be of a host whose clock is ahead.
        until = max((min(one.created_at, begun) for one in unseen), default=0.0) + APPEAR_WITHIN_S
        if not unseen or clock.now() >= until:
            break
        if not told:
            print(
                f"An earlier submit was cut off: waiting up to {APPEAR_WITHIN_S:g} s for its jobs, "
                "so that none is made twice.",
                file=sys.stderr,
                flush=True,
            )
            told = True
        clock.wait(ASK_EVERY_S)
    kept = []
    for one in submissions:
        if one.job_id or not one.was_given:
            kept.append(one)
        elif one.sid in array_ids:
            kept.append(replace(one, job_id=array_ids[one.sid]))
            write_submission(runs, kept[-1])
        else:
            withdraw(runs, one, NEVER_SEEN)
    return Settled(tuple(kept), answer, _unwanted(runs, kept, answer))


def find_array(runs: RunsFolder, submission: Submission, clock: Clock) -> str | None:
    """The job id of an array whose sbatch was cut off; None, and withdrawn, if it never appears.

    Raises:
        SlurmError: Slurm does not answer to the end, so nobody knows. The record stays open: the
            next launcher asks again.
    """
    until = clock.now() + APPEAR_WITHIN_S
    while True:
        silent: SlurmError | None = None
        try:
            array_id = _array_ids(ask([submission])).get(submission.sid)
        except SlurmError as error:
            silent, array_id = error, None
        if array_id:
            return array_id
        if clock.now() >= until:
            break
        clock.wait(ASK_EVERY_S)
    if silent:
        raise silent
    withdraw(runs, submission, NEVER_SEEN)
    return None


def _array_ids(answer: Answer) -> dict[str, str]:
    """The array of each submission; the first, where there are several."""
    jobs = sorted((*answer.jobs.values(), *answer.live), key=lambda job: -int(job.array_id))
    return {job.sid: job.array_id for job in jobs}


def _unwanted(runs: RunsFolder, kept: Collection[Submission], answer: Answer) -> tuple[Job, ...]:
    """Live jobs that must not be: see `Settled`."""
    newest = _newest_of_each_run(kept, answer)
    arrays = {one.sid: one.job_id for one in kept}
    waiting = {
        (job.sid, job.index)
        for job in answer.live
        if job.state == "PENDING" and job.array_id == arrays.get(job.sid)
    }
    withdrawn = {sid for sid in {job.sid for job in answer.live} if _is_withdrawn(runs, sid)}
    return tuple(
        job
        for job in answer.live
        if job.sid in withdrawn
        # A run was given twice, by a launcher that was stopped while another took its place.
        or (job.state == "PENDING" and newest.get((job.sid, job.index), job.sid) != job.sid)
        # A successor's forerunner runs: of two that both wait, one was never asked for.
        or (
            job.state == "PENDING"
            and (job.sid, job.index) in waiting
            and job.array_id != arrays[job.sid]
        )
    )


def _newest_of_each_run(kept: Collection[Submission], answer: Answer) -> dict[tuple[str, int], str]:
    """By task the newest submission that has a live job of the same run; a running one's first."""
    runs_of = {
        (one.sid, index): (run_id, one.created_at)
        for one in kept
        for index, run_id in enumerate(one.run_ids)
    }
    live = [job for job in answer.live if (job.sid, job.index) in runs_of]
    live.sort(key=lambda job: (job.state != "PENDING", runs_of[job.sid, job.index][1]))
    newest = {runs_of[job.sid, job.index][0]: job.sid for job in live}
    return {task: newest[run_id] for task, (run_id, _) in runs_of.items() if run_id in newest}


def _is_withdrawn(runs: RunsFolder, sid: str) -> bool:
    path = runs.submission(sid)
    if not path.exists():  # of another runs folder
        return False
    try:
        return bool(read_submission(path).withdrawn)
    except ResultsError:
        return False
