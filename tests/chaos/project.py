"""A project of its own for the campaign, and `harness` given in it as a user gives it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.paths import RunsFolder
from harness.shapes import write_shapes
from harness.workplace import shapes_folder

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SITE = "devcluster"
PATIENCE_S = 300  # a launcher after a killed one waits a minute for jobs that may still appear


@dataclass(frozen=True)
class Project:
    """A folder with experiments/ and slurm/, the current one of every command.

    Attributes:
        folder: the project's.
        environ: of every command: that of the cluster, and how many rows the grid has.
        dirty: whether to submit from a checkout that differs from its commit.
    """

    folder: Path
    environ: Mapping[str, str]
    dirty: bool

    def new_runs(self, name: str) -> RunsFolder:
        """A new folder of runs with a small data set in it, which takes no time to draw."""
        runs = RunsFolder(self.folder / name)
        write_shapes(shapes_folder(runs), train_images=20, val_images=6, side=96)
        return runs

    def submit(self, runs: RunsFolder, **environ: str) -> subprocess.Popen[str]:
        """Start `harness submit`, in a process group of its own."""
        return self.start(runs, "submit", "chaos", "--site", SITE, *self._as_it_is, **environ)

    def retry(self, runs: RunsFolder, *words: str) -> subprocess.Popen[str]:
        """Start `harness retry` with `words`."""
        return self.start(runs, "retry", *words, "--yes", *self._as_it_is)

    @property
    def _as_it_is(self) -> list[str]:
        return ["--dirty"] if self.dirty else []

    def start(self, runs: RunsFolder, *words: str, **environ: str) -> subprocess.Popen[str]:
        """Start `harness` with `words`, in a process group of its own."""
        harness = Path(sys.executable).with_name("harness")
        return subprocess.Popen(
            [harness, *words, "--scale", "demo", "--runs", runs.folder],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def give(self, runs: RunsFolder, *words: str) -> tuple[int, str, str]:
        """The exit code of `harness` with `words`, and what it wrote to stdout and stderr."""
        process = self.start(runs, *words)
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err


def make_project(folder: Path, environ: Mapping[str, str], rows: int | None) -> Project:
    """A project in `folder` with the campaign's experiment and the site file.

    Args:
        folder: is made.
        environ: in which Slurm's commands talk to the cluster.
        rows: of the grid, from its first; None for all.
    """
    shutil.copytree(HERE / "experiments", folder / "experiments")
    (folder / "slurm").mkdir()
    write_site(folder)
    environ = dict(environ) if rows is None else {**environ, "CHAOS_ROWS": str(rows)}
    return Project(folder, environ, dirty=has_changes())


def write_site(folder: Path, **keys: object) -> None:
    """Write the project's slurm/devcluster.toml into `folder`, with other values of some keys."""
    text = (ROOT / "slurm" / f"{SITE}.toml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in keys]
    first = [f"{name} = {str(value).lower()}" for name, value in keys.items()]
    lines = "\n".join([*first, *kept, ""])  # before the first table
    (folder / "slurm" / f"{SITE}.toml").write_text(lines, encoding="utf-8")


def has_changes() -> bool:
    """Whether the checkout differs from its commit: then jobs run what stands in no commit."""
    command = ["git", "-C", ROOT, "status", "--porcelain", "--", ".", ":!results"]
    return bool(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
