"""What the report tells of a grid's runs: their states, and what they have cost."""

from dataclasses import asdict

import pandas as pd

from harness.errors import ResultsError
from harness.grid import Grid
from harness.grid.assumptions import hours_assumed
from harness.grid.benchmarks import Benchmark, read_benchmarks
from harness.grid.cost import gpu_hours, gpu_hours_from_scratch
from harness.grid.state import State
from harness.launch.status import RunStatus, run_statuses
from harness.paths import ResultsFolder, RunsFolder
from harness.records import Metrics, read_metrics
from harness.report.page import GridCost
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
        # Who trains it where is nobody's business elsewhere, and the page is to be sent.
        "reason": "" if status.state is State.RUNNING else status.reason,
        # A fine-tune counts from its base's first iteration: what never began has done none.
        "iteration": status.iteration if status.attempts else 0,
        "AP": status.ap,
        "attempts": float(status.attempts),
    }
    metrics = _collected(status.run_id, results)
    if metrics is None:
        return line
    if status.state is State.DONE:
        return line | {"gpu_hours": metrics.gpu_hours, "iteration": status.last_iteration}
    if status.state is not State.TO_DO or status.attempts:
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


def cost(grid: Grid, runs: RunsFolder, frame: pd.DataFrame) -> tuple[GridCost, str]:
    """What the grid costs, and has cost so far; and what is wrong with the benchmarks, or "".

    Args:
        grid: the runs.
        runs: their folders.
        frame: of `runs_frame`.
    """
    measured, damaged = _benchmarks(runs)
    finetunes = [spec for spec in grid.runs.values() if spec.stage == "finetune"]
    spent = GridCost(
        cells=len(grid.cells),
        runs=len(grid.runs),
        planned=sum(gpu_hours(spec, measured) for spec in grid.runs.values()),
        used=float(frame["gpu_hours"].sum()),
        distinct_from_scratch=sum(gpu_hours_from_scratch(spec, measured) for spec in finetunes),
        from_scratch=sum(gpu_hours_from_scratch(cell.spec, measured) for cell in grid.cells),
        assumed=tuple(hours_assumed(grid.runs.values(), measured)),
    )
    return spent, damaged


def _benchmarks(runs: RunsFolder) -> tuple[tuple[Benchmark, ...], str]:
    try:
        return read_benchmarks(runs), ""
    except ResultsError as error:
        return (), f"Planned GPU-hours are without what was measured here: {error}"
