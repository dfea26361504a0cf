"""Run folders to tables and figures: collects what there is and writes everything anew."""

from pathlib import Path

import pandas as pd

from harness.collect import cells_frame, collect
from harness.errors import HarnessError, unknown
from harness.files import replacing, write_text
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.report.figures import FIGURES, fig8, save
from harness.report.figures import SUFFIXES as FIGURE_SUFFIXES
from harness.report.printed import Table
from harness.report.published import read_published
from harness.report.scale import scale_note
from harness.report.tables import SUFFIXES, render


def rebuild(
    grid: Grid, runs: RunsFolder, results: ResultsFolder, published_folder: Path
) -> list[Path]:
    """Collect the runs of `grid`, then write its tables in every format, and its figures.

    Args:
        grid: the tables.
        runs: where the runs are.
        results: where metrics, tables and figures go.
        published_folder: the paper's numbers, `<table>.csv`.

    Returns:
        The tables and figures written.

    Raises:
        ResultsError: a file that a run left is damaged, or does not fit the others of its table.
    """
    collect(grid, runs, results)
    written = []
    for name in grid.layouts:
        table = read_table(grid, name, results, published_folder)
        for format, suffix in SUFFIXES.items():
            path = results.table(name, suffix)
            write_text(path, render(table, format), shared=True)
            written.append(path)
    for name, source in FIGURES.items():
        if source in grid.layouts:
            written += write_figure(name, grid, results, published_folder)
    return written


def read_table(grid: Grid, name: str, results: ResultsFolder, published_folder: Path) -> Table:
    """What the table `name` is made from, of the runs collected so far.

    Raises:
        HarnessError: the grid has no such table.
        ResultsError: a file is damaged, or does not fit the others of the table, or the published
            numbers of a table of the paper are missing.
    """
    if name not in grid.layouts:
        raise HarnessError(unknown("table", name, grid.layouts))
    layout = grid.layouts[name]
    return Table(
        name,
        cells_frame(grid, name, results),
        read_published(published_folder, name) if layout.published else pd.DataFrame(),
        layout,
        scale_note(cell.spec for cell in grid.rows(name)),
    )


def table_text(
    grid: Grid,
    name: str,
    results: ResultsFolder,
    published_folder: Path,
    *,
    format: str = "md",
    emphasis: bool = False,
) -> str:
    """The table `name` as text: see `harness.report.tables.render`."""
    return render(read_table(grid, name, results, published_folder), format, emphasis=emphasis)


def write_figure(
    name: str, grid: Grid, results: ResultsFolder, published_folder: Path
) -> list[Path]:
    """Draw the figure `name` into `results`, as PDF and PNG.

    Raises:
        HarnessError: there is no such figure, or the table it is drawn from is not in the grid.
        ResultsError: as for `read_table`.
    """
    if name not in FIGURES:
        raise HarnessError(unknown("figure", name, FIGURES))
    table = read_table(grid, FIGURES[name], results, published_folder)
    figure = fig8(table.cells, table.published, table.scale_note)
    paths = [results.figure(name, suffix) for suffix in FIGURE_SUFFIXES]
    for path, suffix in zip(paths, FIGURE_SUFFIXES, strict=True):
        with replacing(path, shared=True) as temporary:
            save(figure, temporary, suffix)
    return paths
