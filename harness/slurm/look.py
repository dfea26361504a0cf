"""The states of runs on a cluster: their files first, then one question to Slurm."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from harness.files import tail
from harness.grid.spec import RunSpec, base_of
from harness.grid.state import RunState, State, is_done, run_state
from harness.lease import live_holder
from harness.paths import RunsFolder
from harness.records import read_begin, read_outcome
from harness.slurm.causes import Traces, of_waiting, state_of
from harness.slurm.commands import SlurmError
from harness.slurm.jobs import Answer, Job, ask
from harness.slurm.submissions import Submission, submissions_of

BY_FILES = "By files alone: "


@dataclass(frozen=True)
class Look:
    """What is known of some runs at one moment.

    Attributes:
        states: of every run that was asked for, in that order.
        jobs: by run id, of those that have one: a live one before any other, else the newest.
        waiting: ids of runs that are for Slurm when its queue has room.
        asked: whether Slurm was asked.
        note: why Slurm has no part in it; "" where it answered or was not needed.
    """

    states: dict[str, RunState]
    jobs: dict[str, Job]
    waiting: frozenset[str] = frozenset()
    asked: bool = True
    note: str = ""


def look(specs: Mapping[str, RunSpec], runs: RunsFolder) -> Look:
    """The state of each run. No command is run where no undone run was ever given to Slurm.

    Args:
        specs: the runs by id, each base before its fine-tunes.
        runs: where their folders are.
    """
    undone = undone_of(specs, runs)
    submissions = submissions_of(runs, undone)
    if not submissions:
        return replace(look_with(specs, runs, undone, (), Answer({}, 0)), asked=False)
    try:
        answer = ask(submissions, undone)
    except SlurmError as error:
        seen = look_with(specs, runs, undone, submissions, None)
        return replace(seen, note=f"{BY_FILES}{error}")
    return look_with(specs, runs, undone, submissions, answer)


def undone_of(specs: Mapping[str, RunSpec], runs: RunsFolder) -> tuple[str, ...]:
    """The runs that are not done by their files."""
    return tuple(run_id for run_id, spec in specs.items() if not is_done(spec, runs.run(run_id)))


def look_with(
    specs: Mapping[str, RunSpec],
    runs: RunsFolder,
    undone: Collection[str],
    submissions: Collection[Submission],
    answer: Answer | None,
) -> Look:
    """The states, given what Slurm says.

    Args:
        specs: the runs by id, each base before its fine-tunes.
        runs: where their folders are.
        undone: those of them that were not done before Slurm was asked.
        submissions: that hold an undone run.
        answer: what Slurm says of them; None where it does not answer.
    """
    jobs = _jobs_of(submissions, answer) if answer else {}
    jobs = {run_id: job for run_id, job in jobs.items() if run_id in specs}
    newest = _newest_submissions(submissions, jobs)
    waiting = frozenset(
        run_id
        for run_id, one in newest.items()
        if one.run_ids.index(run_id) in one.waiting and not (run_id in jobs and jobs[run_id].live)
    )
    now = time.time()
    states: dict[str, RunState] = {}
    for run_id in specs:
        if run_id not in undone:
            states[run_id] = _DONE
            continue
        base_id, base = _base(specs[run_id], states, runs)
        if run_id in waiting:
            makes_way = answer is None or any(job.live for job in jobs.values())
            states[run_id] = of_waiting(base_id, base, makes_way=makes_way)
            continue
        job = jobs.get(run_id)
        try:
            traces = _traces(specs[run_id], runs, job, newest.get(run_id))
        except PermissionError as error:  # a colleague's folder
            reason = f"{error.filename} cannot be read: {error.strerror}"
            states[run_id] = RunState(State.BLOCKED, reason)
            continue
        if traces is None:
            states[run_id] = _DONE
            continue
        states[run_id] = state_of(
            traces,
            job,
            base_id,
            base,
            answered=answer is not None,
            accounted=answer is not None and answer.accounted,
            now=now,
        )
    return Look(states, jobs, waiting)


_DONE = RunState(State.DONE)


def _base(
    spec: RunSpec, states: Mapping[str, RunState], runs: RunsFolder
) -> tuple[str | None, RunState | None]:
    base = base_of(spec)
    if base is None:
        return None, None
    state = states.get(base.run_id)
    return base.run_id, state or run_state(base, runs)


def _jobs_of(submissions: Collection[Submission], answer: Answer) -> dict[str, Job]:
    found: dict[str, Job] = {}
    for submission in sorted(submissions, key=lambda one: one.created_at):
        for index, run_id in enumerate(submission.run_ids):
            job = answer.jobs.get((submission.sid, index))
            if job and (job.live or run_id not in found or not found[run_id].live):
                found[run_id] = job
    return found


def _newest_submissions(
    submissions: Collection[Submission], jobs: Mapping[str, Job]
) -> dict[str, Submission]:
    """Of each run the submission of its live job, else the newest that holds it."""
    by_sid = {one.sid: one for one in submissions}
    ranked = sorted(submissions, key=lambda one: one.created_at)
    newest = {run_id: one for one in ranked for run_id in one.run_ids}
    return newest | {run_id: by_sid[job.sid] for run_id, job in jobs.items() if job.live}


def _traces(
    spec: RunSpec, runs: RunsFolder, job: Job | None, submission: Submission | None
) -> Traces | None:
    """What the files say now; None where the run is done after all."""
    paths = runs.run(spec.run_id)
    if job and job.live:
        return Traces(submission=submission)
    if submission and is_done(spec, paths):  # it ended well while Slurm was asked
        return None
    numbers = paths.attempt_numbers()
    attempt = paths.attempt(numbers[-1]) if numbers else None
    return Traces(
        holder=live_holder(paths.lease),
        attempts=len(numbers),
        begin=read_begin(attempt.begin) if attempt else None,
        outcome=read_outcome(attempt.outcome) if attempt else None,
        submission=submission,
        printed=_printed(runs, job) if job and job.state == "FAILED" else "",
    )


def _printed(runs: RunsFolder, job: Job) -> str:
    return tail(runs.job_log(job.sid, job.job_id)).decode(errors="replace")
