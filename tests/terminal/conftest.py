"""A grid of four cells, and consoles of 80 columns that keep what is printed."""

import io

import pytest
from rich.console import Console

from harness.grid import NO_LOSS, Cell, Grid, Layout, Setting, contour, finetune, table_grid
from harness.grid.state import run_state
from harness.paths import RunsFolder


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=80)


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), width=80, height=40, force_terminal=True, color_system=None)


@pytest.fixture
def grid() -> Grid:
    """k=2 is shown twice."""
    setting = Setting(scale="demo")
    rows = {
        "baseline": finetune(setting, "mask_rcnn_R101_FPN", NO_LOSS),
        "k=2": finetune(setting, "mask_rcnn_R101_FPN", contour(k=2)),
        "[bold]again": finetune(setting, "mask_rcnn_R101_FPN", contour(k=2)),
    }
    cells = [Cell("table1", row, spec, {}) for row, spec in rows.items()]
    return table_grid("table1", Layout("", ("mAP",)), cells)


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path)


@pytest.fixture
def on_disk(grid, runs):
    """A function that tells the states of all runs by their files."""
    return lambda: {run_id: run_state(spec, runs) for run_id, spec in grid.runs.items()}


@pytest.fixture
def run_id(grid) -> str:
    """The run of k=2."""
    return grid.cells[1].spec.run_id
