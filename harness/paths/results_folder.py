"""The folder of one scale's results: `results/<scale>`."""

from dataclasses import dataclass
from pathlib import Path

from harness.paths.names import RUN_ID, names_in


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
        names = (name.removesuffix(".json") for name in names_in(self.all_metrics))
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
