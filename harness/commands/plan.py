"""`harness plan`: what a grid would cost, for people or as JSON."""

import json

from harness.commands.messages import tell
from harness.grid import Grid
from harness.grid.plan import make_plan
from harness.workplace import Workplace


def print_plan(grid: Grid, place: Workplace, gpus: int | None, *, as_json: bool) -> None:
    """Print the plan of `grid`.

    Args:
        grid: the runs.
        place: where they are written.
        gpus: how many there are; None where that is not known.
        as_json: one JSON object in place of what people read.
    """
    planned = make_plan(grid, place.runs, gpus)
    if as_json:
        print(json.dumps(planned.to_json(), indent=2))
        return
    from harness.terminal.plan_view import show_plan

    tell(place.title)
    show_plan(planned)
