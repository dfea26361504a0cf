"""`harness submit`: a grid trained here, or given to a cluster."""

from collections.abc import Sequence

from harness.grid import Grid
from harness.grid.names import only_cells
from harness.paths import LOCAL
from harness.workplace import Workplace


def submit(
    grid: Grid,
    place: Workplace,
    only: Sequence[str] | None,
    site: str,
    *,
    dirty: bool,
) -> bool:
    """Start what is not done; whether no run failed, which on a cluster is not known yet.

    Args:
        grid: the cells and runs asked for.
        place: where runs and sites lie.
        only: the rows to keep, as patterns; all where none is given.
        site: `LOCAL`, or the name of a site file.
        dirty: whether a cluster may run uncommitted code.
    """
    grid = only_cells(grid, only) if only else grid
    if site == LOCAL:
        from harness.commands.local import launch

        return not launch(grid, place).failed
    from harness.commands.cluster import submit_grid

    submit_grid(grid, place, site, dirty=dirty)
    return True
