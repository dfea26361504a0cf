"""Whole launches with real processes of submitit; only the training itself is a stand-in."""

import os
import signal
from contextlib import ExitStack
from dataclasses import replace

import pytest

from harness.errors import DataError, LaunchError
from harness.grid.grid import Grid
from harness.grid.state import State, run_state
from harness.launch.foreground import run_one
from harness.launch.local import run_grid
from harness.launch.logs import failures
from harness.launch.prepare_data import prepare_data
from harness.launch.processes import stop_jobs
from harness.lease import lease
from harness.records import read_outcome

R50_BASE, R101_BASE = "base mask_rcnn_R50_FPN", "base mask_rcnn_R101_FPN"


@pytest.fixture
def launch(grid, runs, quick):
    """Submits the grid; returns how it ended, the runs told as done, and every tick's states."""

    def launch(work, grid=grid, on_tick=lambda states: None):
        done, ticks = [], []

        def see(states):
            ticks.append({run_id: now.state for run_id, now in states.items()})
            on_tick(states)

        ended = run_grid(grid, runs, on_tick=see, on_done=done.append, slots=2, work=work)
        return ended, done, ticks

    return launch


def only(grid, *names):
    """The part of the grid with these cells."""
    return Grid(tuple(cell for cell in grid.cells if cell.name in names), grid.layouts)


def test_a_grid_runs_bases_first_and_a_second_submit_starts_nothing(
    grid, ids, launch, make_work, story
):
    ended, done, ticks = launch(make_work())

    assert ended.done == tuple(ids.values())
    assert (ended.failed, ended.blocked) == ((), ())
    assert sorted(done) == sorted(ids.values())
    for base, child in ((R50_BASE, "R50"), (R50_BASE, "k=2"), (R101_BASE, "R101")):
        lines = story.lines()
        assert lines.index((ids[base], "ends")) < lines.index((ids[f"table1/{child}"], "begins"))
    assert max(list(tick.values()).count(State.RUNNING) for tick in ticks) == 2

    again, done, ticks = launch(make_work())
    assert again == ended
    assert (done, len(ticks), len(story.begun())) == ([], 1, len(ids))


def test_a_failed_base_blocks_only_its_own_children_and_is_tried_again_later(
    grid, ids, runs, launch, make_work, story, on_disk
):
    ended, _, _ = launch(make_work(failing=[ids[R50_BASE]]))
    assert ended.failed == (ids[R50_BASE],)
    assert set(ended.done) == {ids[R101_BASE], ids["table1/R101"]}
    assert set(ended.blocked) == {ids["table1/R50"], ids["table1/k=2"]}

    (failure,) = failures(grid, runs, on_disk(), {}, {})
    assert (failure.run_id, failure.name) == (ids[R50_BASE], R50_BASE)
    assert failure.reason == "loss_mask became nan at iteration 7"
    assert failure.last_lines == ("TrainingError: loss_mask became nan at iteration 7",)

    again, done, _ = launch(make_work())
    assert again.failed == ()
    assert done[0] == ids[R50_BASE]
    assert set(done[1:]) == {ids["table1/R50"], ids["table1/k=2"]}


def test_a_job_killed_without_a_word_is_a_failure(grid, ids, runs, launch, make_work):
    part = only(grid, "table1/R101")
    ended, _, _ = launch(make_work(killed=[ids[R101_BASE]]), part)
    assert (ended.failed, ended.blocked) == ((ids[R101_BASE],), (ids["table1/R101"],))
    reason = run_state(grid.runs[ids[R101_BASE]], runs).reason
    assert reason == "killed: the attempt ended without a word"


def test_a_job_that_dies_before_its_attempt_leaves_its_reason(grid, ids, runs, launch, on_disk):
    def work(folder):
        raise ImportError("libGL.so.1: cannot open shared object file")

    ended, _, _ = launch(work, only(grid, "table1/R101"))
    assert ended.failed == (ids[R101_BASE],)
    (failure,) = failures(grid, runs, on_disk(), {}, {})
    assert failure.reason.startswith("died at its start: ImportError: libGL.so.1")
    assert failure.last_lines[-1] == "ImportError: libGL.so.1: cannot open shared object file"


def test_a_run_with_a_live_lease_is_waited_for_and_never_started(
    grid, ids, runs, here, launch, make_work, story
):
    part = only(grid, "table1/R101")
    base = runs.run(ids[R101_BASE])
    seen = []
    with ExitStack() as elsewhere:
        elsewhere.enter_context(lease(base.lease, "the base"))

        def on_tick(states):
            seen.append(states[ids[R101_BASE]].state)
            if len(seen) == 3:
                elsewhere.close()
                here(base.folder)

        ended, _, _ = launch(make_work(), part, on_tick)
    assert seen[:3] == [State.RUNNING] * 3
    assert ended.done == (ids[R101_BASE], ids["table1/R101"])
    assert story.begun() == [ids[R101_BASE], ids["table1/R101"]]


