"""Words, colours and tables that all views share."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.table import Table
from rich.text import Text

from harness.grid.state import Cause, State

STYLES = {
    State.DONE: "green",
    State.RUNNING: "cyan",
    State.QUEUED: "magenta",
    State.FAILED: "bold red",
    State.TO_DO: "",
    State.BLOCKED: "yellow",
}
MOST_IDS = 8  # of one reason
# What the state or the reason says by itself.
SAID_ANYWAY = (Cause.NONE, Cause.ERROR, Cause.BASE)


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
    view = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
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


def why(reason: str, cause: Cause) -> str:
    """The reason with its cause before it, where the reason does not name it: "lost: ..."."""
    if cause in SAID_ANYWAY or cause.value in reason.lower():
        return reason
    return f"{cause.value}: {reason}" if reason else cause.value


def reasons(runs: Iterable[WithReason]) -> list[Text]:
    """Why runs failed, wait or are blocked, each reason once with its runs."""
    those: dict[tuple[State, str], list[str]] = {}
    for run in runs:
        if run.reason:
            those.setdefault((run.state, run.reason), []).append(run.run_id)
    return [
        Text(f"{state.value}: {reason} ({some(run_ids)})", style=STYLES[state])
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


def hours_used(hours: float) -> str:
    """GPU-hours with no more digits than a person reads: `0.03`, `1.2`, `1,154`."""
    if hours >= 10:
        return f"{hours:,.0f}"
    return f"{hours:.1f}" if hours >= 1 else f"{hours:.2f}"


def some(run_ids: Sequence[str]) -> str:
    """The first of many ids, and how many more there are."""
    shown = ", ".join(run_ids[:MOST_IDS])
    more = len(run_ids) - MOST_IDS
    return f"{shown} and {more} more" if more > 0 else shown
