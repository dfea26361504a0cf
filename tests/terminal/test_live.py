"""Runs while they go: the live table, plain lines, and watching."""

import os
from contextlib import ExitStack

import pytest
from rich.live import Live

from harness.grid.state import Cause, RunState, State
from harness.launch.status import Seen
from harness.lease import lease
from harness.records import Begin, write_begin
from harness.terminal.live import (
    LineView,
    TableView,
    live_view,
    show_status,
    watch_launch,
    watch_status,
)


def printed(console):
    return console.file.getvalue()


@pytest.fixture
def log(runs, run_id):
    """Lets the run of k=2 have logged an iteration at a time."""

    def write(iteration, at_s=0.0):
        path = runs.run(run_id).metrics_log
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'{{"iteration": {iteration}, "total_loss": 1.5}}\n')
        os.utime(path, (at_s, at_s))

    return write


@pytest.fixture
def begin(runs, run_id):
    """Begins an attempt at the run of k=2 at a time, with so many iterations done."""

    def write(iteration, at_s):
        begun = Begin(host="h", pid=1, started_at=at_s, iteration=iteration)
        write_begin(runs.run(run_id).attempt(1).begin, begun)

    return write


@pytest.fixture
def by_files(on_disk):
    return lambda: Seen(on_disk(), asked=False)


@pytest.fixture
def running(run_id, on_disk):
    return on_disk() | {run_id: RunState(State.RUNNING)}


def test_without_a_terminal_each_change_of_state_is_a_plain_line(
    grid, runs, run_id, console, log, running, on_disk
):
    with live_view(grid, runs, console) as view:
        assert isinstance(view, LineView)
        states = on_disk()
        view.show(states)
        view.show(states)
        log(210)
        view.show(running)
        view.show(states | {run_id: RunState(State.FAILED, "no luck " * 16, Cause.TIME_LIMIT)})
    lines = printed(console).splitlines()
    assert lines[0] == "3 to do"
    assert lines[1:] == [
        f"table1/k=2 · {run_id}  running",
        f"table1/k=2 · {run_id}  failed: time limit: {'no luck ' * 16}",
    ]


def test_of_what_waits_only_that_it_waits_is_a_line(grid, runs, run_id, console, on_disk):
    states = on_disk()
    view = LineView(grid, runs, console)
    view.show(states)
    for reason in ("waits for its base", "waits for resources"):
        view.show(states | {run_id: RunState(State.QUEUED, reason)})
    queued = [line for line in printed(console).splitlines() if "queued" in line]
    assert queued == [f"table1/k=2 · {run_id}  queued: waits for its base"]


def test_that_slurm_does_not_answer_is_told_once(grid, runs, console, on_disk):
    states = on_disk()
    view = LineView(grid, runs, console)
    for note in ("", "By files alone: squeue", "By files alone: squeue", ""):
        view.show(states, note)
    assert printed(console).count("By files alone: squeue\n") == 1


def test_a_running_run_tells_its_progress_every_half_minute(
    grid, runs, run_id, console, log, begin, running
):
    now = iter([0.0, 10.0, 40.0, 45.0])
    view = LineView(grid, runs, console, clock=lambda: next(now))
    last = grid.runs[run_id].last_iteration
    begin(last - 50, at_s=-40)
    for iteration, at_s in ((last - 50, -40), (last - 40, 0), (last - 30, 40), (last - 30, 40)):
        log(iteration, at_s)
        view.show(running)
    progress = [line for line in printed(console).splitlines() if "loss" in line]
    # 20 iterations in 80 s: 30 more take 120 s.
    assert progress == [f"table1/k=2 · {run_id}  {last - 30}/{last}  loss 1.500  time left 2 min"]


def test_on_a_terminal_a_table_shows_every_run(grid, runs, run_id, terminal, log, running):
    log(210)
    with live_view(grid, runs, terminal) as view:
        assert isinstance(view, TableView)
        view.show(running)
    text = printed(terminal)
    last = grid.runs[run_id].last_iteration
    assert "1 running · 2 to do" in text
    assert "base mask_rcnn_R101_FPN" in text
    assert f"210/{last}     1.500" in text


def test_a_table_tells_time_left_and_why_runs_failed(
    grid, runs, run_id, terminal, log, begin, running
):
    with Live(console=terminal, auto_refresh=False) as live:
        view = TableView(grid, runs, live, clock=lambda: 25.0)
        last = grid.runs[run_id].last_iteration
        begin(last - 50, at_s=0)
        log(last - 40, at_s=20)
        view.show(running)
        # 10 iterations in 20 s: 40 more take 80 s, of which 5 are over.
        assert "75 s" in printed(terminal)
        view.show(running | {run_id: RunState(State.FAILED, "no luck")})
    assert f"failed: no luck ({run_id})" in printed(terminal)


