"""What an argument or an option may be, for shells that complete it: quick, without torch."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from harness.grid import Grid
    from harness.workplace import Workplace

# Told again here, where they are at hand: what knows them loads matplotlib or pandas.
FIGURE_NAMES = tuple(f"fig{number}" for number in range(2, 10))
FORMAT_NAMES = ("md", "latex", "csv", "html")


def scales() -> Iterable[str]:
    """The scales."""
    from harness.grid.spec import SCALES

    return SCALES


def tasks() -> Iterable[str]:
    """What may be compared with ground truth."""
    from harness.records import TASKS

    return TASKS


def formats() -> Iterable[str]:
    """The formats of tables."""
    return FORMAT_NAMES


def figures() -> Iterable[str]:
    """The figures."""
    return FIGURE_NAMES


def sites() -> Iterable[str]:
    """The site of this machine, and each cluster that has a file."""
    from harness.paths import LOCAL

    return [LOCAL, *clusters()]


def clusters() -> Iterable[str]:
    """Each cluster that has a file."""
    from harness.paths import project_folder, sites_folder

    return sorted(path.stem for path in sites_folder(project_folder()).glob("*.toml"))


def experiments(context: typer.Context) -> Iterable[str]:
    """The NAMEs of experiments."""
    with _unheard():
        return _place(context).experiment_names


def rows(context: typer.Context, incomplete: str) -> Iterable[str]:
    """The rows of tables, each with all its seeds, and ids that begin as typed."""
    grid = _known(context)
    return [*dict.fromkeys(cell.name for cell in grid.cells), *_ids(grid, incomplete)]


def runs(context: typer.Context, incomplete: str) -> Iterable[str]:
    """The names of runs, with seeds where there are several, and ids that begin as typed."""
    grid = _known(context)
    return [*_names(grid), *_ids(grid, incomplete)]


def patterns(context: typer.Context, incomplete: str) -> Iterable[str]:
    """What means one or more runs: experiments, rows, runs."""
    grid = _known(context)
    several = [*grid.layouts, *(cell.name for cell in grid.cells)]
    return [*dict.fromkeys([*several, *_names(grid)]), *_ids(grid, incomplete)]


def _names(grid: "Grid") -> list[str]:
    of_cells = [name for names in grid.cell_names.values() for name in names]
    bases = [grid.name_of(id) for id, spec in grid.runs.items() if spec.stage == "base"]
    return [*of_cells, *bases]


def _ids(grid: "Grid", incomplete: str) -> list[str]:
    # All at once they would bury the names.
    return [run_id for run_id in grid.runs if incomplete and run_id.startswith(incomplete)]


def _known(context: typer.Context) -> "Grid":
    place = _place(context)
    with _unheard():
        return place.known_grid(place.experiment_names)


def _unheard() -> AbstractContextManager[object]:
    """What experiments print while they are loaded is no value."""
    return redirect_stdout(sys.stderr)


def _place(context: typer.Context) -> "Workplace":
    # Names are the same on a user's own images, whose annotations take long to hash.
    from harness.workplace import workplace

    given = context.params
    return workplace(given.get("scale") or "paper", None, Path(given.get("runs") or "runs"))