def test_ctrl_c_ends_the_jobs_in_order_and_loses_nothing(grid, ids, runs, launch, make_work, story):
    part = only(grid, "table1/R101")

    def on_tick(states):
        if (ids[R101_BASE], "waits") in story.lines():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch(make_work(waiting=[ids[R101_BASE]]), part, on_tick)
    base = runs.run(ids[R101_BASE])
    assert read_outcome(base.attempt(1).outcome).ended == "interrupted"
    assert run_state(grid.runs[ids[R101_BASE]], runs).state is State.TO_DO

    ended, _, _ = launch(make_work(), part)
    assert ended.done == (ids[R101_BASE], ids["table1/R101"])


def test_a_run_on_several_gpus_is_refused_before_anything_starts(paper_grid, runs):
    with pytest.raises(LaunchError, match="trains on 4 GPUs; site 'local' trains each run in one"):
        run_grid(paper_grid, runs, on_tick=print, on_done=print)
    assert not runs.folder.exists()


def test_detectron2_missing_is_told_before_anything_starts(grid, runs, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LaunchError, match="detectron2 is not installed, so nothing was started"):
        run_grid(grid, runs, on_tick=print, on_done=print)
    assert not runs.folder.exists()


def test_damaged_data_is_told_before_anything_starts(own_grid, own_data, runs):
    (own_data / "annotations" / "instances_train.json").write_text("{")
    with pytest.raises(DataError, match=r"instances_train\.json: cut short or damaged"):
        run_grid(own_grid, runs, on_tick=print, on_done=print)
    assert not list(runs.folder.glob("*/spec.json"))


def test_missing_coco_is_told_with_the_place_that_was_looked_at(
    paper_grid, runs, tmp_path, monkeypatch
):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    with pytest.raises(
        DataError,
        match=r"^2 things are wrong with the data:\n"
        rf"- coco_2014_minival is not here: {tmp_path}/coco/ann.*\n"
        rf"- coco_2014_train is not here: {tmp_path}/coco/ann",
    ):
        prepare_data([paper_grid.cells[0].spec], runs.checked)


def test_running_a_done_run_alone_does_nothing(grid, ids, runs, launch, make_work):
    launch(make_work(), only(grid, "table1/R101"))
    run_one(runs, grid.runs[ids["table1/R101"]])
    assert runs.run(ids["table1/R101"]).attempt_numbers() == [1]


def test_a_run_that_left_the_grid_can_still_be_run_alone(paper_grid, runs):
    # Its folder's spec.json is all there is of it: the refusal below names it by its id.
    spec = replace(paper_grid.cells[0].spec, seed=99)
    with pytest.raises(LaunchError, match=f"^Run {spec.run_id} trains on 4 GPUs; site 'local'"):
        run_one(runs, spec)


class Stubborn:
    """A job that ends `after` signals, with the part of submitit's face that we use."""

    job_id = "4194999"  # above what the kernel gives out by default

    def __init__(self, after):
        self.left = after

    def done(self):
        return self.left <= 0


def test_jobs_that_do_not_end_in_time_are_returned(monkeypatch):
    monkeypatch.setattr("harness.launch.processes.STOP_WITHIN_S", 0.1)
    monkeypatch.setattr("harness.launch.processes.POLL_S", 0.01)
    meek, stubborn = Stubborn(1), Stubborn(10**9)

    def kill(pid, signum):
        meek.left -= 1
        stubborn.left -= 1
        raise ProcessLookupError  # it may end at any moment

    monkeypatch.setattr("harness.launch.processes.os.kill", kill)
    assert stop_jobs([meek, stubborn]) == [stubborn]


def test_a_launcher_names_the_jobs_that_outlive_it(
    grid, ids, launch, make_work, story, monkeypatch, capsys
):
    stopped = []

    def stop(jobs):
        stopped.extend(jobs)
        stop_jobs(stopped)
        return stopped

    monkeypatch.setattr("harness.launch.local.stop_jobs", stop)

    def on_tick(states):
        if (ids[R101_BASE], "waits") in story.lines():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch(make_work(waiting=[ids[R101_BASE]]), only(grid, "table1/R101"), on_tick)
    told = capsys.readouterr().err
    assert told.startswith(
        f"Run {ids[R101_BASE]} was asked to end and has not: process {stopped[0].job_id} on this "
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_launcher_asked_to_end_first_ends_its_jobs(
    grid, ids, runs, launch, make_work, story, signum
):
    def on_tick(states):
        if (ids[R101_BASE], "waits") in story.lines():
            os.kill(os.getpid(), signum)

    with pytest.raises(SystemExit):
        launch(make_work(waiting=[ids[R101_BASE]]), only(grid, "table1/R101"), on_tick)
    assert read_outcome(runs.run(ids[R101_BASE]).attempt(1).outcome).ended == "interrupted"
