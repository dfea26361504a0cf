"""From what files and Slurm say of a run to its state, with its true cause: pure functions."""

import pwd
import re
from dataclasses import dataclass, replace

from harness.grid.state import FAILURES, Cause, RunState, State
from harness.lease import Holder
from harness.records import KILLED, Begin, End, Outcome
from harness.slurm.jobs import NEVER_SATISFIED, Job
from harness.slurm.submissions import Submission

# Longer than any controller that still answers leaves an sbatch undone.
APPEAR_WITHIN_S = 60.0

OUT_OF_MEMORY = re.compile(
    r"exceeded (?:job |step )?memory limit|oom.?kill|out of memory", re.IGNORECASE
)
RUNS_NOW = frozenset(("RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT", "RESIZING"))
HELD = frozenset(("REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"))
STOPPED = frozenset((End.INTERRUPTED, End.ASKED, End.PREEMPTED))
FOR_GOOD = frozenset((End.FAILED, End.OUT_OF_MEMORY, End.OUT_OF_GPU_MEMORY))
NOT_TELLING = ("harness: ", "srun: ", "slurmstepd: ")  # at the end of a job's stderr: that it ended
WAITS = frozenset(("PENDING", "REQUEUED", "REQUEUE_FED"))

REASONS = {
    "Resources": "waits for free GPUs, CPUs or memory",
    "Priority": "waits behind others",
    "JobArrayTaskLimit": "waits for others of its array (max_running)",
    "BeginTime": "was put back into the queue, starts again in a moment",
    "None": "waits for Slurm's next look",
    "": "waits for Slurm's next look",
}
ENDED_BY_SLURM = {
    "TIMEOUT": (Cause.TIME_LIMIT, "its job reached the time limit"),
    "DEADLINE": (Cause.TIME_LIMIT, "its job reached its deadline"),
    "PREEMPTED": (Cause.PREEMPTED, "its job was preempted"),
    "NODE_FAIL": (Cause.NODE_FAILURE, "its node failed"),
    "BOOT_FAIL": (Cause.NODE_FAILURE, "its node did not boot"),
}


@dataclass(frozen=True, kw_only=True)
class Traces:
    """What the files say of a run that is not done.

    Attributes:
        holder: who holds its lease and is alive.
        attempts: how many there were.
        begin, outcome: of the newest attempt.
        submission: the one of its job, or the newest that holds it; None where none does.
        printed: the end of what its last job wrote to stderr; "" where that does not matter.
    """

    holder: Holder | None = None
    attempts: int = 0
    begin: Begin | None = None
    outcome: Outcome | None = None
    submission: Submission | None = None
    printed: str = ""


def state_of(
    traces: Traces,
    job: Job | None,
    base_id: str | None,
    base: RunState | None,
    *,
    answered: bool,
    accounted: bool,
    now: float,
) -> RunState:
    """The state of a run that is not done and whose model is built.

    Args:
        traces: what its files say.
        job: its job, live or ended; None where Slurm knows none.
        base_id: of the base that it starts from; None for a base.
        base: the state of that base.
        answered: whether Slurm answered; without that `job` is None and says nothing.
        accounted: whether accounting did: then a job that is not known never started.
        now: seconds since 1970.
    """
    if job and job.live:
        return _of_live(job, base_id)
    if traces.holder and not (answered and _is_of_ended_job(traces)):
        where = f"by process {traces.holder.pid} on {traces.holder.host}, outside Slurm"
        return RunState(State.RUNNING, "" if traces.begin and traces.begin.sid else where)
    if job and traces.submission and job.sid != traces.submission.sid:
        job = None  # of an earlier submission, like what follows
    if _given_since(traces):  # what its earlier attempts came to is no longer the cause
        traces = replace(traces, attempts=0, begin=None, outcome=None)
    if traces.submission and not answered and not _failed_for_good(traces):
        return RunState(State.QUEUED, "was given to Slurm, which does not answer now")
    if job:
        return _of_ended(traces, job, base_id, base)
    given = traces.submission
    if given and given.job_id is None and now - given.created_at < APPEAR_WITHIN_S:
        return RunState(State.QUEUED, "has just been given to Slurm")
    return _of_forgotten(traces, base_id, base, accounted=accounted)


