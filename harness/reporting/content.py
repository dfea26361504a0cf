"""What the report tells: gathered from runs and results, whatever is missing or damaged in them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.collect import collect
from harness.collect.curves import training_curves
from harness.collect.evidence import evidence_frame
from harness.collect.whole import whole_results
from harness.errors import HarnessError, ResultsError
from harness.grid import Grid
from harness.grid.next_command import submit_here
from harness.paths import ResultsFolder
from harness.rebuild import has_claims, read_claims, read_table
from harness.report.claims_table import TABLE_OF_K, Claims
from harness.report.difference_formats import render_differences
from harness.report.figures import fig8, fig8_in_words
from harness.report.page import Curves, Drawing, Page, TableSection
from harness.report.printed_differences import differences_of
from harness.report.scale import scale_note
from harness.report.style import svg
from harness.report.tables import render
from harness.reporting.masks import mask_pairs
from harness.reporting.runs import cost, runs_frame
from harness.workplace import Workplace

Tell = Callable[[str], None]
Sections = Mapping[str, TableSection | str]


def gather(place: Workplace, refresh_s: int | None, tell: Tell) -> Page:
    """All that the report shows.

    Args:
        place: where runs and results are.
        refresh_s: after how many seconds a browser is to load the file again; None for never.
        tell: is given a sentence before what takes long.
    """
    grid = place.known_grid()
    problems = []
    try:
        collect(grid, place.runs, place.results, tell=tell)
    except ResultsError as error:
        problems.append(str(error))
    with TemporaryDirectory() as folder:
        results, damaged = whole_results(grid, place.results, Path(folder))
        return _page(grid, place, results, (*problems, *damaged), refresh_s)


def _page(
    grid: Grid,
    place: Workplace,
    results: ResultsFolder,
    problems: Sequence[str],
    refresh_s: int | None,
) -> Page:
    runs, note = runs_frame(grid, place.runs, results)
    tables = {name: _section(grid, name, place, results) for name in grid.layouts}
    curves = _curves(grid, place)
    one = next(iter(grid.runs.values()))
    to_do = submit_here(one, place.runs.folder, max(grid.seeds) + 1)
    return Page(
        title=f"Grid {place.results.folder.name}: tables, verdicts and evidence",
        scale_note=scale_note(grid.runs.values()),
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        runs=runs,
        to_do=to_do,
        problems=(*problems, *filter(None, [note])),
        tables=tables,
        fig8=_fig8(tables),
        claims=_claims(grid, place, results),
        curves=curves,
        curves_missing=_curves_missing(curves, place, to_do),
        masks=tuple(mask_pairs(grid, place.runs)),
        cost=cost(grid, place.runs, runs),
        refresh_s=refresh_s,
    )


def _section(grid: Grid, name: str, place: Workplace, results: ResultsFolder) -> TableSection | str:
    try:
        table = read_table(grid, name, results, place.published)
        evidence = evidence_frame(grid, name, results, place.runs)
    except HarnessError as error:
        return str(error)
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


def _fig8(tables: Sections) -> Drawing | None:
    section = tables.get(TABLE_OF_K)
    if not isinstance(section, TableSection):
        return None
    cells, published = section.table.cells, section.table.published
    figure = fig8(cells, published, section.table.scale_note)
    return Drawing(svg(figure), fig8_in_words(cells, published))


def _claims(grid: Grid, place: Workplace, results: ResultsFolder) -> Claims | None:
    if not has_claims(grid):
        return None
    try:
        return read_claims(grid, results, place.published)
    except HarnessError:  # told where its tables stand
        return None


def _curves(grid: Grid, place: Workplace) -> dict[str, Curves]:
    return {
        f"{grid.name_of(run_id)} · {run_id}": Curves(
            training_curves(spec, place.runs.run(run_id)),
            spec.first_iteration,
            spec.last_iteration,
        )
        for run_id, spec in grid.runs.items()
    }


def _curves_missing(curves: Mapping[str, Curves], place: Workplace, to_do: str) -> str:
    missing = [name for name, one in curves.items() if one.losses.empty]
    if not missing:
        return ""
    which = "all runs" if len(missing) == len(curves) else ", ".join(missing)
    return (
        f"Not here: the curves of {which}. They are drawn from run folders, and "
        f"{place.runs.folder} has none of these. `{to_do}` makes them; where the folders are in "
        "another place, name that with --runs."
    )
