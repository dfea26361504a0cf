"""A grid of three trainings and jobs that take no time: the real job around a stand-in trainer."""

import math
import os
import shutil
import signal
import sys
import threading
import types
import zipfile
from pathlib import Path

import pytest

from harness.errors import TrainingError
from harness.files import write_json
from harness.grid import NO_LOSS, Cell, Grid, Layout, Setting, contour, finetune, table_grid
from harness.grid.state import run_state
from harness.launch.job import execute
from harness.paths import RunsFolder
from harness.records import EXTENDED_METRICS, METRICS
from harness.replicates import REPLICATED_TASKS, Replicates
from harness.shapes import write_shapes


@pytest.fixture(autouse=True)
def terminal():
    """One whose end is heard, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="session")
def shapes_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shapes"
    write_shapes(folder, train_images=2, val_images=2)
    return folder


def grid_of(setting) -> Grid:
    """table1: R50 baseline and k=2 on one base, the R101 baseline on another."""
    cells = [
        Cell("table1", row, finetune(setting, architecture, loss), {"Method": row})
        for row, architecture, loss in (
            ("R50", "mask_rcnn_R50_FPN", NO_LOSS),
            ("k=2", "mask_rcnn_R50_FPN", contour(k=2)),
            ("R101", "mask_rcnn_R101_FPN", NO_LOSS),
        )
    ]
    return table_grid("table1", Layout("", ("Method", "mAP")), cells)


@pytest.fixture
def own_data(shapes_dir, tmp_path):
    """A user's own data: the shapes under another name."""
    return Path(shutil.copytree(shapes_dir, tmp_path / "own"))


@pytest.fixture
def own_grid(own_data) -> Grid:
    return grid_of(Setting(scale="demo", data_dir=own_data))


@pytest.fixture
def grid(shapes_dir) -> Grid:
    return grid_of(Setting(scale="demo", shapes_dir=shapes_dir))


@pytest.fixture
def paper_grid() -> Grid:
    return grid_of(Setting(scale="paper"))


@pytest.fixture
def ids(grid) -> dict[str, str]:
    """Run ids by name."""
    return {grid.name_of(run_id): run_id for run_id in grid.runs}


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def on_disk(grid, runs):
    """A function that tells the states of all runs by their files."""
    return lambda: {run_id: run_state(spec, runs) for run_id, spec in grid.runs.items()}


@pytest.fixture
def story(tmp_path):
    """What the stand-in trainings did, in order: (run_id, "begins" | "ends")."""

    class Story:
        file = tmp_path / "story"

        def lines(self):
            return [tuple(line.split()) for line in self.file.read_text().splitlines()]

        def begun(self):
            return [run_id for run_id, what in self.lines() if what == "begins"]

    Story.file.touch()
    return Story()


@pytest.fixture
def make_work(story):
    """Makes what a job does: `harness.launch.job.execute` around a stand-in for the trainer.

    The function is local on purpose: then it travels to the job by value.
    """
    told = story.file

    def make(failing=(), killed=(), waiting=(), entry=execute):
        def train(spec, paths, runs):
            def tell(what):
                with told.open("a") as file:
                    file.write(f"{spec.run_id} {what}\n")

            tell("begins")
            paths.metrics_log.write_text('{"iteration": 1, "total_loss": 2.5}\n')
            if spec.run_id in failing:
                raise TrainingError("loss_mask became nan at iteration 7")
            if spec.run_id in killed:
                os.kill(os.getpid(), signal.SIGKILL)
            if spec.run_id in waiting:
                os.kill(os.getpid(), signal.SIGINT)  # Ctrl-C is the launcher's affair
                tell("waits")
                threading.Event().wait(60)
            checkpoint = paths.checkpoint(spec.last_iteration)
            checkpoint.parent.mkdir(exist_ok=True)
            with zipfile.ZipFile(checkpoint, "w") as file:
                file.writestr("weights", b"")
            tell("ends")
            return types.SimpleNamespace(
                order_hash="0" * 8, annotations={spec.train_split: "1" * 8}
            )

        def predict(spec, paths):
            write_json(paths.results, {})
            return "2" * 8

        def coco_ap(gt_json, results_json, *, task):
            assert Path(gt_json).exists()
            assert Path(results_json).exists()
            return dict.fromkeys(METRICS, 34.5) | {"APl": math.nan}

        def replicate(run_id, gt_json, results_json):
            assert Path(gt_json).exists()
            assert Path(results_json).exists()
            ap = dict.fromkeys(EXTENDED_METRICS, 34.5) | {"APl": None}
            drawn = {metric: (value, value) for metric, value in ap.items()}
            return Replicates(
                run_id=run_id,
                annotations="2" * 8,
                results="3" * 8,
                drawn="4" * 8,
                evaluator="harness 0.1.0",
                ap=dict.fromkeys(REPLICATED_TASKS, ap),
                draws=dict.fromkeys(REPLICATED_TASKS, drawn),
            )

        def work(folder):
            for name, function in (
                ("harness.detection.train", train),
                ("harness.detection.predict", predict),
                ("harness.evaluation", coco_ap),
                ("harness.evaluation.replicates", replicate),
            ):
                module = types.ModuleType(name)
                setattr(module, function.__name__, function)
                sys.modules[name] = module
            entry(folder)

        return work

    return make


FAKED = ("detection.train", "detection.predict", "evaluation", "evaluation.replicates")


@pytest.fixture
def here(make_work, monkeypatch):
    """Does a job's work in the process of the test."""

    def run(folder, **troubles):
        with monkeypatch.context() as patch:
            # So that what stood there comes back, whatever the job's work puts there.
            for name in FAKED:
                patch.setitem(sys.modules, f"harness.{name}", None)
            make_work(**troubles)(folder)

    return run


@pytest.fixture
def quick(monkeypatch):
    """Looks at the jobs more often than a person would."""
    monkeypatch.setattr("harness.launch.local.POLL_S", 0.02)
    monkeypatch.setattr("harness.launch.processes.POLL_S", 0.02)
