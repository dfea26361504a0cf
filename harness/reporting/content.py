"""What the report tells: gathered from runs and results, whatever is missing or damaged in them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.collect.curves import training_curves
from harness.collect.evidence import evidence_frame
from harness.collect.whole import whole_results
from harness.errors import HarnessError
from harness.grid import Grid
from harness.grid.state import State
from harness.paths import ResultsFolder
from harness.rebuild import claims_of, has_claims, has_figure, read_table
from harness.report.claims_table import TABLE_OF_K, TABLES, Claims
from harness.report.difference_formats import render_differences
from harness.report.figures import fig8, fig8_in_words
from harness.report.page import Curves, Drawing, Page, TableSection
from harness.report.printed_differences import differences_of
from harness.report.scale import scale_note
from harness.report.style import svg
from harness.report.tables import render
from harness.reporting.masks import mask_pairs
from harness.reporting.runs import COLLECTED, cost, runs_frame
from harness.reporting.to_train import to_train
from harness.workplace import Workplace

Sections = Mapping[str, TableSection | str]


def gather(place: Workplace, problems: Sequence[str] = ()) -> Page:
    """All that the report shows, of what was collected and of run folders.

    Args:
        place: where runs and results are.
        problems: what is known to be wrong with them, one sentence each.
    """
    grid = place.known_grid()
    with TemporaryDirectory() as folder:
        results, damaged = whole_results(grid, place.results, Path(folder))
        return _page(grid, place, results, (*problems, *damaged))


def _page(grid: Grid, place: Workplace, results: ResultsFolder, problems: Sequence[str]) -> Page:
    runs, note = runs_frame(grid, place.runs, results)
    tables = {name: _section(grid, name, place, results) for name in grid.layouts}
    curves = _curves(grid, place)
    spent, unpriced = cost(grid, place.runs, runs)
    undone = runs.loc[~runs["state"].isin([State.DONE.value, COLLECTED]), "run_id"].tolist()
    return Page(
        title=f"Grid {place.results.folder.name}: tables, verdicts and evidence",
        scale_note=scale_note(cell.spec for cell in grid.cells),
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        runs=runs,
        to_do=to_train(grid, undone),
        problems=(*problems, *filter(None, [note, unpriced])),
        tables=tables,
        fig8=_fig8(grid, tables),
        claims=_claims(grid, tables),
        curves=curves,
        curves_missing=_curves_missing(grid, place),
        masks=tuple(mask_pairs(grid, place.runs)),
        cost=spent,
    )


def _section(grid: Grid, name: str, place: Workplace, results: ResultsFolder) -> TableSection | str:
    try:
        table = read_table(grid, name, results, place.published)
        evidence = evidence_frame(grid, name, results, place.runs)
    except HarnessError as error:  # it names the copy that was read
        return str(error).replace(str(results.folder), str(place.results.folder))
    differences = differences_of(table, grid.rows(name))
    there = not differences.frame.empty
    return TableSection(
        table,
        differences,
        evidence,
        latex=render(table, "latex"),
        csv=render(table, "csv"),
        differences_latex=render_differences([differences], "latex") if there else "",
        differences_csv=render_differences([differences], "csv") if there else "",
    )


def _fig8(grid: Grid, tables: Sections) -> Drawing | None:
    section = tables.get(TABLE_OF_K)
    if not isinstance(section, TableSection) or not has_figure(grid, "fig8"):
        return None
    cells, published = section.table.cells, section.table.published
    figure = fig8(cells, published, section.table.scale_note)
    return Drawing(svg(figure), fig8_in_words(cells, published))


def _claims(grid: Grid, tables: Sections) -> Claims | None:
    read = {name: one.table for name, one in tables.items() if isinstance(one, TableSection)}
    # Where one of the paper's tables cannot be shown, that is told in its place.
    return claims_of(grid, read) if has_claims(grid) and set(TABLES) <= read.keys() else None


def _curves(grid: Grid, place: Workplace) -> dict[str, Curves]:
    return {
        f"{grid.name_of(run_id)} · {run_id}": Curves(
            training_curves(spec, place.runs.run(run_id)),
            spec.first_iteration,
            spec.last_iteration,
        )
        for run_id, spec in grid.runs.items()
    }


def _curves_missing(grid: Grid, place: Workplace) -> str:
    """Which runs have no folder here, and how one comes to have it."""
    absent = [run_id for run_id in grid.runs if not place.runs.run(run_id).folder.is_dir()]
    if not absent:
        return ""
    which = "all runs" if len(absent) == len(grid.runs) else ", ".join(map(grid.name_of, absent))
    return (
        f"Not here: the curves of {which}. Curves are drawn from run folders, and those of these "
        f"runs are not in {place.runs.folder}. Where they are in another place, name that with "
        f"--runs; `{to_train(grid, absent)}` trains the runs, again where their numbers are here."
    )
