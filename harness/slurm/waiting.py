"""Runs for which Slurm's queue had no room: whichever job ends next gives them to Slurm.

Their submissions are complete, record and batch script, but for the call of sbatch. Every function
here is for the holder of the submit lock, but for `give_waiting`, which takes it.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from harness.grid.spec import base_of
from harness.grid.state import is_done
from harness.launch.job import read_spec
from harness.lease import lease
from harness.paths import RunsFolder
from harness.slurm.jobs import Answer, ask
from harness.slurm.sbatch import SbatchError, send, waits_for
from harness.slurm.submissions import Submission, open_submissions, withdraw, write_submission

WAIT_S = 300.0  # for a launcher, or for other jobs that end


def give_waiting(runs: RunsFolder) -> tuple[str, ...]:
    """Give to Slurm what now finds room; the ids of those runs.

    Raises:
        LaunchError: Slurm does not answer or refuses, or another launcher is at it for long.
    """
    if not any(one.waiting for one in open_submissions(runs)):
        return ()
    with lease(runs.submit_lock, f"A submission into {runs.folder}", WAIT_S) as make_sure:
        submissions = open_submissions(runs)
        answer = ask(submissions, ())
        given: list[str] = []
        for one in (one for one in submissions if one.waiting):
            room = len(one.waiting)
            if one.most_jobs is not None:
                room = one.most_jobs - answer.live_total - len(given)
            # What waits for a base that is given here is for the job that ends next.
            after = _base_job(runs, one, submissions, answer)
            if room > 0 and after is not None:
                given += _give(runs, one, room, after, make_sure)
        return tuple(given)


def forget_waiting(runs: RunsFolder, run_ids: Collection[str], why: str) -> None:
    """Let `run_ids` wait no more.

    Args:
        runs: where the records are.
        run_ids: of runs.
        why: what becomes of them instead, in a few words.
    """
    for one in open_submissions(runs):
        left = tuple(index for index in one.waiting if one.run_ids[index] not in run_ids)
        if len(left) == len(one.waiting):
            continue
        if not left and not one.was_given:
            withdraw(runs, replace(one, waiting=left), why)
        else:
            write_submission(runs, replace(one, waiting=left))


def _give(
    runs: RunsFolder, one: Submission, room: int, after: str, make_sure: Callable[[], None]
) -> list[str]:
    now, later = one.waiting[:room], one.waiting[room:]
    cap = f"%{one.max_running}" if one.max_running else ""
    array = f"--array={','.join(map(str, now))}{cap}"
    make_sure()
    # Written first: what is killed in between is then lost, and never given twice.
    write_submission(runs, replace(one, waiting=later))
    try:
        job_id = send(runs.batch_script(one.sid), one.site, array, *waits_for(after or None))
    except SbatchError as error:
        if error.certain:
            write_submission(runs, one)
        raise
    write_submission(runs, replace(one, waiting=later, job_id=one.job_id or job_id))
    return [one.run_ids[index] for index in now]


def _base_job(
    runs: RunsFolder, one: Submission, submissions: Collection[Submission], answer: Answer
) -> str | None:
    """The job to wait for; "" for none; None where the base does not go on, or waits itself."""
    base = base_of(read_spec(runs.run(one.run_ids[0])))
    if base is None or is_done(base, runs.run(base.run_id)):
        return ""
    tasks = (
        (other.sid, other.run_ids.index(base.run_id))
        for other in submissions
        if base.run_id in other.run_ids
    )
    live = (job for task in tasks if (job := answer.jobs.get(task)) and job.live)
    return next((job.job_id for job in live), None)
