"""What the report tells of a grid's runs: their states, and what they have cost."""

from dataclasses import asdict

import pandas as pd

from harness.grid import Grid
from harness.grid.plan import make_plan
from harness.grid.state import State
from harness.launch.status import RunStatus, run_statuses
from harness.paths import ResultsFolder, RunsFolder
from harness.records import Metrics, read_metrics
from harness.report.page import Cost
from harness.report.page.content import RUN_COLUMNS
from harness.slurm.seen import look_at

COLLECTED = "collected"  # its numbers are here, its folder is not


def runs_frame(grid: Grid, runs: RunsFolder, results: ResultsFolder) -> tuple[pd.DataFrame, str]:
    """The state of each run, with the columns `RUN_COLUMNS`; and what one must know to trust it.

    Args:
        grid: the runs.
        runs: their folders.
        results: what was collected of them, all of it whole.
    """
    seen = look_at(grid, runs)()
    lines = [_line(status, results) for status in run_statuses(grid, runs, seen)]
    return pd.DataFrame(lines, columns=list(RUN_COLUMNS)), seen.note


def _line(status: RunStatus, results: ResultsFolder) -> dict[str, object]:
    line = {
        **asdict(status),
        "state": status.state.value,
        "AP": status.ap,
        "attempts": float(status.attempts),
    }
    metrics = _collected(status.run_id, results)
    if metrics is None or status.state is not State.TO_DO or status.attempts:
        return line
    return line | {
        "state": COLLECTED,
        "reason": "",
        "iteration": status.last_iteration,
        "AP": metrics.ap.get("segm", {}).get("AP"),
        "attempts": None,
        "gpu_hours": metrics.gpu_hours,
    }


def _collected(run_id: str, results: ResultsFolder) -> Metrics | None:
    path = results.metrics(run_id)
    return read_metrics(path, run_id) if path.exists() else None


def cost(grid: Grid, runs: RunsFolder, frame: pd.DataFrame) -> Cost:
    """What the grid costs, and has cost so far.

    Args:
        grid: the runs.
        runs: their folders.
        frame: of `runs_frame`.
    """
    hours = make_plan(grid, runs).gpu_hours
    return Cost(
        cells=len(grid.cells),
        runs=len(grid.runs),
        planned=hours.plan,
        used=float(frame["gpu_hours"].sum()),
        distinct_from_scratch=hours.distinct_from_scratch,
        from_scratch=hours.from_scratch,
    )
