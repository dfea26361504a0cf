"""A cluster that is told what happens to it, and runs that leave the files a worker leaves."""

import importlib.util
import os
import shlex
import sys
import time
import zipfile
from pathlib import Path

import pytest

from harness.grid import (
    NO_LOSS,
    Cell,
    Grid,
    Layout,
    Setting,
    contour,
    finetune,
    merge,
    table_grid,
)
from harness.grid.spec import identity_of
from harness.paths import RunsFolder
from harness.records import (
    METRICS,
    Begin,
    Metrics,
    Outcome,
    write_begin,
    write_metrics,
    write_outcome,
)
from harness.shapes import write_shapes
from harness.slurm.reconcile import Clock
from harness.slurm.site import Site
from harness.slurm.snapshot import Snapshot
from harness.slurm.submissions import read_submission
from harness.slurm.submit import submit

FAKE = Path(__file__).parent / "fake" / "slurm.py"
COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "srun")


def load_fake():
    spec = importlib.util.spec_from_file_location("fake_slurm", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fake = load_fake()


class Cluster:
    """Slurm as this test tells it. A job is named by the id of its run."""

    def __init__(self, folder: Path, runs: RunsFolder, specs):
        self.file, self.runs, self.specs = folder / "cluster.json", runs, specs
        self.set(now=time.time())

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.get("now"), wait=self.later)

    def get(self, key):
        with fake.opened(self.file) as cluster:
            return cluster[key]

    def set(self, **values) -> None:
        with fake.opened(self.file) as cluster:
            cluster.update(values)

    def later(self, seconds: float) -> None:
        self.set(now=self.get("now") + seconds)

    def calls(self, command: str) -> list[list[str]]:
        return [call for call in self.get("calls") if call[0] == command]

    def next_sbatch(self, *faults: str) -> None:
        """What becomes of the next calls: "" for nothing, and see `fake.sbatch`."""
        self.set(sbatch_faults=list(faults))

    def jobs_of(self, run_id: str):
        """All jobs of a run, oldest first."""
        sids = {}
        for path in self.runs.all_submissions():
            submission = read_submission(path)
            if run_id in submission.run_ids:
                sids[submission.sid] = submission.run_ids.index(run_id)
        return [job for job in self.get("jobs") if sids.get(job["name"]) == job["index"]]

    def live(self, run_id: str) -> list[str]:
        """The ids of a run's jobs that run or may run."""
        jobs = self.jobs_of(run_id)
        return [fake.job_id(job) for job in jobs if job["state"] in fake.LIVE]

    def change(self, run_id: str, **values) -> None:
        """Change the newest job of a run."""
        newest = fake.job_id(self.jobs_of(run_id)[-1])
        with fake.opened(self.file) as cluster:
            for job in cluster["jobs"]:
                if fake.job_id(job) == newest:
                    job.update(values)

    def forget(self, *run_ids: str) -> None:
        """Let squeue forget the jobs of these runs, or of all, that have ended."""
        wanted = {fake.job_id(job) for run_id in run_ids for job in self.jobs_of(run_id)}
        with fake.opened(self.file) as cluster:
            for job in cluster["jobs"]:
                if job["state"] not in fake.LIVE and (not wanted or fake.job_id(job) in wanted):
                    job["known"] = False

    def start(self, run_id: str) -> None:
        """The job runs, and its worker has opened an attempt."""
        job = self.jobs_of(run_id)[-1]
        assert job["state"] == "PENDING"
        assert job["after"] is None, "Slurm starts no job before its dependency"
        self.change(run_id, state="RUNNING", reason="", node="node1")
        paths = self.runs.run(run_id)
        attempt = paths.attempt(max(paths.attempt_numbers(), default=0) + 1)
        begin = Begin(
            host="node1",
            pid=7,
            started_at=time.time(),
            iteration=0,
            sid=job["name"],
            job_id=fake.job_id(job),
        )
        write_begin(attempt.begin, begin)

    def end(self, run_id: str, state: str, outcome: str = "", error: str = "") -> None:
        """The job has ended, and its attempt with this outcome; with none where it is ""."""
        self.change(run_id, state=state, elapsed=90, reason="")
        if outcome:
            attempt = self.runs.run(run_id).last_attempt()
            write_outcome(
                attempt.outcome, Outcome(ended=outcome, error=error, seconds=90.0, trained_s=80.0)
            )

    def finish_elsewhere(self, run_id: str) -> None:
        """The run is done without a job of its own."""
        finish(self.runs, self.specs[run_id])

    def finish(self, run_id: str) -> None:
        """The run is done, and so is its job."""
        finish(self.runs, self.specs[run_id])
        self.end(run_id, "COMPLETED", "done")


