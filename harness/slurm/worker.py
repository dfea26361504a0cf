"""What srun starts, once for each GPU: `python -P -u -m harness.slurm.worker RUNS SID`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.errors import HarnessError, LaunchError
from harness.launch.job import Task, execute_in_job
from harness.launch.signals import signals_stop_training
from harness.lease import STALE_AFTER_S
from harness.paths import RunsFolder
from harness.slurm.here import job_here, no_job
from harness.slurm.snapshot import assert_running
from harness.slurm.submissions import read_submission
from harness.stop import Stopped

WAIT_S = STALE_AFTER_S + 30.0  # then a holder on another host that has died is known to have died
FIRST_PORT, PORTS = 20_000, 40_000
GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd")
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
    task, index = task_of(sid, environment)
    if not 0 <= index < len(submission.run_ids):
        raise LaunchError(
            f"Submission {sid} has {len(submission.run_ids)} runs, and this job is of index "
            f"{index}. Cancel the job: `scancel {task.job.job_id}`."
        )
    if submission.withdrawn:
        print(f"Submission {sid} was withdrawn: {submission.withdrawn}", file=sys.stderr)
        return
    assert_running(runs, submission)
    if not any(Path(device).exists() for device in GPU_DEVICES):
        from harness.launch.processes import ONE_THREAD  # brings submitit along

        os.environ.update(ONE_THREAD)  # before torch is loaded: later it does not look
    execute_in_job(runs.run(submission.run_ids[index]).folder, task, WAIT_S)


def task_of(sid: str, environment: Mapping[str, str]) -> tuple[Task, int]:
    """Which process of which job this is, and the job's index in its array.

    Raises:
        LaunchError: Slurm has not started this process as part of an array.
    """
    job, index = job_here(sid, environment)
    try:
        task = Task(
            job=job,
            rank=int(environment["SLURM_PROCID"]),
            processes=int(environment["SLURM_NTASKS"]),
            local_rank=int(environment["SLURM_LOCALID"]),
            port=FIRST_PORT + int(environment["SLURM_JOB_ID"]) % PORTS,
        )
    except (KeyError, ValueError) as error:
        raise no_job(error) from error
    return task, index


if __name__ == "__main__":
    sys.exit(main())
