"""Where everything lies on disk: the only place that knows a file name."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.files import TEMPORARY, is_abandoned

RUN_ID = re.compile("[0-9a-f]{8}")
LOCAL = "local"  # the site that has no file: this machine


@dataclass(frozen=True)
class RunPaths:
    """The files of one run. `folder` is `<runs>/<run_id>`."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "spec.json"

    @property
    def environment(self) -> Path:
        return self.folder / "env.json"

    @property
    def lease(self) -> Path:
        return self.folder / "lease"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def metrics_log(self) -> Path:
        """One JSON line for each logged iteration."""
        return self.folder / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        return self.folder / "tensorboard"

    @property
    def results(self) -> Path:
        """Predictions in COCO's results format."""
        return self.folder / "predictions" / "coco_instances_results.json"

    @property
    def metrics(self) -> Path:
        """Written last: where it is whole, the run has ended well."""
        return self.folder / "metrics.json"

    @property
    def replicates(self) -> Path:
        """AP in draws of the test images; written before `metrics`."""
        return self.folder / "replicates.json.gz"

    @property
    def attempts(self) -> Path:
        return self.folder / "attempts"

    @property
    def scheduler(self) -> Path:
        """The folder of submitit: its pickles, and what a job prints before it is ours."""
        return self.folder / "submitit"

    def remove_temporaries(self) -> None:
        """Delete what killed attempts were writing. Only for the holder of the lease."""
        for folder in (self.folder, self.checkpoints, self.results.parent):
            for path in folder.glob(f".*{TEMPORARY}"):
                by_launcher = path.name.startswith(f".{self.spec.name}.")  # it may be at it now
                if not by_launcher or is_abandoned(path):
                    path.unlink(missing_ok=True)

    def checkpoint(self, iteration: int) -> Path:
        """The state after `iteration` iterations."""
        return self.checkpoints / f"iteration_{iteration:07d}.pth"

    def newest_iteration(self) -> int:
        """Iterations done by the name of the newest checkpoint; 0 where there is none."""
        names = (path.stem.rpartition("_")[2] for path in self.checkpoints.glob("iteration_*.pth"))
        return max((int(name) for name in names if name.isdigit()), default=0)

    def attempt_numbers(self) -> list[int]:
        """The numbers of all attempts, oldest first."""
        if not self.attempts.is_dir():
            return []
        return sorted(int(p.name) for p in self.attempts.iterdir() if p.name.isdigit())

    def attempt(self, number: int) -> "AttemptPaths":
        return AttemptPaths(self.attempts / str(number))

    def last_attempt(self) -> "AttemptPaths | None":
        numbers = self.attempt_numbers()
        return self.attempt(numbers[-1]) if numbers else None


@dataclass(frozen=True)
class AttemptPaths:
    """The files of one attempt at a run."""

    folder: Path

    @property
    def stdout(self) -> Path:
        return self.folder / "stdout"

    @property
    def stderr(self) -> Path:
        return self.folder / "stderr"

    @property
    def begin(self) -> Path:
        return self.folder / "begin.json"

    @property
    def outcome(self) -> Path:
        return self.folder / "outcome.json"


