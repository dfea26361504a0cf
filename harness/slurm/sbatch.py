"""sbatch: one array of jobs goes to Slurm, and what its answer means."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from submitit import SlurmExecutor
from submitit.core.utils import FailedSubmissionError

from harness.errors import LaunchError
from harness.files import write_text
from harness.paths import RunsFolder
from harness.slurm.batch_script import array_request, batch_script
from harness.slurm.site import Site
from harness.slurm.submissions import Submission

TIMEOUT_S = 60.0
SCRIPT = "array_submission.sh"  # there before sbatch is called: a successor needs it

# Of a shell inside a job, or of a user's profile: they would override what the site file says.
OTHERS = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_", "SUBMITIT_")
OTHERS_ALONE = {
    "MASTER_ADDR",
    "MASTER_PORT",
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
}
KEPT = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"}  # which cluster this is, and who asks

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


@dataclass(frozen=True)
class Answer:
    """What a command said. `code` is None where it did not end in time."""

    code: int | None
    out: str
    err: str


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
    return send(write_script(request.output, text), site)


def write_script(folder: Path, text: str) -> Path:
    """A batch script with `text` in `folder`, which is made, and private."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    script = folder / SCRIPT
    write_text(script, text)
    return script


def send(script: Path, site: Site) -> str:
    """The id of the job that sbatch makes of `script`.

    Raises:
        SbatchError: there is none, or it is not known whether there is one.
    """
    answer = call(["sbatch", str(script)])
    if answer.code is None:
        raise SbatchError(
            f"sbatch did not answer within {TIMEOUT_S:.0f} s, so the job may exist. Give the same "
            "command again later: it finds the job by its name, and makes no second one.",
            certain=False,
        )
    if answer.code != 0:
        raise refused(answer, site)
    try:
        job_id: str = SlurmExecutor._get_job_id_from_submission_command(answer.out)
    except FailedSubmissionError as error:
        raise SbatchError(
            f"sbatch named no job: it said {answer.out.strip()!r}. The job may exist. Give the "
            "same command again: it finds the job by its name.",
            certain=False,
        ) from error
    return job_id


def refused(answer: Answer, site: Site) -> SbatchError:
    """What sbatch's failure means: certain where Slurm itself has said no."""
    said = in_one_line(answer)
    if (answer.code or 0) < 0 or any(word in said.lower() for word in UNCERTAIN):
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


def in_one_line(answer: Answer) -> str:
    """What a command said on stderr, or at least its exit code."""
    lines = (line.removeprefix("sbatch: ").removeprefix("error: ") for line in _lines(answer.err))
    return "; ".join(lines) or f"exit code {answer.code}"


def advice_for(said: str) -> str:
    """What to do when Slurm refuses a job with these words."""
    low = said.lower()
    return next(
        (words for heard, words in ADVICE.items() if heard in low), "Correct the site file."
    )


def call(command: Sequence[str], timeout_s: float | None = None) -> Answer:
    """What one of Slurm's commands says, asked as outside of any job.

    Args:
        command: its words.
        timeout_s: after which it is killed; `TIMEOUT_S` where it is None.

    Raises:
        SbatchError: there is no such command.
    """
    # Files, not pipes: a wrapper's child that lives on would hold a pipe open, and with it us.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=_environment(),
                umask=0o077,  # sbatch hands it on: what its jobs print is private
                start_new_session=True,  # Ctrl-C is for the launcher: half a submission is none
            )
        except FileNotFoundError as error:
            raise SbatchError(
                f"{command[0]} is not on PATH, so this is no login node of a Slurm cluster.",
                certain=True,
            ) from error
        try:
            code: int | None = process.wait(TIMEOUT_S if timeout_s is None else timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        out.seek(0)
        err.seek(0)
        return Answer(
            code, out.read().decode(errors="replace"), err.read().decode(errors="replace")
        )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not (name.startswith(OTHERS) or name in OTHERS_ALONE)
    }
