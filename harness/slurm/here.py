"""The job that this process belongs to, by what Slurm has put into its environment."""

from collections.abc import Mapping

from harness.errors import LaunchError
from harness.launch.attempt import JobName


def job_here(sid: str, environment: Mapping[str, str]) -> tuple[JobName, int]:
    """The job, and its index in its array.

    Args:
        sid: of its submission.
        environment: of this process.

    Raises:
        LaunchError: this process is in no job of an array.
    """
    try:
        index = int(environment["SLURM_ARRAY_TASK_ID"])
        array = environment["SLURM_ARRAY_JOB_ID"]
        restart = int(environment.get("SLURM_RESTART_COUNT", 0))
    except (KeyError, ValueError) as error:
        raise no_job(error) from error
    return JobName(sid=sid, job_id=f"{array}_{index}", restart=restart), index


def no_job(error: Exception) -> LaunchError:
    """The error for an environment that is not that of a job of ours."""
    return LaunchError(
        f"This process is in no job of a Slurm array ({type(error).__name__}: {error}). `harness "
        "submit --site NAME` makes such jobs; to train a run here give `harness run RUN`."
    )
