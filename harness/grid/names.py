"""From what a person types to a run."""

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
