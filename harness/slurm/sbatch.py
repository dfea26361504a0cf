"""sbatch: a batch script goes to Slurm, and what its answer means."""

from pathlib import Path

from harness.errors import LaunchError
from harness.slurm.commands import TIMEOUT_S, Reply, SlurmError, call

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
    "memory": "Lower mem_gb_per_gpu (or --mem-gb): `sinfo -o %m` shows the nodes' memory in MB.",
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


def waits_for(job_id: str | None) -> tuple[str, ...]:
    """Sbatch's options for an array that waits until the job has ended well; None for none."""
    if job_id is None:
        return ()
    # A fine-tune whose base failed would else wait in the queue for ever.
    return (f"--dependency=afterok:{job_id}", "--kill-on-invalid-dep=yes")


def send(script: Path, site: str, *options: str) -> str:
    """The id of the job that sbatch makes of `script`.

    Args:
        script: the batch script.
        site: the name of the site, for messages.
        options: of sbatch, in place of the script's own.

    Raises:
        SbatchError: there is none, or it is not known whether there is one.
    """
    try:
        reply = call(["sbatch", *options, str(script)])
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
    if reply.job_id is None:
        raise SbatchError(
            f"sbatch named no job: it said {reply.out.strip()!r}. The job may exist. Give the "
            "same command again: it finds the job by its name.",
            certain=False,
        )
    return reply.job_id


def refused(reply: Reply, site: str) -> SbatchError:
    """What sbatch's failure means: certain where Slurm itself has said no."""
    said = reply.in_one_line
    if reply.is_silence:
        return SbatchError(
            f"sbatch failed without an answer from Slurm: {said}. The job may exist. See that "
            "`scontrol ping` says UP and give the same command again: it finds the job by name.",
            certain=False,
        )
    return SbatchError(
        f"Slurm refuses the jobs of site {site!r}: {said}. {advice_for(said)} "
        f"`harness doctor --site {site}` checks the site file.",
        certain=True,
    )


def advice_for(said: str) -> str:
    """What to do when Slurm refuses a job with these words."""
    low = said.lower()
    return next(
        (words for heard, words in ADVICE.items() if heard in low), "Correct the site file."
    )
