"""Runs while they go: a table that renews itself on a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.live import Live

from harness.grid.grid import Grid
from harness.grid.state import RunState, State
from harness.launch.schedule import States
from harness.launch.status import Look, RunStatus, Seen, run_statuses
from harness.paths import RunsFolder
from harness.terminal.status_view import (
    fitting_table,
    iteration_text,
    left_text,
    loss_text,
    status_table,
)
from harness.terminal.words import counts, why

LINE_EVERY_S = 30.0
WATCH_EVERY_S = 2.0
ASK_EVERY_S = 10.0  # Slurm is asked no more often than this
# A watch ends when nothing has run for so long: the next run of a launch needs a while to start.
QUIET_S = 20.0

Clock = Callable[[], float]
Wait = Callable[[float], None]


class View(Protocol):
    """What is told the states of all runs, again and again."""

    def show(self, states: States, note: str = "") -> None:
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


def show_status(grid: Grid, runs: RunsFolder, look: Look, console: Console | None = None) -> None:
    """Print once what is known of every run.

    Args:
        grid: the runs.
        runs: their folders.
        look: tells the states.
        console: where to; stdout by default.
    """
    seen = look()
    statuses = run_statuses(grid, runs, seen)
    (console or Console()).print(status_table(statuses, seen.note), highlight=False)


def watch_status(
    grid: Grid,
    runs: RunsFolder,
    look: Look,
    console: Console | None = None,
    wait: Wait = time.sleep,
    clock: Clock = time.monotonic,
    quiet_s: float = QUIET_S,
) -> None:
    """Show what is known of every run, again and again, until nothing runs or waits, or Ctrl-C.

    Args:
        grid: the runs.
        runs: their folders.
        look: tells the states.
        console: where to; stdout by default.
        wait: called with seconds between two looks.
        clock: seconds.
        quiet_s: for how long nothing must have run.
    """
    quiet_since = -quiet_s + clock()  # where nothing runs at first, nothing is waited for
    with suppress(KeyboardInterrupt), live_view(grid, runs, console or Console()) as view:
        while True:
            seen = look()
            view.show(seen.states, seen.note)
            if _goes_on(seen):
                quiet_since = clock()
            elif clock() - quiet_since >= quiet_s:
                return
            wait(ASK_EVERY_S if seen.asked else WATCH_EVERY_S)


def watch_launch(
    grid: Grid,
    runs: RunsFolder,
    look: Look,
    console: Console | None = None,
    wait: Wait = time.sleep,
) -> None:
    """Watch what was given to Slurm, where every run that is still to come is queued already.

    Args:
        grid: the runs.
        runs: their folders.
        look: tells the states.
        console: where to; stderr by default, since stdout is for data.
        wait: called with seconds between two looks.
    """
    watch_status(grid, runs, look, console or Console(stderr=True), wait, quiet_s=0.0)


class TableView:
    """One row for each run, drawn anew in place, as many as the terminal is high."""

    def __init__(self, grid: Grid, runs: RunsFolder, live: Live, clock: Clock = time.time) -> None:
        self.grid, self.runs, self.live, self.clock = grid, runs, live, clock

    def show(self, states: States, note: str = "") -> None:
        """Draw the table."""
        statuses = run_statuses(self.grid, self.runs, Seen(states, asked=False), self.clock())
        self.live.update(fitting_table(statuses, self.live.console, note), refresh=True)


class LineView:
    """A line when a run's state changes, and now and then one on how far it is."""

    def __init__(
        self, grid: Grid, runs: RunsFolder, console: Console, clock: Clock = time.time
    ) -> None:
        self.grid, self.runs, self.console, self.clock = grid, runs, console, clock
        self._known: dict[str, RunState] = {}
        self._told: dict[str, tuple[int, float]] = {}  # iteration and time of the newest line
        self._note = ""

    def show(self, states: States, note: str = "") -> None:
        """Print what is new."""
        now_s = self.clock()
        if not self._known:
            self._say(counts(state.state for state in states.values()))
            quiet = (State.DONE, State.TO_DO, State.QUEUED)
            self._known = {i: state for i, state in states.items() if state.state in quiet}
        if note != self._note:
            self._note = note
            if note:
                self._say(note)
        for run in run_statuses(self.grid, self.runs, Seen(states, asked=False), now_s):
            if _is_news(self._known.get(run.run_id), states[run.run_id]):
                self._known[run.run_id] = states[run.run_id]
                self._told[run.run_id] = (run.iteration, now_s)
                self._say(f"{_title(run)}  {_state(run)}")
            if run.state is State.RUNNING:
                self._tell_progress(run, now_s)

    def _tell_progress(self, run: RunStatus, now_s: float) -> None:
        told, told_s = self._told[run.run_id]
        if run.iteration != told and now_s - told_s >= LINE_EVERY_S:
            self._told[run.run_id] = (run.iteration, now_s)
            self._say(
                f"{_title(run)}  {iteration_text(run)}  loss {loss_text(run)}  "
                f"time left {left_text(run)}"
            )

    def _say(self, line: str) -> None:
        # Logs are searched by line: never wrapped.
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _goes_on(seen: Seen) -> bool:
    return any(now.state in (State.RUNNING, State.QUEUED) for now in seen.states.values())


def _is_news(known: RunState | None, now: RunState) -> bool:
    # In a queue of hundreds the reasons change all the time.
    both_queued = known is not None and known.state is now.state is State.QUEUED
    return known != now and not both_queued


def _state(run: RunStatus) -> str:
    reason = why(run.reason, run.cause)
    return f"{run.state}: {reason}" if reason else str(run.state)


def _title(run: RunStatus) -> str:
    return f"{run.name} · {run.run_id}"