def test_a_watch_shows_what_others_train_until_nothing_runs(grid, runs, run_id, console, by_files):
    waits = []
    with ExitStack() as elsewhere:
        elsewhere.enter_context(lease(runs.run(run_id).lease, "k=2"))

        def wait(_):
            waits.append(None)
            elsewhere.close()

        watch_status(grid, runs, by_files, console, wait, clock=lambda: 10.0 * len(waits))
    # Running, ended, and 20 s after it was last seen nothing has followed.
    assert len(waits) == 2
    lines = printed(console).splitlines()
    assert lines[0] == "1 running · 2 to do"
    assert lines[-1] == f"table1/k=2 · {run_id}  to do"


def test_a_watch_of_runs_that_slurm_never_heard_of_looks_every_2_s(
    grid, runs, run_id, console, by_files
):
    waits = []
    with ExitStack() as elsewhere:
        elsewhere.enter_context(lease(runs.run(run_id).lease, "k=2"))

        def wait(seconds):
            waits.append(seconds)
            elsewhere.close()

        watch_status(grid, runs, by_files, console, wait, clock=lambda: sum(waits))
    assert waits == [2.0] * 10  # running at 0 s, and 20 s later nothing has followed


def test_a_watch_waits_for_the_run_that_follows(grid, runs, run_id, console, by_files):
    # Between two runs of a launch there are seconds in which neither holds its lease.
    held = []
    with ExitStack() as elsewhere:

        def hold():
            elsewhere.enter_context(lease(runs.run(run_id).lease, "k=2"))

        def wait(_):
            held.append(None)
            {1: elsewhere.close, 2: hold, 3: elsewhere.close}.get(len(held), lambda: None)()

        hold()
        watch_status(grid, runs, by_files, console, wait, clock=lambda: 10.0 * len(held))
    assert printed(console).count("running\n") == 2


def test_a_watch_goes_on_while_runs_are_queued_and_asks_slurm_every_10_s(
    grid, runs, run_id, console, on_disk
):
    waits = []
    states = on_disk()

    def look():
        queued = {run_id: RunState(State.QUEUED, "waits for resources")}
        return Seen(states | (queued if len(waits) < 9 else {}), asked=True, note="Slurm is slow")

    watch_status(grid, runs, look, console, waits.append, clock=lambda: sum(waits))
    # Queued for 9 looks, and 20 s after the last of them, at 80 s, it ends.
    assert waits == [10.0] * 10
    assert printed(console).splitlines()[:2] == ["1 queued · 2 to do", "Slurm is slow"]


def test_a_launch_is_watched_until_nothing_is_queued_and_no_longer(
    grid, runs, run_id, console, on_disk
):
    queued = on_disk() | {run_id: RunState(State.QUEUED)}
    done = queued | {run_id: RunState(State.DONE)}
    looks = iter([Seen(queued, asked=True), Seen(done, asked=True)])
    watch_launch(grid, runs, lambda: next(looks), console, wait=lambda _: None)
    assert printed(console).endswith(f"table1/k=2 · {run_id}  done\n")


def test_a_watch_of_nothing_ends_at_once(grid, runs, console, by_files):
    watch_status(grid, runs, by_files, console, pytest.fail)
    assert printed(console).startswith("3 to do\n")


def test_ctrl_c_ends_a_watch_without_a_traceback(grid, runs, run_id, console, by_files):
    def wait(_):
        raise KeyboardInterrupt

    with lease(runs.run(run_id).lease, "k=2"):
        watch_status(grid, runs, by_files, console, wait)
    assert "1 running" in printed(console)


def test_a_status_is_printed_once_from_the_files(grid, runs, run_id, console, by_files):
    show_status(grid, runs, by_files, console)
    text = printed(console)
    assert text.startswith("3 to do\n")
    assert f"{run_id}  table1/k=2, table1/[bold]again" in text


def test_a_status_takes_the_states_that_slurm_tells(grid, runs, run_id, console):
    states = {run_id: RunState(State.QUEUED, "waits for resources")}
    show_status(grid, runs, lambda: Seen(states, asked=True, note="By files alone"), console)
    text = printed(console)
    assert text.startswith("1 queued\nBy files alone\n")
    assert f"queued: waits for resources ({run_id})" in text
