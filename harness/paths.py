"""Where everything lies on disk: the only place that knows a file name, and how files are written.

Every write is a temporary file, fsync and rename in the same folder, so a file is either whole or
not there, whatever kills the writer.
"""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ResultsError


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
    def attempts(self) -> Path:
        return self.folder / "attempts"

    @property
    def scheduler(self) -> Path:
        """The folder of submitit: its pickles, and what a job prints before it is ours."""
        return self.folder / "submitit"

    def checkpoint(self, iteration: int) -> Path:
        """The state after `iteration` iterations."""
        return self.checkpoints / f"iteration_{iteration:07d}.pth"

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
    def outcome(self) -> Path:
        return self.folder / "outcome.json"


@dataclass(frozen=True)
class RunsFolder:
    """All run folders of a user: `--runs`, `HARNESS_RUNS` or `./runs`."""

    folder: Path

    def run(self, run_id: str) -> RunPaths:
        return RunPaths(self.folder / run_id)

    def data(self, name: str) -> Path:
        """Where the built-in data set `name` is drawn."""
        return self.folder / "data" / name


@dataclass(frozen=True)
class ResultsFolder:
    """What is committed and what is generated for one scale: `results/<scale>`."""

    folder: Path

    @property
    def all_metrics(self) -> Path:
        return self.folder / "metrics"

    def metrics(self, run_id: str) -> Path:
        return self.all_metrics / f"{run_id}.json"

    def table(self, name: str, suffix: str) -> Path:
        return self.folder / "tables" / f"{name}.{suffix}"

    def figure(self, name: str, suffix: str) -> Path:
        return self.folder / "figures" / f"{name}.{suffix}"


def project_folder() -> Path:
    """The folder with `experiments/` and `results/`: the current one, or harness's checkout."""
    here = Path.cwd()
    return here if (here / "experiments").is_dir() else Path(__file__).resolve().parent.parent


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place if the block succeeds.

    Raises:
        HarnessError: the disk is full; what stood at `path` stands there still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def disk_full(path: Path) -> HarnessError:
    """The error for a disk without room for `path`."""
    return HarnessError(
        f"No space left on the disk of {path.parent} while writing {path.name}. Nothing that was "
        "there is lost. Free some space and give the same command again: it goes on from there."
    )


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 (any JSON value)
    """Write `value` as JSON. Missing numbers are null: a NaN is a ValueError."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path, way_out: str) -> dict[str, Any]:
    """The JSON object in `path`.

    Args:
        path: the file.
        way_out: what the user can do where it is damaged, as a sentence.

    Raises:
        ResultsError: the file is missing, cut short, or holds something else.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ResultsError(f"{path} is missing. {way_out}") from error
    except ValueError as error:
        raise ResultsError(f"{path} is not whole JSON ({error}). {way_out}") from error
    if not isinstance(value, dict):
        raise ResultsError(f"{path} holds no JSON object. {way_out}")
    return value


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
