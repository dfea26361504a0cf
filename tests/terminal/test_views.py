"""What people read, at 80 columns."""

import io
from contextlib import ExitStack

import pytest
from rich.console import Console
from rich.live import Live

from harness.grid import NO_LOSS, Cell, Grid, Layout, Setting, contour, finetune, table_grid
from harness.grid.plan import make_plan
from harness.grid.spec import base_of
from harness.grid.state import RunState, State
from harness.launch.logs import Failure
from harness.launch.status import states_on_disk
from harness.lease import lease
from harness.paths import RunsFolder
from harness.terminal.live import LineView, TableView, live_view, show_status, watch_status
from harness.terminal.logs_view import show_failures, show_log
from harness.terminal.plan_view import show_plan
from harness.terminal.words import duration

AGAIN = "harness submit --site local --scale demo"


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=80)


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), width=80, height=40, force_terminal=True, color_system=None)


@pytest.fixture
def grid() -> Grid:
    """k=2 is shown twice; HTC is not built."""
    setting = Setting(scale="demo")
    rows = {
        "baseline": finetune(setting, "mask_rcnn_R101_FPN", NO_LOSS),
        "k=2": finetune(setting, "mask_rcnn_R101_FPN", contour(k=2)),
        "[bold]again": finetune(setting, "mask_rcnn_R101_FPN", contour(k=2)),
        "HTC": finetune(setting, "htc_R50_FPN", NO_LOSS),
    }
    cells = [Cell("table1", row, spec, {}) for row, spec in rows.items()]
    return table_grid("table1", Layout("", ("mAP",)), cells)


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path)


@pytest.fixture
def run_id(grid) -> str:
    """The run of k=2."""
    return grid.cells[1].spec.run_id


def printed(console):
    return console.file.getvalue()


def test_a_plan_shows_runs_cells_reasons_costs_and_counts(grid, runs, run_id, console):
    show_plan(make_plan(grid, runs), console)
    text = printed(console)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "base mask_rcnn_R101_FPN" in text  # nothing is cut
    line = next(line for line in text.splitlines() if line.startswith(run_id))
    base = base_of(grid.cells[1].spec).run_id
    assert line.split()[1:6] == ["table1/k=2", "finetune", base, "to", "do"]
    assert "table1/[bold]again" in text
    assert "blocked: Hybrid Task Cascade is not built yet" in text
    assert "Demo scale: thin networks" in text
    for way in (
        "this plan",
        "of which still to do",
        "each distinct row trained alone",
        "every row trained alone",
    ):
        assert way in text
    assert "one CPU core counts as a GPU" in text
    assert "4 cells, 5 runs: 3 to do · 2 blocked." in text
    assert "kept." in text


def show_running(view, runs, run_id, states, iteration):
    log = runs.run(run_id).metrics_log
    log.parent.mkdir(exist_ok=True)
    log.write_text(f'{{"iteration": {iteration}, "total_loss": 1.5}}\n')
    view.show(states | {run_id: RunState(State.RUNNING)})


def test_without_a_terminal_each_change_of_state_is_a_plain_line(grid, runs, run_id, console):
    with live_view(grid, runs, console) as view:
        assert isinstance(view, LineView)
        states = states_on_disk(grid, runs)
        view.show(states)
        view.show(states)
        show_running(view, runs, run_id, states, 210)
        view.show(states | {run_id: RunState(State.FAILED, "loss became nan " * 8)})
    lines = printed(console).splitlines()
    assert lines[0] == "3 to do · 2 blocked"
    assert lines[1].endswith(
        "blocked: Hybrid Task Cascade is not built yet; this version trains Mask R-CNN only"
    )
    assert lines[3:] == [
        f"table1/k=2 · {run_id}  running",
        f"table1/k=2 · {run_id}  failed: {'loss became nan ' * 8}",
    ]


def test_a_running_run_tells_its_progress_every_half_minute(grid, runs, run_id, console):
    now = iter([0.0, 10.0, 40.0, 45.0])
    view = LineView(grid, runs, console, clock=lambda: next(now))
    last = grid.runs[run_id].last_iteration
    for iteration in (last - 50, last - 40, last - 30, last - 30):
        show_running(view, runs, run_id, states_on_disk(grid, runs), iteration)
    progress = [line for line in printed(console).splitlines() if "loss" in line]
    # 20 iterations in 40 s: 30 more take 60 s.
    assert progress == [f"table1/k=2 · {run_id}  {last - 30}/{last}  loss 1.500  time left 60 s"]


