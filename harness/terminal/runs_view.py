"""Runs that a command is to act on, and what became of them: retry, cancel, submit."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from rich.console import Console
from rich.text import Text

from harness.grid.state import RunState
from harness.terminal.words import state_text, table, title, why

Row = tuple[str, str, RunState]  # run id, name, state now


class Submitted(Protocol):
    """What became of each run of a launch on Slurm, as ids."""

    @property
    def submitted(self) -> tuple[str, ...]: ...
    @property
    def live(self) -> tuple[str, ...]: ...
    @property
    def held(self) -> tuple[str, ...]: ...
    @property
    def blocked(self) -> tuple[str, ...]: ...
    @property
    def waiting(self) -> tuple[str, ...]: ...


WORDS = {
    "submitted": "submitted to Slurm; you may log out, the grid goes on",
    "live": "in the queue or running already, left alone",
    "held": "held back, since their last attempt failed by an error or for want of memory",
    "blocked": "blocked, since their base is held back or their model is not built",
    "waiting": "wait for room in the queue (max_submitted): jobs that end submit them",
}
MOST_NAMES = 8


def show_runs(heading: str, rows: Iterable[Row], console: Console | None = None) -> None:
    """Print what a command is to act on: each run with its state and the reason of it.

    Args:
        heading: what is to be done with them: "Runs to cancel".
        rows: the runs.
        console: where to; stdout by default.
    """
    view = table("run", "name", "state", "why")
    rows = list(rows)
    for run_id, name, now in rows:
        reason = Text(why(now.reason, now.cause))
        view.add_row(run_id, Text(name), state_text(now.state), reason)
    console = console or Console()
    console.print(title(f"{heading}: {len(rows):,}"))
    if rows:
        console.print(view, highlight=False)


def show_submitted(
    result: Submitted,
    names: Mapping[str, str],
    hints: Mapping[str, str] | None = None,
    console: Console | None = None,
) -> None:
    """Print what became of each run, a line for each kind that occurs.

    Args:
        result: of the launch.
        names: of runs, by id.
        hints: for "held", "waiting", ...: the command that goes on from there.
        console: where to; stderr by default, since these are messages.
    """
    console = console or Console(stderr=True)
    for kind, words in WORDS.items():
        run_ids: tuple[str, ...] = getattr(result, kind)
        if not run_ids:
            continue
        hint = (hints or {}).get(kind, "")
        line = f"{len(run_ids):,} {words}{_some(run_ids, names)}{f'. Next: {hint}' if hint else ''}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not any(getattr(result, kind) for kind in WORDS):
        console.print("Nothing to submit: every run is done.")


def _some(run_ids: tuple[str, ...], names: Mapping[str, str]) -> str:
    if len(run_ids) > MOST_NAMES:
        return ""
    return f": {', '.join(f'{names[run_id]} · {run_id}' for run_id in run_ids)}"
