"""`harness status` and `fails`: how far the runs of a grid are, and what went wrong."""

import json

from harness.commands.messages import tell
from harness.grid import Grid
from harness.launch.status import statuses_json
from harness.slurm.seen import failures_of, look_at
from harness.workplace import Workplace


def print_status(grid: Grid, place: Workplace, *, as_json: bool, watch: bool) -> None:
    """Print the state of each run.

    Args:
        grid: the runs.
        place: where they are written.
        as_json: one JSON object in place of what people read.
        watch: whether to go on until nothing runs any more; not as JSON.
    """
    look = look_at(grid, place.runs)
    if as_json:
        seen = look()
        if seen.note:
            tell(seen.note)
        print(json.dumps(statuses_json(grid, place.runs, seen), indent=2))
        return
    from harness.terminal.live import show_status, watch_status

    tell(place.title)
    (watch_status if watch else show_status)(grid, place.runs, look)


def print_failures(grid: Grid, place: Workplace) -> None:
    """Print every failed run with its last lines."""
    from harness.terminal.logs_view import show_failures

    tell(place.title)
    failures, note = failures_of(grid, place.runs)
    if note:
        tell(note)
    show_failures(failures)
