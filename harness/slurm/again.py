"""A job once more: back into the queue, or, where a site forbids that, a successor in its place.

Jobs are named "123_4" in every call: task 4 of array 123 may have 123 as its own number too, and
`scontrol requeue 123` would then put back all of the array.
"""

import os
import re
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LaunchError
from harness.launch.attempt import JobName
from harness.paths import RunsFolder
from harness.slurm.commands import Reply, SlurmError, call
from harness.slurm.submissions import SID, Submission

RETRY_FOR_S = 3600.0  # a controller that is away: nobody else could have this job's node meanwhile
RETRY_EVERY_S = 5.0


@dataclass(frozen=True)
class JobNow:
    """What Slurm says of this job: its state, "" where Slurm does not answer, and preemption."""

    state: str
    preempted: bool = False


def look_at(job: JobName) -> JobNow:
    """What Slurm says of the job that this process belongs to."""
    shown = _ask("scontrol", "show", "job", job.job_id)
    state = re.search(r"\bJobState=(\w+)", shown.out)
    preempted = re.search(r"\bPreemptTime=(\S+)", shown.out)
    return JobNow(
        state=state[1] if state else "",
        preempted=bool(preempted and preempted[1] not in ("None", "Unknown", "N/A")),
    )


def once_more(
    runs: RunsFolder, submission: Submission, job: JobName, index: int, *, not_on: str = ""
) -> str:
    """Have the job done once more; returns what was done, in words that follow the job's number.

    Args:
        runs: where its batch script lies.
        submission: of the job.
        job: the one that this process belongs to.
        index: in its array.
        not_on: a node to avoid, where Slurm has others; "" for none.

    Raises:
        LaunchError: Slurm refuses.
    """
    if not_on:
        try:
            return _followed(runs, job, index, not_on)
        except LaunchError as error:  # it may be the only node
            print(f"harness: {error}", file=sys.stderr)
    if submission.requeue:
        reply = _ask("scontrol", "requeue", job.job_id)
        if reply.code == 0:
            return "goes back into the queue"
        if reply.is_silence:
            raise LaunchError(f"scontrol requeue {job.job_id} failed: {reply.in_one_line}")
        # Else Slurm forbids it, whatever the site file says.
    return _followed(runs, job, index)


def _followed(runs: RunsFolder, job: JobName, index: int, not_on: str = "") -> str:
    successor = _successor(job, index) or _submit(runs, job, index, not_on)
    if look_at(job).state != "RUNNING":  # cancelled in between: meant for the successor too
        _ask("scancel", successor)
        return f"was taken away by Slurm meanwhile, and so was its successor {successor}"
    moved = [_wait_for(child, successor) for child in _children(job)]
    avoids = f" not on {not_on}" if not_on else ""
    return ", ".join((f"is followed by {successor}{avoids}", *moved))


def _successor(job: JobName, index: int) -> str | None:
    """A live job for the same run that is not this one."""
    listed = _ask("squeue", "-h", "-r", f"--name={job.sid}", "-o", "%F_%K")
    if listed.code != 0:
        raise LaunchError(f"squeue failed, so no successor is submitted: {listed.in_one_line}")
    others = [
        name for name in listed.out.split() if name.endswith(f"_{index}") and name != job.job_id
    ]
    return others[-1] if others else None


def _submit(runs: RunsFolder, job: JobName, index: int, not_on: str) -> str:
    script = runs.batch_script(job.sid)
    if not script.exists():
        raise LaunchError(f"There is no {script}, so no successor can be submitted.")
    command = [
        "sbatch",
        f"--array={index}",
        # It begins when this job has ended, well or not; and no longer after the base's.
        f"--dependency=afterany:{job.job_id}",
        *([f"--exclude={','.join([*_excluded(script), not_on])}"] if not_on else []),
        str(script),
    ]
    give_up_at = time.monotonic() + RETRY_FOR_S
    while True:
        reply = call(command)
        if reply.job_id:
            return f"{reply.job_id}_{index}"
        if not reply.is_silence or time.monotonic() > give_up_at:
            raise LaunchError(f"No successor for {job.job_id}: sbatch says {reply.in_one_line}")
        time.sleep(RETRY_EVERY_S)
        if found := _successor(job, index):  # it was made, and only the answer was lost
            return found


def _excluded(script: Path) -> list[str]:
    """The nodes that the site itself excludes: said to sbatch anew, the option replaces this."""
    lines = re.findall(r"^#SBATCH --exclude=(.*)$", script.read_text(), re.MULTILINE)
    return [word for line in lines for word in shlex.split(line)]


def _children(job: JobName) -> list[str]:
    """The arrays of ours that wait for this job."""
    listed = _ask("squeue", "-h", "-t", "PENDING", "-u", str(os.getuid()), "-o", "%F|%j|%E")
    if listed.code != 0:
        raise LaunchError(f"squeue failed, so jobs that wait may be lost: {listed.in_one_line}")
    waits = re.compile(rf"\bafterok:{re.escape(job.job_id)}(?!\d)")
    rows = [line.split("|", 2) for line in listed.out.splitlines()]
    ours = [row for row in rows if len(row) == 3 and SID.fullmatch(row[1]) and waits.search(row[2])]
    return sorted({array for array, _, _ in ours})


def _wait_for(child: str, successor: str) -> str:
    dependency = f"Dependency=afterok:{successor}"
    reply = _ask("scontrol", "update", f"JobId={child}", dependency)
    if reply.code != 0:
        return f"for which {child} does not wait ({reply.in_one_line})"
    return f"for which {child} waits now"


def _ask(*command: str) -> Reply:
    """What the command says, asked again while Slurm's controller does not answer."""
    give_up_at = time.monotonic() + RETRY_FOR_S
    while True:
        try:
            reply = call(command)
        except SlurmError as error:
            return Reply(127, err=str(error))
        if not reply.is_silence or time.monotonic() > give_up_at:
            return reply
        time.sleep(RETRY_EVERY_S)
