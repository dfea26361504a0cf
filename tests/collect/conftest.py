from dataclasses import replace
from pathlib import Path

import pytest

from harness.grid import Grid, RunSpec, Setting
from harness.grid.experiments import load_grid
from harness.grid.spec import identity_of
from harness.paths import ResultsFolder, RunsFolder
from harness.records import METRICS, Metrics, write_metrics


@pytest.fixture
def project() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture
def grid(project) -> Grid:
    return load_grid([], Setting(scale="demo"), project / "experiments")


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def results(tmp_path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "results" / "demo")


@pytest.fixture
def leave_metrics():
    """A function that writes the made-up metrics of a run to a path; AP 20, AP50 21, ... APl 25."""

    def write(path: Path, spec: RunSpec, **changes) -> None:
        metrics = Metrics(
            run_id=spec.run_id,
            parent=None,
            spec=identity_of(spec),
            ap={"segm": {name: 20.0 + number for number, name in enumerate(METRICS)}},
            annotations={"shapes_train": "a" * 64, "shapes_val": "b" * 64},
            order_hash="c" * 64,
            evaluator="pycocotools 2.0.10",
            environment={},
            gpu_hours=0.1,
        )
        write_metrics(path, replace(metrics, **changes))

    return write
