"""What becomes of a job once its processes have ended: done, given up, or once more.

The batch script starts `python -P -m harness.slurm.aftermath RUNS SID CODE` after srun, with srun's
exit code. That does not happen where Slurm itself ends the job (scancel, time limit, its own
requeue): what is decided here is about jobs whose processes ended before Slurm ended them.
"""

import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from harness.errors import HarnessError, LaunchError
from harness.files import tail
from harness.grid.state import is_done
from harness.launch.attempt import JobName, new_attempt, write_end
from harness.launch.job import read_spec
from harness.lease import live_holder
from harness.paths import AttemptPaths, RunPaths, RunsFolder
from harness.records import End, read_begin, read_outcome, write_outcome
from harness.slurm.again import JobNow, look_at, once_more
from harness.slurm.causes import OUT_OF_MEMORY, last_words
from harness.slurm.here import job_here
from harness.slurm.submissions import Submission, read_submission
from harness.slurm.waiting import give_waiting

ENDS_BADLY = 3  # not 1, with which Python ends where it cannot import harness
MOST_WITHOUT_PROGRESS = 3
ELSEWHERE = frozenset((End.NOT_STARTED, End.BAD_NODE))  # the fault may be the node's
AGAIN = ELSEWHERE | {End.ASKED, End.PREEMPTED, End.KILLED}  # another attempt may end otherwise
TAKEN_AWAY = frozenset((End.INTERRUPTED, End.PREEMPTED, End.LOST))  # of a job: by Slurm
SIGNALLED = 128  # a shell's exit code for a process that a signal ended is this and its number
OTHER_KILLED = re.compile(
    r"\btask ([1-9]\d*): (Killed|Out Of Memory|Segmentation fault|Bus error|Aborted)"
)
OVER_MEMORY = "killed for using more memory than its job asked for"
WHY = {
    End.PREEMPTED: "preempted",
    End.ASKED: "asked to stop: its time limit was near, or by a person",
}
SAID_BY_ERROR = frozenset((*WHY, End.KILLED))


