"""The folder of all runs: `--runs`, `HARNESS_RUNS` or `./runs`."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.files import TEMPORARY, is_abandoned
from harness.paths.names import RUN_ID, names_in
from harness.paths.run import RunPaths


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
        return set(filter(RUN_ID.fullmatch, names_in(self.folder)))

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
