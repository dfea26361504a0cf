"""`harness demo`: the whole loop at demo scale, here or on a cluster."""

from pathlib import Path

from harness.commands.messages import tell
from harness.commands.report import write_report
from harness.paths import LOCAL
from harness.workplace import Workplace


def demo(place: Workplace, site: str, *, dirty: bool) -> bool:
    """Train the whole grid at demo scale, print its tables, write its report, and say where.

    Returns:
        Whether no run failed.
    """
    from harness.rebuild import read_table, rebuild
    from harness.terminal.table_view import show_table

    grid = place.grid()
    if site == LOCAL:
        from harness.commands.local import launch

        failed = bool(launch(grid, place).failed)
    else:
        from harness.commands.cluster import train

        failed = train(grid, place, site, dirty=dirty)
    grid = place.known_grid()  # with what was trained before, of other seeds too
    written = rebuild(grid, place.runs, place.results, place.published)
    for name in grid.layouts:
        show_table(read_table(grid, name, place.results, place.published))
    folders = sorted({_short(path.parent) for path in written})
    tell(f"Tables and figures: {', '.join(map(str, folders))}")
    tell(f"All of it on one page: {_short(write_report(place))}")
    return not failed


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
