"""A job once more: back into the queue, or, where a site forbids that, a successor in its place.

Jobs are named "123_4" in every call: task 4 of array 123 may have 123 as its own number too, and
`scontrol requeue 123` would then put back all of the array.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LaunchError
from harness.launch.attempt import JobName
from harness.paths import RunsFolder
from harness.slurm.submissions import SID, Submission

RETRY_FOR_S = 300.0  # a controller that is started anew
RETRY_EVERY_S = 5.0
TIMEOUT_S = 60.0

NO_ANSWER = re.compile(
    "unable to contact|timed out|connection refused|connection reset|connect failure|"
    "zero bytes|temporarily",
    re.IGNORECASE,
)
# What Slurm sets for a job. A successor would take it over as the user's own environment.
OF_THIS_JOB = ("SLURM_", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES")
KEPT = frozenset(("SLURM_CONF", "SLURM_CLUSTERS"))


@dataclass(frozen=True)
class JobNow:
    """What Slurm says of this job: its state, "" where Slurm does not answer, and preemption."""

    state: str
    preempted: bool = False


def look_at(job: JobName) -> JobNow:
    """What Slurm says of the job that this process belongs to."""
    shown = _ask("scontrol", "show", "job", job.job_id)
    state = re.search(r"\bJobState=(\w+)", shown.stdout)
    preempted = re.search(r"\bPreemptTime=(\S+)", shown.stdout)
    return JobNow(
        state=state[1] if state else "",
        preempted=bool(preempted and preempted[1] not in ("None", "Unknown", "N/A")),
    )


def once_more(runs: RunsFolder, submission: Submission, job: JobName, index: int) -> str:
    """Have the job done once more; returns what was done, in words that follow the job's number.

    Args:
        runs: where its batch script lies.
        submission: of the job.
        job: the one that this process belongs to.
        index: in its array.

    Raises:
        LaunchError: Slurm refuses.
    """
    if submission.requeue:
        done = _ask("scontrol", "requeue", job.job_id)
        if done.returncode == 0:
            return "goes back into the queue"
        if "disabled" not in done.stderr:  # that is the word for a site that forbids it
            raise LaunchError(f"scontrol requeue {job.job_id} failed: {_said(done)}")
    successor = _successor(job, index) or _submit(runs, job, index)
    if (
        look_at(job).state != "RUNNING"
    ):  # cancelled in between: that was meant for the successor too
        _ask("scancel", successor)
        return f"was taken away by Slurm meanwhile, and so was its successor {successor}"
    moved = [_wait_for(child, successor) for child in _children(job)]
    return ", ".join((f"is followed by {successor}", *moved))


def _successor(job: JobName, index: int) -> str | None:
    """A live job for the same run that is not this one."""
    listed = _ask("squeue", "-h", "-r", f"--name={job.sid}", "-o", "%F_%K")
    if listed.returncode:
        raise LaunchError(f"squeue failed, so no successor is submitted: {_said(listed)}")
    others = [
        name for name in listed.stdout.split() if name.endswith(f"_{index}") and name != job.job_id
    ]
    return others[-1] if others else None


def _submit(runs: RunsFolder, job: JobName, index: int) -> str:
    command = [
        "sbatch",
        "--parsable",
        f"--array={index}",
        # It begins when this job has ended, well or not; and no longer after the base's.
        f"--dependency=afterany:{job.job_id}",
        str(_batch_script(runs, job.sid)),
    ]
    give_up_at = time.monotonic() + RETRY_FOR_S
    while True:
        done = _run(command)
        if done.returncode == 0 and (number := re.match(r"\d+", done.stdout)):
            return f"{number[0]}_{index}"
        if not NO_ANSWER.search(done.stderr) or time.monotonic() > give_up_at:
            raise LaunchError(f"No successor for {job.job_id}: sbatch says {_said(done)}")
        time.sleep(RETRY_EVERY_S)
        if found := _successor(job, index):  # it was made, and only the answer was lost
            return found


def _batch_script(runs: RunsFolder, sid: str) -> Path:
    folder = runs.job_output(sid)
    # The second where the launcher was killed before submitit could rename it.
    for pattern in ("*_submission.sh", ".submission_file_*.sh"):
        for script in sorted(folder.glob(pattern)):
            return script
    raise LaunchError(f"There is no batch script in {folder}, so no successor can be submitted.")


def _children(job: JobName) -> list[str]:
    """The arrays of ours that wait for this job."""
    listed = _ask("squeue", "-h", "-t", "PENDING", "-u", str(os.getuid()), "-o", "%F|%j|%E")
    if listed.returncode:
        raise LaunchError(f"squeue failed, so jobs that wait may be lost: {_said(listed)}")
    waits = re.compile(rf"\bafterok:{re.escape(job.job_id)}(?!\d)")
    rows = [line.split("|", 2) for line in listed.stdout.splitlines()]
    ours = [row for row in rows if len(row) == 3 and SID.fullmatch(row[1]) and waits.search(row[2])]
    return sorted({array for array, _, _ in ours})


def _wait_for(child: str, successor: str) -> str:
    dependency = f"Dependency=afterok:{successor}"
    done = _ask("scontrol", "update", f"JobId={child}", dependency)
    if done.returncode:
        return f"for which {child} does not wait ({_said(done)})"
    return f"for which {child} waits now"


def _ask(*command: str) -> subprocess.CompletedProcess[str]:
    """What the command says, asked again while Slurm's controller does not answer."""
    give_up_at = time.monotonic() + RETRY_FOR_S
    while True:
        done = _run(list(command))
        if done.returncode == 0 or not NO_ANSWER.search(done.stderr):
            return done
        if time.monotonic() > give_up_at:
            return done
        time.sleep(RETRY_EVERY_S)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not name.startswith(OF_THIS_JOB)
    }
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"timed out after {TIMEOUT_S:.0f} s")
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr or done.stdout).strip().replace("\n", " ") or f"exit code {done.returncode}"
