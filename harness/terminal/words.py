"""Words, colours and tables that all views share."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from rich.table import Table
from rich.text import Text

from harness.grid.state import State

STYLES = {
    State.DONE: "green",
    State.RUNNING: "cyan",
    State.FAILED: "bold red",
    State.TO_DO: "",
    State.BLOCKED: "yellow",
}


class WithReason(Protocol):
    """A run of a plan or of a status."""

    @property
    def run_id(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def reason(self) -> str: ...


def table(*headings: str) -> Table:
    """An empty table without a frame, so that it fits into 80 columns; long words are folded."""
    view = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        view.add_column(heading, overflow="fold")
    return view


def title(text: str) -> Text:
    """What stands over a part of a view."""
    return Text(text, style="bold")


def state_text(state: State) -> Text:
    """A state in its colour."""
    return Text(state.value, style=STYLES[state])


def counts(states: Iterable[State]) -> str:
    """`2 done · 1 running · 5 to do`: only states that occur, in the order of `State`."""
    number = Counter(states)
    return " · ".join(f"{number[state]} {state.value}" for state in State if number[state])


def reasons(runs: Iterable[WithReason]) -> list[Text]:
    """Why runs failed or are blocked, each reason once with its runs."""
    those: dict[tuple[State, str], list[str]] = {}
    for run in runs:
        if run.reason:
            those.setdefault((run.state, run.reason), []).append(run.run_id)
    return [
        Text(f"{state.value}: {reason} ({', '.join(run_ids)})", style=STYLES[state])
        for (state, reason), run_ids in those.items()
    ]


def duration(seconds: float) -> str:
    """A length of time in two units at most: `45 s`, `12 min`, `3 h 05 min`, `2 d 4 h`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"
