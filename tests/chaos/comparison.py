"""Whether the runs of two grids are the same to the last bit, and which files they left."""

import json
from pathlib import Path
from typing import Any

import torch

from harness.files import TEMPORARY
from harness.paths import RunPaths, RunsFolder

# What each attempt at a run leaves for itself: attempts/<n>/ and one event file.
OF_ATTEMPTS = ("attempts", "tensorboard")
OF_AN_ATTEMPT = {"begin.json", "outcome.json", "stdout", "stderr"}
SAME_IN_METRICS = ("run_id", "parent", "spec", "ap", "annotations", "order_hash", "evaluator")


def lost(reference: RunsFolder, runs: RunsFolder, run_ids: list[str]) -> list[str]:
    """What of `run_ids` in `runs` differs from `reference`, a sentence each; [] for nothing."""
    found = []
    for run_id in run_ids:
        expected, got = reference.run(run_id), runs.run(run_id)
        differing = [
            *files_that_differ(expected, got),
            *values_that_differ(expected, got),
            *attempts_not_whole(got),
        ]
        found += [f"{run_id}: {text}" for text in differing]
    return found + leftovers(runs)


def files_that_differ(expected: RunPaths, got: RunPaths) -> list[str]:
    """Files that one of two run folders has and the other lacks, those of attempts aside."""
    here, there = _files(got.folder), _files(expected.folder)
    return [f"{name} is lost" for name in sorted(there - here)] + [
        f"{name} is left over" for name in sorted(here - there)
    ]


def values_that_differ(expected: RunPaths, got: RunPaths) -> list[str]:
    """Which of metrics.jsonl, predictions, metrics.json and checkpoints is not the same."""
    found = []
    for path in (expected.metrics_log, expected.results):
        name = path.relative_to(expected.folder)
        if _bytes(path) != _bytes(got.folder / name):
            found.append(f"{name} differs")
    before, now = _metrics(expected), _metrics(got)
    found += [
        f"{name} differs: {before.get(name)!r:.80} and {now.get(name)!r:.80}"
        for name in SAME_IN_METRICS
        if before.get(name) != now.get(name)
    ]
    for path in sorted(expected.checkpoints.glob("*.pth")):
        other = got.checkpoints / path.name
        if not other.exists() or not same(_read(path), _read(other)):
            found.append(f"{path.name} differs")
    return found


def attempts_not_whole(paths: RunPaths) -> list[str]:
    """Attempts without an outcome, or with more files than one has."""
    found = []
    for number in paths.attempt_numbers():
        there = {path.name for path in paths.attempt(number).folder.iterdir()}
        if "outcome.json" not in there:
            found.append(f"attempt {number} has no outcome")
        elif there - OF_AN_ATTEMPT:
            found.append(f"attempt {number} left over {sorted(there - OF_AN_ATTEMPT)}")
    return found


def leftovers(runs: RunsFolder) -> list[str]:
    """Temporary files and locks that nobody holds any more."""
    lock = runs.submit_lock
    temporary = {path for path in runs.folder.rglob("*") if path.name.endswith(TEMPORARY)}
    temporary |= set(lock.parent.glob(f"{lock.name}*"))
    return [f"{path.relative_to(runs.folder)} is left over" for path in sorted(temporary)]


def same(one: Any, other: Any) -> bool:
    """Whether two values read from checkpoints are equal in every bit of every tensor."""
    if isinstance(one, torch.Tensor):
        return (
            isinstance(other, torch.Tensor)
            and (one.dtype, one.shape) == (other.dtype, other.shape)
            and one.numpy().tobytes() == other.numpy().tobytes()
        )
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _files(folder: Path) -> set[str]:
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(name) for name in names if name.parts[0] not in OF_ATTEMPTS}


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _metrics(paths: RunPaths) -> dict[str, Any]:
    return json.loads(paths.metrics.read_bytes()) if paths.metrics.exists() else {}


def _read(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)
