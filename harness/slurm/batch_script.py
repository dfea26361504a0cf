"""The batch script of an array of jobs: submitit writes it, harness says what stands in it."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import submitit

from harness.errors import LaunchError
from harness.files import private_folder, write_text
from harness.paths import RunsFolder, logs_in
from harness.slurm.aftermath import ENDS_BADLY
from harness.slurm.site import Site
from harness.slurm.submissions import Submission


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one call of sbatch asks for.

    Attributes:
        name: of its jobs.
        output: the folder for what its jobs print.
        code: the folder that the jobs' Python finds harness in.
        arguments: of the site's Python, in each of the processes that srun starts.
        num_gpus: and so many processes, on one node.
        mem_gb: None for the cluster's default.
        time_limit_min: of each job.
        size: of the array; None for a single job.
        max_running: jobs of the array at a time; None for any number.
        options: further ones of sbatch.
        teardown: shell lines after srun.
    """

    name: str
    output: Path
    code: Path
    arguments: tuple[str, ...]
    num_gpus: int
    mem_gb: float | None
    time_limit_min: int
    size: int | None = None
    max_running: int | None = None
    options: Mapping[str, str | bool] = field(default_factory=dict)
    teardown: tuple[str, ...] = ()


def write_array_script(runs: RunsFolder, submission: Submission, site: Site) -> Path:
    """Write the batch script of `submission` to where its jobs print too: a private folder.

    Args:
        runs: where the runs' folders are.
        submission: its record.
        site: the cluster.

    Raises:
        LaunchError: a path cannot be told to Slurm, or this machine has no Slurm.
    """
    script = runs.batch_script(submission.sid)
    write_script(script, batch_script(array_request(runs, submission, site), site))
    return script


def write_script(script: Path, text: str) -> None:
    """Write a batch script into a folder which is made, and private."""
    private_folder(script.parent)
    write_text(script, text)


def array_request(runs: RunsFolder, submission: Submission, site: Site) -> Request:
    """What the array of `submission` asks for.

    Args:
        runs: where the runs' folders are.
        submission: its record.
        site: the cluster.
    """
    folder = str(runs.folder.absolute())
    aftermath = [python_beside(site), "-P", "-m", "harness.slurm.aftermath", folder, submission.sid]
    return Request(
        name=submission.sid,
        output=runs.job_output(submission.sid).absolute(),
        code=runs.code(submission.code).absolute(),
        arguments=("-m", "harness.slurm.worker", folder, submission.sid),
        num_gpus=submission.num_gpus,
        mem_gb=submission.mem_gb,
        time_limit_min=submission.time_limit_min,
        size=len(submission.run_ids),
        max_running=site.max_running,
        options={"requeue" if submission.requeue else "no-requeue": True},
        teardown=(
            "code=$?",
            f'{shlex.join(aftermath)} "$code"',
            "after=$?",
            # Any other is that of an aftermath that did not come to its end.
            f'case "$after" in 0|{ENDS_BADLY}) exit "$after";; *) exit "$code";; esac',
        ),
    )


def python_beside(site: Site) -> str:
    """The Python that runs on the node itself, where Slurm's commands are: not in the container."""
    return sys.executable if site.container else site.python or sys.executable


