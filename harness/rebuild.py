"""Run folders to tables and figures: collects what there is and writes everything anew."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from harness.collect import cells_frame, collect, row_scores
from harness.errors import HarnessError, unknown
from harness.files import replacing, write_text
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.report.emphasis import Emphasis
from harness.report.figures import FIGURES, fig8, save
from harness.report.figures import SUFFIXES as FIGURE_SUFFIXES
from harness.report.published import read_published
from harness.report.scale import scale_note
from harness.report.table import Table
from harness.report.tables import SUFFIXES, render


def rebuild(
    grid: Grid,
    runs: RunsFolder,
    results: ResultsFolder,
    published_folder: Path,
    *,
    tell: Callable[[str], None] = lambda message: None,
) -> list[Path]:
    """Collect the runs of `grid`, then write its tables in every format, and its figures.

    Args:
        grid: the tables.
        runs: where the runs are.
        results: where metrics, tables and figures go.
        published_folder: the paper's numbers, `<table>.csv`.
        tell: is given a sentence before what takes long.

    Returns:
        The tables and figures written.

    Raises:
        ResultsError: a file that a run left is damaged, or does not fit the others of its table.
    """
    collect(grid, runs, results, tell=tell)
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


def read_table(
    grid: Grid,
    name: str,
    results: ResultsFolder,
    published_folder: Path,
    more_columns: Sequence[str] = (),
) -> Table:
    """What the table `name` is made from, of the runs collected so far.

    Args:
        grid: the tables, in as many seeds as shall count.
        name: of one of them.
        results: where runs were collected to.
        published_folder: the paper's numbers, `<table>.csv`.
        more_columns: headings of `harness.grid.grid.CONTOUR_COLUMNS` to add to its own.

    Raises:
        HarnessError: the grid has no such table.
        ResultsError: a file is damaged, or does not fit the others of the table, or the published
            numbers of a table of the paper are missing.
    """
    if name not in grid.layouts:
        raise HarnessError(unknown("table", name, grid.layouts))
    layout = grid.layouts[name]
    cells = cells_frame(grid, name, results)
    return Table(
        name,
        cells,
        read_published(published_folder, name) if layout.published else pd.DataFrame(),
        replace(layout, columns=tuple(dict.fromkeys((*layout.columns, *more_columns)))),
        _scale_note(grid, name, cells),
        row_scores(grid, name, results),
    )


def _scale_note(grid: Grid, name: str, cells: pd.DataFrame) -> str:
    """Of the runs with numbers, and for rows that have none of those that are to have them."""
    run_ids = set(" ".join(cells["run_id"]).split())
    return scale_note(cell.spec for cell in grid.table(name) if cell.spec.run_id in run_ids)


def table_text(
    grid: Grid,
    name: str,
    results: ResultsFolder,
    published_folder: Path,
    *,
    format: str = "md",
    emphasis: Emphasis = Emphasis.PAPER,
    more_columns: Sequence[str] = (),
) -> str:
    """The table `name` as text: see `read_table`, and `harness.report.tables.render`."""
    table = read_table(grid, name, results, published_folder, more_columns)
    return render(table, format, emphasis)


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