class Then(StrEnum):
    """What becomes of a job."""

    AGAIN = "again"
    ELSEWHERE = "again, on another node"
    ENDS_WELL = "ends well"
    ENDS_BADLY = "ends badly"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is known when the processes of a job have ended.

    Attributes:
        done: the run is.
        withdrawn: the submission was.
        state: of the job, by Slurm; "" where Slurm does not answer.
        attempt: this job's; None where it made none, or what became of it does not matter.
        ended: how that attempt ended.
        error: of that attempt.
        superseded: another process trains the run now, or has since.
        without_progress: attempts in a row, this one the last, that brought no new checkpoint.
    """

    done: bool = False
    withdrawn: bool = False
    state: str = "RUNNING"
    attempt: AttemptPaths | None = None
    ended: End | None = None
    error: str = ""
    superseded: bool = False
    without_progress: int = 0


@dataclass(frozen=True)
class Decision:
    """What becomes of the job, and why; `in_vain` where it would go on, had that not been tried."""

    then: Then
    why: str
    in_vain: str = ""


def decide(story: Story) -> Decision:
    """What becomes of the job."""
    if story.withdrawn:
        return Decision(Then.ENDS_WELL, "its submission was withdrawn")
    if story.done:
        return Decision(Then.ENDS_WELL, "done")
    if story.state != "RUNNING":
        said = story.state or "nothing: it does not answer"
        return Decision(Then.ENDS_BADLY, f"left to Slurm, which says {said}")
    if story.superseded or story.ended is None:
        return Decision(Then.ENDS_BADLY, "another process has taken the run over")
    why = story.error or story.ended
    if story.error and story.ended not in SAID_BY_ERROR:
        why = f"{story.ended}: {story.error}"
    if story.ended not in AGAIN:
        return Decision(Then.ENDS_BADLY, why)
    if story.without_progress >= MOST_WITHOUT_PROGRESS and story.ended is not End.PREEMPTED:
        tried = f"{story.without_progress} attempts in a row brought no new checkpoint"
        return Decision(Then.ENDS_BADLY, why, tried)
    return Decision(Then.ELSEWHERE if story.ended in ELSEWHERE else Then.AGAIN, why)


def main() -> int:
    """The exit code of the job: 0 lets the jobs that wait for it start."""
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # half of what follows would be worse than all of it
    runs, sid, code = RunsFolder(Path(sys.argv[1]).resolve()), sys.argv[2], int(sys.argv[3])
    try:
        return settle(runs, sid, code, os.environ)
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        return ENDS_BADLY


def settle(runs: RunsFolder, sid: str, code: int, environment: Mapping[str, str]) -> int:
    """Decide, do it, and say so on stderr in one line; returns the exit code of the job.

    Args:
        runs: where the runs' folders are.
        sid: the submission of this job.
        code: srun's exit code.
        environment: of the batch script; Slurm says in it which job this is.

    Raises:
        HarnessError: what should be on disk is not there.
    """
    submission = read_submission(runs.submission(sid))
    job, index = job_here(sid, environment)
    paths = runs.run(submission.run_ids[index])
    story = _story(runs, submission, paths, job, code)
    decision = decide(story)
    did = "ends"
    if decision.then in (Then.AGAIN, Then.ELSEWHERE):
        node = environment.get("SLURMD_NODENAME", "") if decision.then is Then.ELSEWHERE else ""
        try:
            did = once_more(runs, submission, job, index, not_on=node)
        except LaunchError as error:
            _add(story.attempt, str(error))
            raise
    why = decision.why
    if decision.in_vain:
        why += f", and {decision.in_vain}"
        _add(story.attempt, decision.in_vain)
    print(f"harness: {job.job_id} {did} ({why})", file=sys.stderr)
    if did == "ends" and story.state == "RUNNING":  # else Slurm may end this process at any moment
        _make_way(runs)
    return 0 if decision.then is Then.ENDS_WELL else ENDS_BADLY


def _make_way(runs: RunsFolder) -> None:
    try:
        given = give_waiting(runs)
    except HarnessError as error:
        print(f"harness: what waits for room was not submitted: {error}", file=sys.stderr)
        return
    if given:
        print(f"harness: submitted, now that there is room: {', '.join(given)}", file=sys.stderr)


def _story(
    runs: RunsFolder, submission: Submission, paths: RunPaths, job: JobName, code: int
) -> Story:
    story = Story(withdrawn=bool(submission.withdrawn))
    if story.withdrawn or is_done(read_spec(paths), paths):
        return replace(story, done=not story.withdrawn)
    now = look_at(job)
    if now.state not in ("RUNNING", ""):
        # Slurm takes the job away, and writes the outcome of that itself.
        return replace(story, state=now.state)
    number = _attempt_of(paths, job)
    if number is None:
        if live_holder(paths.lease):
            return replace(story, superseded=True)
        # It ended on its way to an attempt, and counts as one, lest it goes on for ever.
        number = int(new_attempt(paths, job).folder.name)
        _write_not_started(runs, paths, paths.attempt(number), job, code)
    attempt = paths.attempt(number)
    _write_outcome(runs, paths, attempt, job, now, code)
    outcome = read_outcome(attempt.outcome)
    return replace(
        story,
        state=now.state,
        attempt=attempt,
        ended=outcome.ended if outcome else End.FAILED,
        error=outcome.error if outcome else f"{attempt.outcome} is damaged",
        superseded=_superseded(paths, number),
        without_progress=attempts_without_progress(paths, job.sid),
    )


def _attempt_of(paths: RunPaths, job: JobName) -> int | None:
    """The number of the attempt that this job has made since Slurm last started it."""
    for number in reversed(paths.attempt_numbers()):
        begin = read_begin(paths.attempt(number).begin)
        if begin and JobName(begin.sid, begin.job_id, begin.restart) == job:
            return number
    return None


def _superseded(paths: RunPaths, number: int) -> bool:
    begin, holder = read_begin(paths.attempt(number).begin), live_holder(paths.lease)
    # In a container the host may have another name: then our own dead worker seems to live.
    ours = begin and holder and (begin.host, begin.pid) == (holder.host, holder.pid)
    return number != max(paths.attempt_numbers()) or bool(holder and not ours)


def _write_not_started(
    runs: RunsFolder, paths: RunPaths, attempt: AttemptPaths, job: JobName, code: int
) -> None:
    if code <= SIGNALLED:
        said = last_words(_printed_since(runs, job, attempt)) or f"exit code {code}"
        write_end(paths, attempt, End.NOT_STARTED, said)


def _write_outcome(
    runs: RunsFolder, paths: RunPaths, attempt: AttemptPaths, job: JobName, now: JobNow, code: int
) -> None:
    """Say what the attempt could not: that it was killed, or who has interrupted it."""
    if not attempt.outcome.exists():
        how = f"signal {code - SIGNALLED}" if code > SIGNALLED else f"a signal, exit code {code}"
        write_end(paths, attempt, End.KILLED, f"killed by {how}")
    told = read_outcome(attempt.outcome)
    if told is None:
        return
    outcome = told
    printed = _printed_since(runs, job, attempt)
    lost = OTHER_KILLED.search(printed)
    if told.ended is End.INTERRUPTED and lost:  # for which srun asked this process to end
        error = f"process {lost[1]} of the run was killed ({lost[2]})"
        outcome = replace(told, ended=End.KILLED, error=error)
    elif told.ended is End.INTERRUPTED:
        by = End.PREEMPTED if now.preempted else End.ASKED
        outcome = replace(told, ended=by, error=WHY[by])
    if outcome.ended is End.KILLED and OUT_OF_MEMORY.search(printed):
        outcome = replace(outcome, ended=End.OUT_OF_MEMORY, error=OVER_MEMORY)
    if outcome != told:
        write_outcome(attempt.outcome, outcome)


def _add(attempt: AttemptPaths | None, why: str) -> None:
    """Say in the outcome why the job does not go on after all."""
    outcome = read_outcome(attempt.outcome) if attempt else None
    if attempt and outcome:
        write_outcome(attempt.outcome, replace(outcome, error=f"{outcome.error}, and {why}"))


def _printed_since(runs: RunsFolder, job: JobName, attempt: AttemptPaths) -> str:
    """What stands in Slurm's file of the job's stderr after the first line of this attempt."""
    text = tail(runs.job_log(job.sid, job.job_id)).decode(errors="replace")
    return text.rpartition(f"{attempt.folder}\n")[2]


def attempts_without_progress(paths: RunPaths, sid: str) -> int:
    """How many attempts in a row, the newest last, left the newest checkpoint where it was.

    Those that Slurm took the job from are passed over: they say nothing of the run.

    Args:
        paths: of the run.
        sid: the submission; whoever submits the run again starts a new row.
    """
    stuck = 0
    done_after = paths.newest_iteration()
    for number in reversed(paths.attempt_numbers()):
        begin = read_begin(paths.attempt(number).begin)
        outcome = read_outcome(paths.attempt(number).outcome)
        if begin is None or outcome is None or begin.sid != sid:
            return stuck
        if outcome.ended not in TAKEN_AWAY:
            if outcome.ended not in AGAIN or done_after > begin.iteration:
                return stuck
            stuck += 1
        done_after = begin.iteration
    return stuck


if __name__ == "__main__":
    sys.exit(main())