def batch_script(request: Request, site: Site) -> str:
    """The text of the batch script.

    Args:
        request: what its jobs are.
        site: the cluster.

    Raises:
        LaunchError: a path cannot be told to Slurm, or this machine has no Slurm.
    """
    refuse_odd_path(request.output)
    refuse_odd_path(request.code, also=":")  # it stands in PYTHONPATH
    try:
        executor = submitit.SlurmExecutor(folder=request.output)
    except RuntimeError as error:
        raise LaunchError(
            "srun is not on PATH, so this is no login node of a Slurm cluster. Give the command on "
            "one, after what the cluster needs for Slurm's commands (often `module load slurm`)."
        ) from error
    executor.update_parameters(
        job_name=request.name,
        partition=site.partition,
        account=site.account,
        qos=site.qos,
        constraint=site.constraint,
        time=request.time_limit_min,
        nodes=1,
        ntasks_per_node=request.num_gpus,
        cpus_per_task=site.cpus_per_gpu,
        mem=f"{round(request.mem_gb * 1024)}M" if request.mem_gb else None,
        setup=[*site.setup, *_setup(request)],
        teardown=list(request.teardown),
        signal_delay_s=site.signal_before_end_s,
        array_parallelism=request.max_running or request.size or 1,
        wckey=None,  # submitit's own: clusters that enforce wckeys know no "submitit"
        use_srun=False,  # submitit's srun would name the output by its own rules: see _srun
        additional_parameters=_options(request, site),
    )
    if request.size is not None:
        executor.parameters["map_count"] = request.size
    # Only the text is submitit's: its own submission renames files in a folder whose name it takes
    # for a pattern (`%j` in a path), and calls sbatch without a time limit.
    text: str = executor._make_submission_file_text(_srun(request, site), request.name)
    return text


def refuse_odd_path(path: Path, also: str = "") -> None:
    r"""Refuse a path that Slurm would misread.

    Args:
        path: of a folder.
        also: further letters that it may not hold.

    Raises:
        LaunchError: it holds a backslash (which turns Slurm's file patterns off), a control
            character (a #SBATCH line is one line), is no UTF-8, or holds one of `also`.
    """
    text = str(path)
    odd = sorted({letter for letter in text if letter in "\\" + also or not letter.isprintable()})
    if odd:
        raise LaunchError(
            f"The folder {text!r} holds {', '.join(map(repr, odd))}, which Slurm or Python would "
            "misread. Spaces, quotes, % and letters of any language are fine. Give --runs another "
            "folder."
        )


def _setup(request: Request) -> list[str]:
    code = shlex.quote(str(request.code))
    told = shlex.quote(f"harness: {request.code} is gone or another user's: nothing is run")
    return [
        # What the site's own lines may have set would end the script before the aftermath.
        "set +eu +o pipefail; trap - ERR EXIT",
        "umask 077",
        # This script is safe with Slurm. The code could be another's by now, where others may
        # write to a folder above the runs folder: it cannot be left to check itself.
        f"[ -O {code} ] || {{ echo {told} >&2; exit 1; }}",
        # Before what the site's own lines may have put there: harness is the submitted one.
        f"export PYTHONPATH={code}${{PYTHONPATH:+:$PYTHONPATH}}",
        # Told to end, the script still waits for srun, and what comes after it is still done.
        "trap : TERM USR2",
    ]


def _options(request: Request, site: Site) -> dict[str, str | int | float | bool]:
    kind = f"{site.gpu_type}:" if site.gpu_type else ""
    prefix = "gpu:" if site.gpu_option == "gres" else ""
    out, err = _patterns(request, task="0")
    return {
        **{name: value for name, value in site.sbatch.items() if value is not False},
        site.gpu_option: f"{prefix}{kind}{request.num_gpus}",
        "output": out,
        "error": err,
        # submitit takes another signal from the environment variable SUBMITIT_PREEMPT_SIGNAL.
        "signal": f"USR2@{site.signal_before_end_s}",
        **request.options,
    }


def _srun(request: Request, site: Site) -> str:
    out, err = _patterns(request, task="%t")
    python = site.python or sys.executable
    return shlex.join(
        [
            *("srun", "--unbuffered", "--output", out, "--error", err),
            "--kill-on-bad-exit=1",
            "--wait=0",  # the first process scores alone, however long that takes
            f"--cpus-per-task={site.cpus_per_gpu}",  # newer Slurm does not tell srun by itself
            *(*site.container, python, "-P", "-u", *request.arguments),
        ]
    )


def _patterns(request: Request, task: str) -> list[str]:
    """The two logs as Slurm's file patterns, in which % stands for itself when doubled."""
    folder = Path(str(request.output).replace("%", "%%"))
    job = "%A_%a" if request.size is not None else "%j"
    return [str(path) for path in logs_in(folder, job, task)]
