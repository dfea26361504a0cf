"""The files of one run and of its attempts."""

from dataclasses import dataclass
from pathlib import Path

from harness.files import TEMPORARY, is_abandoned


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
