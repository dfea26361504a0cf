"""What the longer commands do; `harness.cli` parses and calls."""

import re
import sys
from pathlib import Path

from harness.errors import HarnessError
from harness.grid import Grid
from harness.grid.again import command
from harness.grid.names import find_run
from harness.grid.spec import RunSpec
from harness.grid.state import State
from harness.launch.job import read_spec
from harness.launch.local import Ended, run_grid
from harness.paths import LOCAL, RunPaths
from harness.workplace import Workplace, workplace, workplace_of

RUN_ID = re.compile("[0-9a-f]{4,8}")


def launch(grid: Grid, place: Workplace) -> Ended:
    """Run what is not done of `grid` under the eyes of the user; tables follow as runs finish."""
    from harness.terminal.live import live_view

    try:
        with live_view(grid, place.runs) as view:
            ended = run_grid(
                grid,
                place.runs,
                on_tick=view.show,
                on_done=lambda run_id: _rebuild(place),
            )
    except KeyboardInterrupt:
        _tell("Stopped. Checkpoints are kept: give the same command again to go on from them.")
        raise
    if ended.failed:
        spec = grid.runs[ended.failed[0]]
        fails = command("fails", spec, place.runs.folder)
        _tell(f"{len(ended.failed)} failed or interrupted. Next: {fails}")
    return ended


def demo(place: Workplace, site: str, *, dirty: bool) -> bool:
    """Train the whole grid at demo scale, print its tables, and say where everything lies.

    Returns:
        Whether no run failed.
    """
    from harness.rebuild import read_table, rebuild
    from harness.terminal.table_view import show_table

    grid = place.grid()
    if site == LOCAL:
        failed = bool(launch(grid, place).failed)
    else:
        failed = _train_on_slurm(grid, place, site, dirty=dirty)
    written = rebuild(grid, place.runs, place.results, place.published)
    for name in grid.layouts:
        show_table(read_table(grid, name, place.results, place.published))
    folders = sorted({_short(path.parent) for path in written})
    _tell(f"Tables and figures: {', '.join(map(str, folders))}")
    return not failed


def _train_on_slurm(grid: Grid, place: Workplace, site: str, *, dirty: bool) -> bool:
    """Submit, and watch to the end or to Ctrl-C; whether a run failed."""
    from harness.on_slurm import submit_grid
    from harness.slurm.seen import look_at
    from harness.terminal.live import watch_launch

    submit_grid(grid, place, site, dirty=dirty)
    look = look_at(grid, place.runs)
    watch_launch(grid, place.runs, look)
    states = [now.state for now in look().states.values()]
    if State.QUEUED in states or State.RUNNING in states:
        _tell("The grid goes on without this window. Give the same command to see it again.")
    return State.FAILED in states


def run_named(text: str, scale: str, data: Path | None, runs: Path) -> tuple[Workplace, RunSpec]:
    """The run that a person means by `text`, and its workplace.

    An id, or its beginning, that has a folder is found at whatever scale it is; else `text` is
    looked for in the grid of `scale` and `data`.

    Raises:
        SpecError: there is no such run.
    """
    place = workplace(scale, data, runs)
    folders = place.runs.folder.glob(f"{text}*") if RUN_ID.fullmatch(text) else ()
    found = [RunPaths(folder) for folder in folders if RunPaths(folder).spec.exists()]
    if len(found) == 1:
        spec = read_spec(found[0])
        return workplace_of(spec, runs), spec
    return place, find_run(place.grid(), text)


def _rebuild(place: Workplace) -> None:
    # A damaged file must not end the trainings beside it: it is told, and again at the end.
    from harness.rebuild import rebuild

    try:
        rebuild(place.grid(), place.runs, place.results, place.published)
    except HarnessError as error:
        _tell(f"Tables not rebuilt: {error}")


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
