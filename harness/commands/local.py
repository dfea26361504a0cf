"""`harness submit --site local`: a grid that runs here, while its user waits."""

from harness.commands.messages import tell
from harness.errors import HarnessError
from harness.grid import Grid
from harness.grid.next_command import command
from harness.launch.local import Ended, run_grid
from harness.terminal.live import live_view
from harness.workplace import Workplace


def launch(grid: Grid, place: Workplace) -> Ended:
    """Run what is not done of `grid` under the eyes of the user; tables follow as runs finish."""
    try:
        with live_view(grid, place.runs) as view:
            ended = run_grid(
                grid,
                place.runs,
                on_tick=view.show,
                on_done=lambda run_id: _rebuild(place),
            )
    except KeyboardInterrupt:
        tell("Stopped. Checkpoints are kept: give the same command again to go on from them.")
        raise
    if ended.failed:
        spec = grid.runs[ended.failed[0]]
        fails = command("fails", spec, place.runs.folder)
        tell(f"{len(ended.failed)} failed or interrupted. Next: {fails}")
    return ended


def _rebuild(place: Workplace) -> None:
    # A damaged file must not end the trainings beside it: it is told, and again at the end.
    from harness.rebuild import rebuild

    try:
        rebuild(place.known_grid(), place.runs, place.results, place.published)
    except HarnessError as error:
        tell(f"Tables not rebuilt: {error}")