def finish(runs: RunsFolder, spec) -> None:
    """Write what a run that is done leaves."""
    paths = runs.run(spec.run_id)
    checkpoint = paths.checkpoint(spec.last_iteration)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(checkpoint, "w") as file:
        file.writestr("weights", b"")
    metrics = Metrics(
        run_id=spec.run_id,
        parent=None,
        spec=identity_of(spec),
        ap={} if spec.stage == "base" else {"segm": dict.fromkeys(METRICS, 34.5)},
        annotations={},
        order_hash="0" * 8,
        evaluator="",
        environment={},
        gpu_hours=0.1,
    )
    write_metrics(paths.metrics, metrics)


@pytest.fixture(scope="session")
def shapes_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shapes"
    write_shapes(folder, train_images=2, val_images=2)
    return folder


@pytest.fixture
def grid(shapes_dir) -> Grid:
    """table1: R50 baseline and k=2 on one base; table2: R101 on another."""
    return grid_of(
        shapes_dir,
        {
            "table1": (
                ("R50", "mask_rcnn_R50_FPN", NO_LOSS),
                ("k=2", "mask_rcnn_R50_FPN", contour()),
            ),
            "table2": (("R101", "mask_rcnn_R101_FPN", NO_LOSS),),
        },
    )


def grid_of(shapes_dir, tables, seed=0) -> Grid:
    setting = Setting(scale="demo", shapes_dir=shapes_dir, seed=seed)
    return merge(
        table_grid(
            name,
            Layout("", ("Method", "mAP")),
            [
                Cell(name, row, finetune(setting, architecture, loss), {"Method": row})
                for row, architecture, loss in rows
            ],
        )
        for name, rows in tables.items()
    )


@pytest.fixture
def big_grid(shapes_dir) -> Grid:
    """1,000 runs: 8 bases, each with 124 fine-tunes of other weights."""
    settings = [Setting(scale="demo", shapes_dir=shapes_dir, seed=seed) for seed in range(8)]
    cells = [
        Cell(
            "big",
            f"{setting.seed}/{weight}",
            finetune(setting, "mask_rcnn_R50_FPN", contour(weight=weight)),
            {"Method": ""},
        )
        for setting in settings
        for weight in range(1, 125)
    ]
    return table_grid("big", Layout("", ("Method", "mAP")), cells)


@pytest.fixture
def ids(grid) -> dict[str, str]:
    """Run ids by name, the table left out: "R50", "k=2", "R101", "base R50", "base R101"."""
    return {
        grid.name_of(run_id)
        .rpartition("/")[2]
        .replace("mask_rcnn_", "")
        .replace("_FPN", ""): run_id
        for run_id in grid.runs
    }


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def site() -> Site:
    return Site(
        name="fake", gpus_per_node=4, cpus_per_gpu=2, mem_gb_per_gpu=16.0, time_limit_min=60
    )


@pytest.fixture
def cluster(grid, runs, tmp_path, monkeypatch) -> Cluster:
    """Slurm's commands on PATH, and a driver of what they say."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    made = Cluster(tmp_path, runs, grid.runs)
    for name in COMMANDS:
        words = [sys.executable, "-I", "-S", str(FAKE), str(made.file), name]
        (bin_folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture
def give(grid, runs, site, cluster, monkeypatch):
    """`harness submit`, with the cluster's clock, and a snapshot that is there already."""
    snapshot = Snapshot("0" * 12, "1" * 64)
    monkeypatch.setattr("harness.slurm.submit.take_snapshot", lambda runs, *, dirty: snapshot)

    def give(grid=grid, site=site, **options):
        options.setdefault("clock", cluster.clock)
        try:
            return submit(grid, runs, site, **options)
        finally:
            cluster.later(1)  # as in life, no two are of one moment

    return give
