"""Runs while they go: a table that renews itself on a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.grid.grid import Grid
from harness.grid.state import RunState, State
from harness.launch.pace import Pace
from harness.launch.schedule import States
from harness.launch.status import RunStatus, run_statuses, states_on_disk
from harness.paths import RunsFolder
from harness.terminal.words import counts, duration, reasons, state_text, table

LINE_EVERY_S = 30.0
WATCH_EVERY_S = 2.0
# A watch ends when nothing has run for so long: the next run of a launch needs a while to start.
QUIET_S = 20.0

Clock = Callable[[], float]


class View(Protocol):
    """What is told the states of all runs, again and again."""

    def show(self, states: States) -> None:
        """Bring what people see up to date."""


@contextmanager
def live_view(grid: Grid, runs: RunsFolder, console: Console | None = None) -> Iterator[View]:
    """The view that fits the console: a live table on a terminal, else plain lines.

    Args:
        grid: the runs.
        runs: their folders.
        console: where to; stderr by default, since stdout is for data.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield LineView(grid, runs, console)
        return
    # Data on its way to stdout must not be drawn into the view.
    with Live(console=console, auto_refresh=False, redirect_stdout=False) as live:
        yield TableView(grid, runs, live)


def show_status(grid: Grid, runs: RunsFolder, console: Console | None = None) -> None:
    """Print once, to stdout by default, what the files say of every run."""
    statuses = run_statuses(grid, runs, states_on_disk(grid, runs))
    (console or Console()).print(status_table(statuses, Pace(), 0.0), highlight=False)


def watch_status(
    grid: Grid,
    runs: RunsFolder,
    console: Console | None = None,
    wait: Callable[[], None] = lambda: time.sleep(WATCH_EVERY_S),
    clock: Clock = time.monotonic,
) -> None:
    """Show what the files say of every run, again and again, until nothing runs or Ctrl-C.

    Args:
        grid: the runs.
        runs: their folders.
        console: where to; stdout by default.
        wait: called between two looks at the files.
        clock: seconds.
    """
    quiet_since = -QUIET_S + clock()  # where nothing runs at first, nothing is waited for
    with suppress(KeyboardInterrupt), live_view(grid, runs, console or Console()) as view:
        while True:
            states = states_on_disk(grid, runs)
            view.show(states)
            if any(state.state is State.RUNNING for state in states.values()):
                quiet_since = clock()
            elif clock() - quiet_since >= QUIET_S:
                return
            wait()


class TableView:
    """One line for each run, drawn anew in place."""

    def __init__(
        self, grid: Grid, runs: RunsFolder, live: Live, clock: Clock = time.monotonic
    ) -> None:
        self.grid, self.runs, self.live, self.clock = grid, runs, live, clock
        self.pace = Pace()

    def show(self, states: States) -> None:
        """Draw the table."""
        statuses = run_statuses(self.grid, self.runs, states)
        self.live.update(status_table(statuses, self.pace, self.clock()), refresh=True)


class LineView:
    """A line when a run's state changes, and now and then one on how far it is."""

    def __init__(
        self, grid: Grid, runs: RunsFolder, console: Console, clock: Clock = time.monotonic
    ) -> None:
        self.grid, self.runs, self.console, self.clock = grid, runs, console, clock
        self.pace = Pace()
        self._known: dict[str, RunState] = {}
        self._told: dict[str, tuple[int, float]] = {}  # iteration and time of the newest line

    def show(self, states: States) -> None:
        """Print what is new."""
        now_s = self.clock()
        if not self._known:
            self._say(counts(state.state for state in states.values()))
            quiet = (State.DONE, State.TO_DO)
            self._known = {i: state for i, state in states.items() if state.state in quiet}
        for run in run_statuses(self.grid, self.runs, states):
            if self._known.get(run.run_id) != states[run.run_id]:
                self._known[run.run_id] = states[run.run_id]
                self._told[run.run_id] = (run.iteration, now_s)
                self._say(f"{_title(run)}  {run.state}{f': {run.reason}' if run.reason else ''}")
            if run.state is State.RUNNING:
                self._tell_progress(run, now_s)

    def _tell_progress(self, run: RunStatus, now_s: float) -> None:
        _see(run, self.pace, now_s)
        told, told_s = self._told[run.run_id]
        if run.iteration != told and now_s - told_s >= LINE_EVERY_S:
            self._told[run.run_id] = (run.iteration, now_s)
            left = _left(run, self.pace, now_s)
            self._say(f"{_title(run)}  {_iteration(run)}  loss {_loss(run)}  time left {left}")

    def _say(self, line: str) -> None:
        # Logs are searched by line: never wrapped.
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def status_table(statuses: tuple[RunStatus, ...], pace: Pace, now_s: float) -> Group:
    """Counts, each run with iteration, loss and time left, and why runs failed or are blocked."""
    view = table("run", "name", "state")
    for heading in ("iteration", "loss", "left"):
        view.add_column(heading, justify="right", no_wrap=True)
    for run in statuses:
        _see(run, pace, now_s)
        left = _left(run, pace, now_s) if run.state is State.RUNNING else ""
        view.add_row(
            run.run_id, Text(run.name), state_text(run.state), _iteration(run), _loss(run), left
        )
    return Group(Text(counts(run.state for run in statuses)), view, *reasons(statuses))


def _see(run: RunStatus, pace: Pace, now_s: float) -> None:
    # A run that waits, or loads its data, has no speed yet.
    if run.state is State.RUNNING and run.loss is not None:
        pace.see(run.run_id, run.iteration, now_s)


def _title(run: RunStatus) -> str:
    return f"{run.name} · {run.run_id}"


def _iteration(run: RunStatus) -> str:
    return "–" if run.loss is None else f"{run.iteration}/{run.last_iteration}"


def _loss(run: RunStatus) -> str:
    if run.loss is None:
        return "–"
    return f"{run.loss:.3f}" if abs(run.loss) < 1000 else f"{run.loss:.2g}"  # it diverges


def _left(run: RunStatus, pace: Pace, now_s: float) -> str:
    if run.iteration >= run.last_iteration:
        return "scoring" if run.stage == "finetune" else "saving"
    left_s = pace.left_s(run.run_id, run.last_iteration, now_s)
    return "–" if left_s is None else duration(left_s)
