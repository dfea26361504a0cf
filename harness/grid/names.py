"""From what a person types to a run."""

from fnmatch import fnmatchcase

from harness.errors import SpecError, unknown
from harness.grid.grid import Grid
from harness.grid.spec import RunSpec


def find_run(grid: Grid, text: str) -> RunSpec:
    """The run of `grid` with this id, this beginning of an id, or this name (`table1/k=2`).

    Raises:
        SpecError: there is no such run, or the beginning fits several.
    """
    runs = grid.runs
    named = {grid.name_of(run_id): spec for run_id, spec in runs.items()}
    named |= {cell.name: cell.spec for cell in grid.cells}
    if text in named:
        return named[text]
    fitting = [run_id for run_id in runs if text and run_id.startswith(text)]
    if len(fitting) > 1:
        raise SpecError(f"{text!r} begins more than one run id: {', '.join(sorted(fitting))}.")
    if not fitting:
        raise SpecError(unknown("run", text, named))
    return runs[fitting[0]]


def only_cells(grid: Grid, pattern: str) -> Grid:
    """The cells whose name (`table1/k=2`) or run id matches the shell pattern.

    Raises:
        SpecError: none does.
    """
    kept = tuple(
        cell
        for cell in grid.cells
        if fnmatchcase(cell.name, pattern) or fnmatchcase(cell.spec.run_id, pattern)
    )
    if not kept:
        raise SpecError(
            f"--only {pattern!r} matches no row. Rows: "
            f"{', '.join(cell.name for cell in grid.cells)}."
        )
    return Grid(kept, grid.layouts)