@dataclass(frozen=True)
class RunsFolder:
    """All run folders of a user: `--runs`, `HARNESS_RUNS` or `./runs`.

    Raises:
        HarnessError: `folder` is a file.
    """

    folder: Path

    def __post_init__(self) -> None:
        if self.folder.is_file():
            raise HarnessError(
                f"{self.folder} is a file, not a folder. Give --runs (or HARNESS_RUNS) a folder "
                "for runs; it is made where it is missing."
            )

    def run(self, run_id: str) -> RunPaths:
        return RunPaths(self.folder / run_id)

    def run_ids(self) -> set[str]:
        """The ids of all runs that have a folder, by its name alone."""
        return set(filter(RUN_ID.fullmatch, _names_in(self.folder)))

    def data(self, name: str) -> Path:
        """Where the built-in data set `name` is drawn."""
        return self.folder / "data" / name

    @property
    def checked(self) -> "CheckedData":
        return CheckedData(self.folder / "checked")

    @property
    def submissions(self) -> Path:
        """Records of what was given to Slurm, and what its jobs print before they are ours."""
        return self.folder / "submissions"

    def submission(self, sid: str) -> Path:
        return self.submissions / f"{sid}.json"

    def all_submissions(self) -> list[Path]:
        return sorted(self.submissions.glob("h-*.json"))

    def job_output(self, sid: str) -> Path:
        """The folder of one array: its batch script and what its jobs print."""
        return self.submissions / sid

    def batch_script(self, sid: str) -> Path:
        """There before sbatch is called: a job's successor needs it."""
        return self.job_output(sid) / "array_submission.sh"

    def job_log(self, sid: str, job_id: str) -> Path:
        """What the batch script and rank 0 of a job wrote to stderr, and Slurm of it.

        Args:
            sid: of its submission.
            job_id: as Slurm's commands take it: "123_4".
        """
        return logs_in(self.job_output(sid), job_id)[1]

    def meeting(self, sid: str, job_id: str, restart: int) -> Path:
        """Where the processes of one start of a job learn how to reach each other."""
        return self.job_output(sid) / f"{job_id}_{restart}.port"

    @property
    def submit_lock(self) -> Path:
        """A lease: one launcher at a time gives jobs to Slurm."""
        return self.submissions / "lock"

    def remove_temporaries(self) -> None:
        """Delete what killed launchers were writing. Only for the holder of the submit lock."""
        for folder in (self.submissions, self.checked.folder):
            for path in folder.glob(f".*{TEMPORARY}"):
                if is_abandoned(path):
                    path.unlink(missing_ok=True)

    def benchmark(self, run_id: str) -> Path:
        """What `harness benchmark` has measured of a run."""
        return self.folder / "benchmarks" / f"{run_id}.json"

    def all_benchmarks(self) -> list[Path]:
        return sorted((self.folder / "benchmarks").glob("*.json"))

    def code(self, name: str) -> Path:
        """The folder of the snapshot `name` of harness that jobs run."""
        return self.folder / "code" / name


@dataclass(frozen=True)
class CheckedData:
    """What is remembered of data that passed its checks: a cache, made again where it is lost."""

    folder: Path

    def annotations(self, name: str, sha256: str) -> Path:
        """The outline of an annotation file, by its name without suffix and its sha256."""
        return self.folder / f"{name}-{sha256[:16]}.json"

    def images(self, folder: Path) -> Path:
        """The files of one image folder."""
        digest = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()
        return self.folder / f"images-{folder.name}-{digest[:16]}.json"


@dataclass(frozen=True)
class ResultsFolder:
    """What is committed and what is generated for one scale: `results/<scale>`."""

    folder: Path

    @property
    def all_metrics(self) -> Path:
        return self.folder / "metrics"

    def metrics(self, run_id: str) -> Path:
        return self.all_metrics / f"{run_id}.json"

    def run_ids(self) -> set[str]:
        """The ids of all runs whose metrics are collected, by the files' names alone."""
        names = (name.removesuffix(".json") for name in _names_in(self.all_metrics))
        return set(filter(RUN_ID.fullmatch, names))

    def replicates(self, run_id: str) -> Path:
        return self.folder / "replicates" / f"{run_id}.json.gz"

    def table(self, name: str, suffix: str) -> Path:
        return self.folder / "tables" / f"{name}.{suffix}"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    def figure(self, name: str, suffix: str) -> Path:
        return self.folder / "figures" / f"{name}.{suffix}"

    def masks(self, run_id: str, other_id: str) -> Path:
        """The folder of the pictures in which two runs' masks are compared."""
        return self.folder / "masks" / f"{run_id}-{other_id}"

    def mask_picture(self, run_id: str, other_id: str, image_id: int) -> Path:
        return self.masks(run_id, other_id) / f"{image_id}.png"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle.zip"


def project_folder() -> Path:
    """The folder with `experiments/` and `results/`: the current one, or harness's checkout."""
    here = Path.cwd()
    # Experiments are executed: those of another project in a folder of that name must not be.
    ours = any("harness" in file.read_text() for file in here.glob("experiments/*.py"))
    return here if ours else Path(__file__).resolve().parent.parent


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def logs_in(folder: Path, job_id: str, rank: str = "0") -> tuple[Path, Path]:
    """Where the stdout and stderr of a job of Slurm are.

    Args:
        folder: `RunsFolder.job_output`.
        job_id: as Slurm's commands take it, "123_4", or Slurm's pattern for it.
        rank: of the process, or the pattern; what the batch script prints is with that of rank 0.
    """
    return folder / f"{job_id}_{rank}_log.out", folder / f"{job_id}_{rank}_log.err"


def code_facts(folder: Path) -> Path:
    """What a snapshot of harness in `folder` says of itself; there is none in a checkout."""
    return folder / "code.json"


def sites_folder(project: Path) -> Path:
    """The folder of site files: `project`'s own, else that of harness's checkout."""
    own = project / "slurm"
    return own if own.is_dir() else Path(__file__).resolve().parent.parent / "slurm"
