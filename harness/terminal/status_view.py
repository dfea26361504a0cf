"""`harness status` as people read it: a row for each run, and why some do not go on."""

import socket
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.grid.state import State
from harness.launch.status import RunStatus
from harness.terminal.words import counts, duration, hours_used, reasons, state_text, table, why

# Where not all rows fit, those that a person looks for come first.
FIRST = (State.RUNNING, State.FAILED, State.BLOCKED, State.QUEUED, State.TO_DO, State.DONE)
FEWEST_ROWS = 1
MOST_REASONS = 20
NOTHING = {"", "–", "1", "0.00"}
ROUND = 10_000  # iterations; from here on 180000 is shown as 180K

Statuses = Sequence[RunStatus]


def status_table(statuses: Statuses, note: str = "") -> Group:
    """Counts, a row for each run, and why runs failed, wait or are blocked.

    Args:
        statuses: of all runs.
        note: what a person must know to trust them; "" for nothing.
    """
    foot = [*_some(_reasons(statuses), MOST_REASONS), _hours(statuses)]
    return Group(*_head(statuses, note), _rows(statuses), *foot)


def fitting_table(statuses: Statuses, console: Console, note: str = "") -> Group:
    """As `status_table`, cut to the height of the console: what runs or failed is kept.

    Args:
        statuses: of all runs.
        console: where it is to be shown.
        note: what a person must know to trust them; "" for nothing.
    """
    head, told = _head(statuses, note), _reasons(statuses)
    room = console.height - 1  # the cursor's line
    while len(told) > 1 and sum(_height(part, console) for part in told) > room // 3:
        told = told[: len(told) * 2 // 3]
    foot = [*_some(_reasons(statuses), len(told)), _hours(statuses)]
    room -= sum(_height(part, console) for part in (*head, *foot))
    ordered = sorted(statuses, key=lambda run: FIRST.index(run.state))
    some = ordered[: max(room, FEWEST_ROWS)]
    if len(some) == len(ordered) and _height(_rows(statuses), console) <= room:
        return Group(*head, _rows(statuses), *foot)
    # Names that fold make rows higher than a line: how many fit is tried out.
    numbers = range(FEWEST_ROWS + 1, len(some) + 1)
    fits = bisect_right(numbers, room - 1, key=lambda n: _height(_rows(some[:n]), console))
    kept = FEWEST_ROWS + fits
    more = f"… and {len(ordered) - kept:,} more; `harness status` lists all"
    return Group(*head, _rows(ordered[:kept]), Text(more, style="dim"), *foot)


def iteration_text(run: RunStatus) -> str:
    """`210/400`, `152340/180K`; a dash before the first logged line."""
    if run.loss is None:
        return "–"
    last = run.last_iteration
    short = last >= ROUND and last % 1000 == 0
    return f"{run.iteration}/{f'{last // 1000}K' if short else last}"


def loss_text(run: RunStatus) -> str:
    """The loss in five letters or so; a dash before the first logged line."""
    if run.loss is None:
        return "–"
    return f"{run.loss:.3f}" if abs(run.loss) < 1000 else f"{run.loss:.2g}"  # it diverges


def left_text(run: RunStatus) -> str:
    """The time left of a run that runs, or what it does once it is trained."""
    if run.state is not State.RUNNING:
        return ""
    if run.iteration >= run.last_iteration:
        return "scoring" if run.stage == "finetune" else "saving"
    return "–" if run.left_s is None else duration(run.left_s)


def _head(statuses: Statuses, note: str) -> list[RenderableType]:
    told = [Text(note, style="yellow")] if note else []
    return [Text(counts(run.state for run in statuses)), *told]


def _rows(statuses: Statuses) -> Table:
    here = socket.gethostname()
    elsewhere = any(run.node not in ("", here) for run in statuses)
    columns = [(heading, [cell(run) for run in statuses]) for heading, cell in NUMBERS.items()]
    # A column in which nothing stands, or one try each, takes room from the names.
    shown = [_padded(*column) for column in columns if set(column[1]) - NOTHING]
    states = [run.state.value for run in statuses]
    width = max(map(len, ["state", *states]))
    heading, *lines = map(
        "  ".join, zip(*shown, strict=True) if shown else [()] * (len(states) + 1)
    )
    # One cell for all that does not fold: rich takes its time over each cell of a thousand rows.
    view = table()
    view.add_column("run", no_wrap=True)
    view.add_column("name", overflow="fold")
    view.add_column(f"{'state':<{width}}  {heading}", no_wrap=True)
    for run, line in zip(statuses, lines, strict=True):
        state = state_text(run.state)
        state.pad_right(width - len(state))
        rest = Text.assemble(state, "  ", line)
        view.add_row(run.run_id, _name(run, with_node=elsewhere), rest)
    return view


def _padded(heading: str, cells: list[str]) -> list[str]:
    width = max(map(len, [heading, *cells]))
    return [cell.rjust(width) for cell in (heading, *cells)]


def _name(run: RunStatus, *, with_node: bool) -> Text:
    # All cells that show the run; the node folds under them where it is narrow.
    name = Text(", ".join(run.cells) or run.name)
    if with_node and run.node:
        name.append(f" on {run.node}", style="dim")
    return name


def _score(run: RunStatus) -> str:
    return loss_text(run) if run.ap is None else f"AP {run.ap:.2f}"


def _tries(run: RunStatus) -> str:
    return str(run.attempts or "")


def _used(run: RunStatus) -> str:
    return hours_used(run.gpu_hours) if run.attempts else ""


NUMBERS: dict[str, Callable[[RunStatus], str]] = {
    "iteration": iteration_text,
    "loss, AP": _score,
    "tries": _tries,
    "GPU-h": _used,
    "left": lambda run: left_text(run).replace(" min", " m"),
}


def _reasons(statuses: Statuses) -> list[Text]:
    ordered = sorted(statuses, key=lambda run: FIRST.index(run.state))
    return reasons(replace(run, reason=why(run.reason, run.cause)) for run in ordered)


def _hours(statuses: Statuses) -> Text:
    used = hours_used(sum(run.gpu_hours for run in statuses))
    planned = hours_used(sum(run.gpu_hours_planned for run in statuses))
    return Text(f"GPU-hours: {used} used of {planned} planned")


def _some(told: list[Text], most: int) -> list[Text]:
    if len(told) <= most:
        return told
    more = f"… and {len(told) - most} more reasons; `harness status --json` has all"
    return [*told[:most], Text(more, style="dim")]


def _height(part: RenderableType, console: Console) -> int:
    return len(console.render_lines(part))