def of_waiting(base_id: str | None, base: RunState | None, *, makes_way: bool) -> RunState:
    """The state of a run for which Slurm's queue had no room.

    Args:
        base_id: of the base that it starts from; None for a base.
        base: the state of that base.
        makes_way: whether a job is left that gives it to Slurm when it ends.
    """
    if base_id and (blocked := _blocked_by(base_id, base)):
        return blocked
    if makes_way:
        return RunState(State.QUEUED, "waits for room in the queue (max_submitted)")
    return RunState(State.TO_DO, "found no room in the queue, and no job is left to make some")


def last_words(printed: str) -> str:
    """The last line that a job wrote to stderr which says more than that it has ended, if any."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(NOT_TELLING)]
    return (telling or lines or [""])[-1]


def goes_on(state: RunState) -> bool:
    """Whether the run comes to its end without anyone's doing."""
    return state.state in (State.DONE, State.RUNNING, State.QUEUED)


def _of_live(job: Job, base_id: str | None) -> RunState:
    if job.state in ("SUSPENDED", "STOPPED"):
        return RunState(State.RUNNING, "suspended by Slurm")
    if job.state in RUNS_NOW:
        return RunState(State.RUNNING)
    if job.state == "CONFIGURING":
        return RunState(State.QUEUED, "its node is made ready")
    base = f"its base {base_id}"
    if job.reason == NEVER_SATISFIED:
        return RunState(State.BLOCKED, f"{base} ended badly", Cause.BASE)
    if job.reason == "Dependency":
        return RunState(State.QUEUED, f"waits for {base}" if base_id else "waits for another job")
    release = f"`scontrol release {job.job_id}` lets it go"
    if job.state in HELD or "held" in job.reason.lower():
        return RunState(State.QUEUED, f"held ({job.reason or job.state}): {release}")
    if job.state not in WAITS:
        return RunState(State.QUEUED, f"Slurm says {job.state}")
    return RunState(State.QUEUED, REASONS.get(job.reason, f"waits ({job.reason})"))


def _of_ended(traces: Traces, job: Job, base_id: str | None, base: RunState | None) -> RunState:
    began = traces.begin if traces.begin and traces.begin.job_id == job.job_id else None
    outcome = traces.outcome if began else None
    if outcome and _failed_for_good(traces):
        return _by_outcome(traces, outcome)
    if outcome and outcome.ended is End.NO_BASE:
        return _without_base(base_id, base)
    if job.state == "OUT_OF_MEMORY" or OUT_OF_MEMORY.search(traces.printed):
        return _out_of_memory(traces, "its job ran out of memory")
    if job.state in ENDED_BY_SLURM:
        cause, reason = ENDED_BY_SLURM[job.state]
        return _failed(cause, f"{reason} on {job.node}" if job.node else reason)
    if job.state == "CANCELLED":
        return _of_cancelled(job, base_id, base, started=bool(began) or job.elapsed_s > 0)
    if began and outcome is None:
        if job.state == "FAILED" and job.elapsed_s == 0:
            # What Slurm calls non-startable: its node came back with the former start still on it.
            return _failed(Cause.NODE_FAILURE, "put back into the queue, and then not startable")
        return _failed(Cause.KILLED, KILLED)
    if outcome:
        return _by_outcome(traces, outcome)
    if job.state == "COMPLETED":
        return _failed(Cause.LOST, f"job {job.job_id} ended well, but its results are not there")
    said = last_words(traces.printed) or _exit_words(job)
    return _failed(Cause.ERROR, f"could not start: {said}")


def _of_cancelled(
    job: Job, base_id: str | None, base: RunState | None, *, started: bool
) -> RunState:
    if base_id and not started:
        blocked = _blocked_by(base_id, base)
        if blocked:
            return blocked
        if job.reason == NEVER_SATISFIED:
            return RunState(State.TO_DO, "its base had not ended well when it was its turn")
    return _failed(Cause.CANCELLED, "cancelled" + _by_whom(job.reason))


