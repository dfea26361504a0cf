"""`harness plan`: what a grid would cost, for people or as JSON."""

import json

from harness.commands.messages import tell
from harness.grid import Grid
from harness.grid.loss_functions import refuse_without_function
from harness.grid.plan import make_plan
from harness.workplace import Workplace


def print_plan(
    grid: Grid,
    place: Workplace,
    gpus: int | None,
    *,
    power: bool,
    noise: float | None,
    as_json: bool,
) -> None:
    """Print the plan of `grid`.

    Args:
        grid: the runs.
        place: where they are written.
        gpus: how many there are; None where that is not known.
        power: whether to tell what differences its seeds can settle.
        noise: stated for a difference, in AP points; implies `power`. None where none is stated.
        as_json: one JSON object in place of what people read.

    Raises:
        SpecError: there are too few `gpus`, `noise` is no standard deviation, or the function of a
            loss that is still to be trained with is not there.
    """
    planned = make_plan(grid, place.runs, gpus)
    refuse_without_function(grid.runs[run.run_id] for run in planned.runs if run.ahead)
    settled = None
    if power or noise is not None:
        from harness.commands.power import plan_power  # scipy takes half a second to load

        settled = plan_power(planned, grid, noise, place)
    if as_json:
        told = {"power": settled.to_json()} if settled else {}
        print(json.dumps(planned.to_json() | told, indent=2))
        return
    from harness.terminal.plan_view import show_plan

    tell(place.title)
    show_plan(planned)
    if settled:
        from harness.terminal.power_view import show_power

        show_power(settled)
