"""Run folders to tables and figures: collects what there is and writes everything anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from harness.collect import cells_frame, collect, row_scores
from harness.errors import HarnessError, unknown
from harness.files import replacing, write_text
from harness.grid import Grid
from harness.grid.fair import obstacles
from harness.paths import ResultsFolder, RunsFolder
from harness.report.claims_table import TABLES, Claims, examine_claims
from harness.report.claims_text import CLAIMS_SUFFIXES, render_claims
from harness.report.difference_formats import render_differences
from harness.report.emphasis import Emphasis
from harness.report.figures import FIGURES, LABEL_OF_K, fig8
from harness.report.printed_differences import Differences, differences_of
from harness.report.published import read_published
from harness.report.scale import scale_note
from harness.report.style import SUFFIXES as FIGURE_SUFFIXES
from harness.report.style import save
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
    """Collect the runs of `grid`, then write its tables and figures: see `write_all`.

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
    return write_all(grid, results, published_folder)


def write_all(grid: Grid, results: ResultsFolder, published_folder: Path) -> list[Path]:
    """Write the tables and figures of `grid`, and what is sure of them, of what was collected.

    Beside each table stand its differences, where it has a baseline, and the paper's claims beside
    the paper's tables, where all of them are in the grid.

    Args:
        grid: the tables.
        results: where metrics and replicates are, and tables and figures go.
        published_folder: the paper's numbers, `<table>.csv`.

    Returns:
        The tables and figures written.

    Raises:
        ResultsError: a file is damaged, or does not fit the others of its table.
    """
    tables = {name: read_table(grid, name, results, published_folder) for name in grid.layouts}
    texts: dict[Path, str] = {}
    for name, table in tables.items():
        for format, suffix in SUFFIXES.items():
            texts[results.table(name, suffix)] = render(table, format)
        differences = differences_of(table, grid.rows(name))
        if differences.frame.empty:
            continue
        for format, suffix in SUFFIXES.items():
            path = results.table(f"{name}_differences", suffix)
            texts[path] = render_differences([differences], format)
    if has_claims(grid):
        claims = claims_of(grid, tables)
        texts |= {
            results.table("claims", one): render_claims(claims, one) for one in CLAIMS_SUFFIXES
        }
    for path, text in texts.items():
        write_text(path, text, shared=True)
    written = list(texts)
    for name in FIGURES:
        if has_figure(grid, name):
            figure = draw_figure(name, grid, results, published_folder)
            written += save_figure(figure, name, results)
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
        _scale_note(grid, {name: cells}),
        row_scores(grid, name, results),
    )


def read_differences(
    grid: Grid, name: str, results: ResultsFolder, published_folder: Path
) -> Differences:
    """The differences of the table `name`, of the runs collected so far; it may have none.

    Raises:
        HarnessError: the grid has no such table.
        ResultsError: as for `read_table`.
    """
    table = read_table(grid, name, results, published_folder)
    return differences_of(table, grid.rows(name))


def has_claims(grid: Grid) -> bool:
    """Whether the paper's claims can be examined: all of the tables that they are of are there."""
    return all(name in grid.layouts and grid.layouts[name].published for name in TABLES)


def read_claims(grid: Grid, results: ResultsFolder, published_folder: Path) -> Claims:
    """The paper's claims on its tables and on ours, of a grid that `has_claims`.

    Raises:
        ResultsError: as for `read_table`.
    """
    tables = {name: read_table(grid, name, results, published_folder) for name in TABLES}
    return claims_of(grid, tables)


def claims_of(grid: Grid, tables: Mapping[str, Table]) -> Claims:
    """The same of tables that were read already.

    Args:
        grid: one that `has_claims`.
        tables: those of the paper, by name; others may be among them.
    """
    specs = [cell.spec for name in TABLES for cell in grid.rows(name)]
    return examine_claims(
        {name: tables[name].published for name in TABLES},
        {name: tables[name].scores for name in TABLES},
        tuple(dict.fromkeys(told for spec in specs for told in obstacles(spec))),
        _scale_note(grid, {name: tables[name].cells for name in TABLES}),
    )


def _scale_note(grid: Grid, frames: Mapping[str, pd.DataFrame]) -> str:
    """Of tables' runs with numbers, and for rows that have none of those that are to have them."""
    run_ids = set(" ".join(" ".join(cells["run_id"]) for cells in frames.values()).split())
    cells = (cell for name in frames for cell in grid.table(name))
    return scale_note(cell.spec for cell in cells if cell.spec.run_id in run_ids)


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


def has_figure(grid: Grid, name: str) -> bool:
    """Whether the figure `name` can be drawn: the paper's table that it shows is in the grid.

    A project may have a table of that name which is another.
    """
    layout = grid.layouts.get(FIGURES[name])
    return layout is not None and layout.published and LABEL_OF_K in layout.columns


def draw_figure(name: str, grid: Grid, results: ResultsFolder, published_folder: Path) -> Figure:
    """The figure `name`, of the runs collected so far.

    Raises:
        HarnessError: there is no such figure, or the table it is drawn from is not in the grid.
        ResultsError: as for `read_table`.
    """
    if name not in FIGURES:
        raise HarnessError(unknown("figure", name, FIGURES))
    if not has_figure(grid, name):
        raise HarnessError(
            f"{name} is drawn from the paper's {FIGURES[name]}, its rows over {LABEL_OF_K}, and no "
            "experiment here has it: those of harness itself do. `harness table NAME` shows a "
            "table of yours."
        )
    table = read_table(grid, FIGURES[name], results, published_folder)
    return fig8(table.cells, table.published, table.scale_note)


def save_figure(figure: Figure, name: str, results: ResultsFolder) -> list[Path]:
    """Write `figure` into `results` under `name`, as PDF and PNG: the files that are there then."""
    paths = [results.figure(name, suffix) for suffix in FIGURE_SUFFIXES]
    for path, suffix in zip(paths, FIGURE_SUFFIXES, strict=True):
        with replacing(path, shared=True) as temporary:
            save(figure, temporary, suffix)
    return paths
