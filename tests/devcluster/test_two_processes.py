"""A run in two processes on a real Slurm: its own batch script, srun, workers and aftermath."""

from dataclasses import replace

import pytest

from harness.grid import Cell, Schedule, Setting, table_grid
from harness.grid.spec import base_of
from harness.grid.state import State
from harness.records import read_begin
from harness.slurm.look import look
from harness.slurm.site import load_site
from harness.slurm.submit import submit
from harness.workplace import shapes_folder
from tests.chaos.experiments import chaos
from tests.chaos.project import ROOT, SITE, Project
from tests.devcluster import faults
from tests.devcluster.faults import until

# A base of 20 iterations, with a checkpoint after every fifth.
SCHEDULE = Schedule(base_lr=0.02, steps=(20,), max_iter=21, warmup_iters=10)


@pytest.mark.slow
def test_a_base_in_two_processes_outlives_the_kill_of_one(devcluster, tmp_path):
    runs = Project(tmp_path, {}, dirty=True).new_runs("runs")
    setting = Setting(scale="demo", shapes_dir=shapes_folder(runs))
    spec = replace(chaos.run(setting, "R50", "contour", num_gpus=2), schedule=SCHEDULE)
    grid = table_grid("two", chaos.LAYOUT, [Cell("two", "row", spec, {"Method": "contour"})])
    base = base_of(spec)
    paths = runs.run(base.run_id)

    site = load_site(SITE, ROOT / "slurm")
    [array] = submit(grid, runs, site, dirty=True, only=[base.run_id]).arrays
    until(lambda: paths.newest_iteration() >= 5, 60, "a checkpoint")
    faults.kill_worker(devcluster, f"{array}_0", rank=1)
    until(lambda: look({base.run_id: base}, runs).states[base.run_id].state is State.DONE, 60)

    first, second = (read_begin(paths.attempt(one).begin) for one in paths.attempt_numbers())
    assert first.iteration == 0
    assert second.iteration >= 5
