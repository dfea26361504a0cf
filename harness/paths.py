"""Where everything lies on disk: the only place that knows a file name, and how files are written.

Every write is a temporary file, fsync and rename in the same folder, so a file is either whole or
not there, whatever kills the writer.
"""

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ResultsError

TEMPORARY = ".tmp"


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

    def remove_temporaries(self) -> None:
        """Delete what killed attempts were writing. Only for the holder of the lease."""
        for folder in (self.folder, self.checkpoints, self.results.parent):
            for path in folder.glob(f".*{TEMPORARY}"):
                if not path.name.startswith(f".{self.spec.name}."):  # a launcher may be at it now
                    path.unlink(missing_ok=True)

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
    # Experiments are executed: those of another project in a folder of that name must not be.
    ours = any("harness" in file.read_text() for file in here.glob("experiments/*.py"))
    return here if ours else Path(__file__).resolve().parent.parent


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place if the block succeeds.

    Raises:
        HarnessError: the disk is full; what stood at `path` stands there still.
    """
    temporary = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """Where this process, and no other on any host, writes what is to become `path`."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{TEMPORARY}")


def disk_full(path: Path) -> HarnessError:
    """The error for a disk without room for `path`; `Path()` where that is not known."""
    place = f" of {path.absolute().parent} while writing {path.name}" if path.name else ""
    return HarnessError(
        f"No space left on the disk{place}. Nothing that was there is lost. Free some space and "
        "give the same command again: it goes on from there."
    )


def reserved_for(path: Path) -> Path:
    """Where room for `path` is reserved."""
    return path.with_name(f"{path.name}.reserved")


def reserve(path: Path, size: int) -> None:
    """Take room on the disk now, so that `write_reserved` can write `path` when it is full.

    Args:
        path: the file to be written later.
        size: in bytes, at least that of the later text.
    """
    write_text(reserved_for(path), " " * size)


def write_reserved(path: Path, text: str) -> None:
    """Write `text` as UTF-8 into the room reserved for `path`; without one, like `write_text`."""
    reserved = reserved_for(path)
    if not reserved.exists():
        write_text(path, text)
        return
    # Written over in place: given back first, the room could be gone to another writer.
    with reserved.open("r+", encoding="utf-8") as file:
        file.write(text)
        file.truncate()
    _flush_to_disk(reserved)
    os.replace(reserved, path)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 (any JSON value)
    """Write `value` as JSON. Missing numbers are null: a NaN is a ValueError."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """`value` as JSON. Missing numbers are null: a NaN is a ValueError."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: Path, way_out: str) -> dict[str, Any]:
    """The JSON object in `path`.

    Args:
        path: the file.
        way_out: what the user can do where it is damaged, as a sentence.

    Raises:
        ResultsError: the file is missing, not readable, cut short, or holds something else.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ResultsError(f"{path} is missing. {way_out}") from error
    except PermissionError as error:
        raise ResultsError(f"{path} cannot be read ({error.strerror}). {way_out}") from error
    except ValueError as error:
        raise ResultsError(f"{path} is not whole JSON ({error}). {way_out}") from error
    if not isinstance(value, dict):
        raise ResultsError(f"{path} holds no JSON object. {way_out}")
    return value


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
