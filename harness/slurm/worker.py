"""What srun starts, once for each GPU: `python -P -u -m harness.slurm.worker RUNS SID`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.errors import HarnessError, LaunchError
from harness.launch.job import ONE_THREAD, Task, execute_in_job
from harness.launch.signals import signals_stop_training
from harness.lease import STALE_AFTER_S
from harness.paths import RunsFolder
from harness.slurm.here import job_here, no_job
from harness.slurm.snapshot import assert_running
from harness.slurm.submissions import Submission, read_submission
from harness.stop import Stopped

WAIT_S = STALE_AFTER_S + 30.0  # then a holder on another host that has died is known to have died
STOPPED = 143  # as a shell says it of a process that was asked to end


def main() -> int:
    """The exit code of this process: 0 once the run is done, or has no job any more."""
    runs, sid = RunsFolder(Path(sys.argv[1]).resolve()), sys.argv[2]
    try:
        with signals_stop_training():
            work(runs, sid, os.environ)
    except HarnessError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except Stopped:
        # The first process says how the run ended: srun would end it for another's bad exit.
        return STOPPED if os.environ.get("SLURM_PROCID") == "0" else 0
    return 0


def work(runs: RunsFolder, sid: str, environment: Mapping[str, str]) -> None:
    """Train and score the run that this job of submission `sid` is for.

    Args:
        runs: where the runs' folders are.
        sid: the submission.
        environment: of this process; Slurm says in it which job and which process this is.

    Raises:
        LaunchError: this is no job of that submission, it does not run the submission's code, or
            another process trains the run.
        HarnessError: the run cannot be trained or scored.
    """
    submission = read_submission(runs.submission(sid))
    task, index = task_of(runs, submission, environment)
    if not 0 <= index < len(submission.run_ids):
        raise LaunchError(
            f"Submission {sid} has {len(submission.run_ids)} runs, and this job has index "
            f"{index}. Cancel the job: `scancel {task.job.job_id}`."
        )
    if submission.withdrawn:
        print(f"Submission {sid} was withdrawn: {submission.withdrawn}", file=sys.stderr)
        return
    assert_running(runs, submission)
    if submission.fake_gpus:
        os.environ.update(ONE_THREAD)  # before torch is loaded: later it does not look
    execute_in_job(runs.run(submission.run_ids[index]).folder, task, WAIT_S)


def task_of(
    runs: RunsFolder, submission: Submission, environment: Mapping[str, str]
) -> tuple[Task, int]:
    """Which process of which job this is, and the job's index in its array.

    Raises:
        LaunchError: Slurm has not started this process as part of an array.
    """
    job, index = job_here(submission.sid, environment)
    try:
        task = Task(
            job=job,
            rank=int(environment["SLURM_PROCID"]),
            processes=int(environment["SLURM_NTASKS"]),
            local_rank=int(environment["SLURM_LOCALID"]),
            meeting=runs.meeting(job.sid, job.job_id, job.restart),
            on_gpu=not submission.fake_gpus,
        )
    except (KeyError, ValueError) as error:
        raise no_job(error) from error
    return task, index


if __name__ == "__main__":
    sys.exit(main())
