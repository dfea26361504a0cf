"""Runs that a command is to act on, and what became of them: retry, cancel, submit."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from harness.grid.state import RunState
from harness.slurm.submit import Submitted
from harness.terminal.words import state_text, table, title, why

Row = tuple[str, str, RunState]  # run id, name, state now

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
    *,
    watch: str,
    fails: str,
    console: Console | None = None,
) -> None:
    """Print what became of each run, a line for each kind that occurs.

    Args:
        result: of the launch.
        names: of runs, by id.
        watch: the command that shows how they go on.
        fails: the command that shows why some failed.
        console: where to; stderr by default, since these are messages.
    """
    kinds = (
        ("submitted to Slurm; you may log out, the grid goes on", result.submitted, watch),
        ("in the queue or running already, left alone", result.live, ""),
        ("held back: their last attempt failed or ran out of memory", result.held, fails),
        ("blocked: their base is held back", result.blocked, ""),
        (
            "waiting for room in the queue (max_submitted): jobs that end submit them",
            result.waiting,
            "",
        ),
    )
    lines = [
        f"{len(run_ids):,} {words}{_some(run_ids, names)}" + (f". Next: {way}" if way else "")
        for words, run_ids, way in kinds
        if run_ids
    ]
    console = console or Console(stderr=True)
    for line in lines or ["Nothing to submit: every run is done."]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _some(run_ids: tuple[str, ...], names: Mapping[str, str]) -> str:
    if len(run_ids) > MOST_NAMES:
        return ""
    return f" ({', '.join(f'{names[run_id]} · {run_id}' for run_id in run_ids)})"
