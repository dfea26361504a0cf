"""Slurm's commands: each with a time limit, and as if given in a shell outside of any job."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import LaunchError

TIMEOUT_S = 60.0
DAY_S = 24 * 3600.0
DURATION = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")

# Of a job that this process is in, or of a user's profile: they would change what is listed, how it
# is printed, and what a batch script asks for.
NOT_PASSED = (
    *("SLURM_", "SLURMD_", "SRUN_", "SBATCH_", "SUBMITIT_", "SQUEUE_", "SACCT_", "SCANCEL_"),
    *("SINFO_", "SCONTROL_", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES"),
    *("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
)
SILENCE = re.compile(
    "timed out|timeout|contact|connect|communicat|zero bytes|receive|interrupted|temporarily",
    re.IGNORECASE,
)
KEPT = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"}  # which cluster this is, and who asks


class SlurmError(LaunchError):
    """Slurm does not answer, or not in a way that can be understood."""


@dataclass(frozen=True)
class Reply:
    """What a command said.

    Attributes:
        code: its exit code; None where it did not end in time.
        out, err: what it wrote to stdout and stderr.
    """

    code: int | None
    out: str = ""
    err: str = ""

    @property
    def is_silence(self) -> bool:
        """Whether Slurm may have heard the command and done it, and only the answer is missing."""
        if self.code is None or self.code < 0:
            return True
        return self.code != 0 and bool(SILENCE.search(self.err))

    @property
    def job_id(self) -> str | None:
        """The id that sbatch names; None where it names none."""
        found = re.search(r"^(?:Submitted batch job )?(\d+)", self.out, re.MULTILINE)
        return found[1] if found and self.code == 0 else None

    @property
    def in_one_line(self) -> str:
        """What it said on stderr, or at least its exit code."""
        if self.code is None:
            return "no answer in time"
        lines = (re.sub(r"^s\w+: (error: )?", "", line.strip()) for line in self.err.splitlines())
        said = "; ".join(line for line in lines if line)
        return said or f"exit code {self.code}"


def call(words: Sequence[str], timeout_s: float | None = None) -> Reply:
    """What one of Slurm's commands says.

    Args:
        words: the command and its arguments.
        timeout_s: after which it is killed; `TIMEOUT_S` where it is None.

    Raises:
        SlurmError: there is no such command.
    """
    # Files, not pipes: a wrapper's child that lives on would hold a pipe open, and with it us.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=_environment(),
                umask=0o077,  # sbatch hands it on: what its jobs print is private
                start_new_session=True,  # Ctrl-C is for the launcher: half a submission is none
            )
        except FileNotFoundError as error:
            raise SlurmError(
                f"{words[0]} is not on this machine's PATH. Give the command on a login node of "
                "the cluster; `module load slurm` is needed on some."
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
        return Reply(code, *(file.read().decode(errors="replace") for file in (out, err)))


def output_of(words: Sequence[str], timeout_s: float | None = None) -> str:
    """What one of Slurm's commands prints.

    Args:
        words: the command and its arguments.
        timeout_s: how long it may take; `TIMEOUT_S` where it is None.

    Raises:
        SlurmError: it is not there, takes too long, or fails.
    """
    reply = call(words, timeout_s)
    if reply.code is None:
        limit_s = TIMEOUT_S if timeout_s is None else timeout_s
        raise SlurmError(
            f"{words[0]} has not answered in {limit_s:g} s. Slurm's controller may be busy or "
            "down: give the same command again later."
        )
    if reply.code != 0:
        raise SlurmError(
            f"{words[0]} failed: {reply.in_one_line:.300}. When Slurm answers again, give the same "
            "command again."
        )
    return reply.out


def seconds_of(text: str) -> float | None:
    """Of "1-02:03:04" or "03:04"; None where Slurm has no number ("UNLIMITED", "INVALID")."""
    match = DURATION.fullmatch(text)
    if not match:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return days * DAY_S + hours * 3600.0 + minutes * 60.0 + seconds


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not name.startswith(NOT_PASSED)
    }
    return {**kept, "SLURM_BITSTR_LEN": "0"}  # squeue else cuts long lists of array indices