def test_on_a_terminal_a_table_shows_every_run(grid, runs, run_id, terminal):
    with live_view(grid, runs, terminal) as view:
        assert isinstance(view, TableView)
        show_running(view, runs, run_id, states_on_disk(grid, runs), 210)
    text = printed(terminal)
    last = grid.runs[run_id].last_iteration
    assert "1 running · 2 to do · 2 blocked" in text
    assert "base mask_rcnn_R101_FPN" in text
    assert f"210/{last}  1.500" in text


def test_a_table_tells_time_left_and_why_runs_failed(grid, runs, run_id, terminal):
    now = iter([0.0, 20.0, 21.0])
    with Live(console=terminal, auto_refresh=False) as live:
        view = TableView(grid, runs, live, clock=lambda: next(now))
        last = grid.runs[run_id].last_iteration
        for iteration in (last - 50, last - 40):
            show_running(view, runs, run_id, states_on_disk(grid, runs), iteration)
        assert "80 s" in printed(terminal)
        view.show(states_on_disk(grid, runs) | {run_id: RunState(State.FAILED, "no luck")})
    assert f"failed: no luck ({run_id})" in printed(terminal)


def test_time_left_does_not_count_the_time_that_a_run_waited(grid, runs, run_id, terminal):
    now = iter([0.0, 1000.0, 1020.0])
    with Live(console=terminal, auto_refresh=False) as live:
        view = TableView(grid, runs, live, clock=lambda: next(now))
        states = states_on_disk(grid, runs)
        view.show(states)
        last = grid.runs[run_id].last_iteration
        for iteration in (last - 50, last - 40):
            show_running(view, runs, run_id, states, iteration)
    # 10 iterations in 20 s: 40 more take 80 s.
    assert "80 s" in printed(terminal)


def test_a_watch_shows_what_others_train_until_nothing_runs(grid, runs, run_id, console):
    waits = []
    with ExitStack() as elsewhere:
        elsewhere.enter_context(lease(runs.run(run_id).lease, "k=2"))

        def wait():
            waits.append(None)
            elsewhere.close()

        watch_status(grid, runs, console, wait=wait, clock=lambda: 10.0 * len(waits))
    # Running, ended, and 20 s after it was last seen nothing has followed.
    assert len(waits) == 2
    lines = printed(console).splitlines()
    assert lines[0] == "1 running · 2 to do · 2 blocked"
    assert lines[-1] == f"table1/k=2 · {run_id}  to do"


def test_a_watch_waits_for_the_run_that_follows(grid, runs, run_id, console):
    # Between two runs of a launch there are seconds in which neither holds its lease.
    held = []
    with ExitStack() as elsewhere:

        def hold():
            elsewhere.enter_context(lease(runs.run(run_id).lease, "k=2"))

        def wait():
            held.append(None)
            {1: elsewhere.close, 2: hold, 3: elsewhere.close}.get(len(held), lambda: None)()

        hold()
        watch_status(grid, runs, console, wait=wait, clock=lambda: 10.0 * len(held))
    assert printed(console).count("running\n") == 2


def test_a_watch_of_nothing_ends_at_once(grid, runs, console):
    watch_status(grid, runs, console, wait=pytest.fail)
    assert printed(console).startswith("3 to do · 2 blocked\n")


def test_ctrl_c_ends_a_watch_without_a_traceback(grid, runs, run_id, console):
    def wait():
        raise KeyboardInterrupt

    with lease(runs.run(run_id).lease, "k=2"):
        watch_status(grid, runs, console, wait=wait)
    assert "1 running" in printed(console)


def test_failures_show_their_last_lines_as_they_are(runs, console):
    log = runs.folder / "stderr"
    show_failures(
        [Failure("3f9c1ab2", "table1/k=2", "no luck", ("[/bold] x",), log, AGAIN)], console
    )
    text = printed(console)
    assert text.startswith("table1/k=2 · 3f9c1ab2: no luck\n  [/bold] x\n")
    assert str(log) in text
    assert "1 failed. They are tried again, from their checkpoints, by:\n  harness submit " in text


def test_no_failure_is_said_too(console):
    show_failures([], console)
    assert printed(console) == "No run has failed.\n"


def test_a_log_is_printed_untouched(console):
    show_log(["[red]a" + "x" * 100 + "\n", "\x1b[32mgreen\x1b[0m\n"], console)
    assert printed(console) == "[red]a" + "x" * 100 + "\n\x1b[32mgreen\x1b[0m\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (720, "12 min"), (3 * 3600 + 300, "3 h 05 min"), (100 * 3600, "4 d 4 h")],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words


def test_a_status_is_printed_once_from_the_files(grid, runs, run_id, console):
    show_status(grid, runs, console)
    text = printed(console)
    assert text.startswith("3 to do · 2 blocked\n")
    assert f"{run_id}  table1/k=2" in text
