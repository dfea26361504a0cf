"""How far runs are, read from their files."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.grid.grid import Grid
from harness.grid.spec import RunSpec
from harness.grid.state import RunState, State, run_state
from harness.paths import RunPaths, RunsFolder

TAIL_BYTES = 16 * 1024  # a line of metrics.jsonl is well below 1 KiB


@dataclass(frozen=True)
class Progress:
    """Iterations done, counted from the base's first, and the total loss of the last ones."""

    iteration: int
    loss: float | None


@dataclass(frozen=True)
class RunStatus:
    """One line of `harness status`."""

    run_id: str
    name: str
    stage: str
    state: State
    reason: str
    iteration: int
    last_iteration: int
    loss: float | None


def progress(spec: RunSpec, paths: RunPaths) -> Progress:
    """How far `spec` is by the last whole line of its metrics.jsonl."""
    for line in reversed(_tail(paths.metrics_log).splitlines(keepends=True)):
        if line.endswith(b"\n") and (logged := _json_object(line)):
            loss = logged.get("total_loss")
            return Progress(int(logged["iteration"]), None if loss is None else float(loss))
    return Progress(spec.first_iteration, None)


def states_on_disk(grid: Grid, runs: RunsFolder) -> dict[str, RunState]:
    """The state of every run of `grid` by its files."""
    return {run_id: run_state(spec, runs) for run_id, spec in grid.runs.items()}


def run_statuses(
    grid: Grid, runs: RunsFolder, states: Mapping[str, RunState]
) -> tuple[RunStatus, ...]:
    """A line for every run of `grid`, each base before its fine-tunes."""
    specs = grid.runs
    return tuple(_status(grid, runs, specs[run_id], now) for run_id, now in states.items())


def statuses_json(grid: Grid, runs: RunsFolder) -> list[dict[str, Any]]:
    """What `harness status --json` prints: a `RunStatus` for each run."""
    return [asdict(status) for status in run_statuses(grid, runs, states_on_disk(grid, runs))]


def _status(grid: Grid, runs: RunsFolder, spec: RunSpec, now: RunState) -> RunStatus:
    seen = progress(spec, runs.run(spec.run_id))
    return RunStatus(
        run_id=spec.run_id,
        name=grid.name_of(spec.run_id),
        stage=spec.stage,
        state=now.state,
        reason=now.reason,
        iteration=seen.iteration,
        last_iteration=spec.last_iteration,
        loss=seen.loss,
    )


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read()
    except (FileNotFoundError, PermissionError):
        return b""


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "iteration" in value else None