def _without_base(base_id: str | None, base: RunState | None) -> RunState:
    """Of a fine-tune that ended for want of its base: nothing of its own needs to be mended."""
    blocked = _blocked_by(base_id, base) if base_id else None
    return blocked or RunState(State.TO_DO, f"its base {base_id} was not done when it started")


def _of_forgotten(
    traces: Traces, base_id: str | None, base: RunState | None, *, accounted: bool
) -> RunState:
    in_slurm = bool(traces.begin and traces.begin.sid)
    if traces.outcome and traces.outcome.ended is End.NO_BASE:
        return _without_base(base_id, base)
    if traces.outcome and traces.outcome.ended not in STOPPED:
        return _by_outcome(traces, traces.outcome)
    if traces.outcome and in_slurm:
        return _failed(Cause.LOST, "interrupted, and Slurm no longer knows its job")
    if traces.attempts and traces.outcome is None:
        if in_slurm:
            return _failed(Cause.LOST, "ended without a word, and Slurm no longer knows its job")
        return _failed(Cause.KILLED, KILLED)
    blocked = _blocked_by(base_id, base) if base_id else None
    if blocked:
        return blocked
    if traces.submission and not traces.attempts:
        if accounted:  # Slurm keeps no record of a task that was cancelled while it waited
            return _failed(Cause.CANCELLED, "cancelled before it started")
        return _failed(
            Cause.LOST,
            "Slurm no longer knows its job, which left nothing (cancelled while it waited?)",
        )
    return RunState(State.TO_DO)


def _by_outcome(traces: Traces, outcome: Outcome) -> RunState:
    if outcome.ended is End.OUT_OF_MEMORY:
        return _out_of_memory(traces, outcome.error or "ran out of memory")
    if outcome.ended is End.LOST:
        return _failed(Cause.LOST, outcome.error or "Slurm took its job away")
    reason = outcome.error or str(outcome.ended)
    if outcome.ended is End.DONE:
        reason = "it ended well, but its checkpoint or metrics.json is not whole any more"
    if outcome.ended is End.NOT_STARTED:
        reason = f"could not start: {reason}"
    return _failed(FAILURES.get(outcome.ended, Cause.KILLED), reason)


def _out_of_memory(traces: Traces, what: str) -> RunState:
    asked = traces.submission.mem_gb if traces.submission else None
    had = f"{asked:g} GB asked for" if asked else "the cluster's default"
    return _failed(Cause.OUT_OF_MEMORY, f"{what}, {had}")


def _blocked_by(base_id: str, base: RunState | None) -> RunState | None:
    if base is None or base.state not in (State.FAILED, State.BLOCKED):
        return None
    how = {Cause.CANCELLED: "was cancelled", Cause.NONE: "cannot start"}.get(base.cause, "failed")
    return RunState(State.BLOCKED, f"its base {base_id} {how}", Cause.BASE)


def _given_since(traces: Traces) -> bool:
    """Whether the run was given to Slurm again after its newest attempt began."""
    begin, given = traces.begin, traces.submission
    return bool(begin and given and begin.sid != given.sid and begin.started_at < given.created_at)


def _failed_for_good(traces: Traces) -> bool:
    return traces.outcome is not None and traces.outcome.ended in FOR_GOOD


def _is_of_ended_job(traces: Traces) -> bool:
    """Whether the lease is left by a job that Slurm knows has ended, on a host that is gone."""
    holder, begin, submission = traces.holder, traces.begin, traces.submission
    return bool(
        holder
        and begin
        and submission
        and begin.sid == submission.sid
        and (begin.host, begin.pid) == (holder.host, holder.pid)
    )


def _failed(cause: Cause, reason: str) -> RunState:
    return RunState(State.FAILED, reason, cause)


def _exit_words(job: Job) -> str:
    return f"exit code {job.exit_code}" if job.exit_code else f"Slurm says {job.state}"


def _by_whom(reason: str) -> str:
    """From sacct's "by 1000" to " by anna"; "" where it does not say."""
    match = re.fullmatch(r"by (\d+)", reason)
    if not match:
        return ""
    try:
        return f" by {pwd.getpwuid(int(match[1])).pw_name}"
    except KeyError:
        return f" by user {match[1]}"
