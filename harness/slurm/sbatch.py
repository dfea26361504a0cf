"""sbatch: one array of jobs goes to Slurm, and what its answer means."""

from pathlib import Path

from submitit import SlurmExecutor
from submitit.core.utils import FailedSubmissionError

from harness.errors import LaunchError
from harness.files import write_text
from harness.paths import RunsFolder
from harness.slurm.batch_script import array_request, batch_script
from harness.slurm.commands import TIMEOUT_S, Reply, SlurmError, call
from harness.slurm.site import Site
from harness.slurm.submissions import Submission

# The request may have reached the controller although the answer did not come back.
UNCERTAIN = (
    "timed out",
    "timeout",
    "connect",
    "communicat",
    "zero bytes",
    "receive",
    "interrupted",
)

# What Slurm says, in small letters, and what to do then.
ADVICE = {
    "invalid partition": "Correct partition: `sinfo -o %P` lists them.",
    "invalid account": "Correct account, or partition and qos: `sacctmgr show assoc user=$USER` "
    "lists what goes together.",
    "invalid qos": "Correct qos: `sacctmgr show assoc user=$USER format=account,partition,qos`.",
    "invalid feature": "Correct constraint: `sinfo -o %f` lists the features.",
    "array specification": "Lower max_array_size: `scontrol show config | grep MaxArraySize`.",
    "submitjob": "Your account may have no more jobs in the queue: set max_submitted, and give the "
    "command again when some have ended.",
    "job violates accounting/qos": "A limit of your account is below what the site file asks for, "
    "or of jobs in the queue: see max_submitted, time_limit_min, gpus_per_node.",
    "time limit": "Lower time_limit_min: `sinfo -o '%P %l'` shows what partitions allow.",
    "invalid generic resource": "Correct gpu_option or gpu_type: `sinfo -o %G` shows the GPUs.",
    "memory": "Lower mem_gb_per_gpu: `sinfo -o '%m %c'` shows the nodes' memory in MB.",
    "node configuration": "No node has that many GPUs and CPUs and that much memory: `sinfo -o "
    "'%N %c %m %G'` shows what they have.",
}


class SbatchError(LaunchError):
    """sbatch did not give a job id.

    Attributes:
        certain: whether there is no job; False where there may be one all the same.
    """

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


def submit_array(runs: RunsFolder, submission: Submission, site: Site, *, after: str | None) -> str:
    """Give the array of `submission` to Slurm; the array's job id.

    The batch script stays in `runs.job_output(sid)`, where its jobs print too: a private folder.

    Args:
        runs: where the runs' folders are.
        submission: its record, already written.
        site: the cluster.
        after: the job, as "123_4", that must end well before any of these starts.

    Raises:
        SbatchError: sbatch failed or did not answer, or a path cannot be told to Slurm.
    """
    request = array_request(runs, submission, site, after)
    try:
        text = batch_script(request, site)
    except LaunchError as error:
        raise SbatchError(str(error), certain=True) from error
    script = runs.batch_script(submission.sid)
    write_script(script, text)
    return send(script, site)


def write_script(script: Path, text: str) -> None:
    """Write a batch script into a folder which is made, and private."""
    script.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    script.parent.chmod(0o700)
    write_text(script, text)


def send(script: Path, site: Site) -> str:
    """The id of the job that sbatch makes of `script`.

    Raises:
        SbatchError: there is none, or it is not known whether there is one.
    """
    try:
        reply = call(["sbatch", str(script)])
    except SlurmError as error:
        raise SbatchError(str(error), certain=True) from error
    if reply.code is None:
        raise SbatchError(
            f"sbatch did not answer within {TIMEOUT_S:.0f} s, so the job may exist. Give the same "
            "command again later: it finds the job by its name, and makes no second one.",
            certain=False,
        )
    if reply.code != 0:
        raise refused(reply, site)
    try:
        job_id: str = SlurmExecutor._get_job_id_from_submission_command(reply.out)
    except FailedSubmissionError as error:
        raise SbatchError(
            f"sbatch named no job: it said {reply.out.strip()!r}. The job may exist. Give the "
            "same command again: it finds the job by its name.",
            certain=False,
        ) from error
    return job_id


def refused(reply: Reply, site: Site) -> SbatchError:
    """What sbatch's failure means: certain where Slurm itself has said no."""
    said = reply.in_one_line
    if (reply.code or 0) < 0 or any(word in said.lower() for word in UNCERTAIN):
        return SbatchError(
            f"sbatch failed without an answer from Slurm: {said}. The job may exist. See that "
            "`scontrol ping` says UP and give the same command again: it finds the job by name.",
            certain=False,
        )
    return SbatchError(
        f"Slurm refuses the jobs of site {site.name!r}: {said}. {advice_for(said)} "
        f"`harness doctor --site {site.name}` checks the site file.",
        certain=True,
    )


def advice_for(said: str) -> str:
    """What to do when Slurm refuses a job with these words."""
    low = said.lower()
    return next(
        (words for heard, words in ADVICE.items() if heard in low), "Correct the site file."
    )
