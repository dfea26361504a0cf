"""`harness explain`: what stands behind one row of a table."""

from harness.errors import SpecError
from harness.grid import Cell, Grid
from harness.grid.names import matching
from harness.workplace import Workplace


def print_evidence(place: Workplace, name: str) -> None:
    """Print the row's numbers by seed, its difference from its baseline, and its runs.

    Args:
        place: where results and runs are.
        name: a row ("table1/k=2"), or a run that stands in one.

    Raises:
        SpecError: there is no such row, or several.
        ResultsError: a file is damaged, or does not fit the others of its table.
    """
    from harness.collect.evidence import evidence_frame
    from harness.rebuild import read_table
    from harness.report.printed_differences import differences_of
    from harness.report.row_evidence import row_evidence
    from harness.terminal.explain_view import show_evidence

    grid = place.known_grid(place.experiment_names)
    cell = _row(grid, name)
    table = read_table(grid, cell.table, place.results, place.published)
    differences = differences_of(table, grid.rows(cell.table))
    evidence = evidence_frame(grid, cell.table, place.results, place.runs)
    found = row_evidence(table, differences, evidence)[cell.row]
    files = {
        line["run_id"]: [
            ("metrics", line["metrics_file"]),
            ("folder", line["run_folder"] or "not here"),
            ("predictions", line["predictions"] or "not here"),
        ]
        for line in evidence[evidence["row"] == cell.row].to_dict("records")
    }
    show_evidence(cell.name, table.caption, found, files)


def _row(grid: Grid, name: str) -> Cell:
    """The row meant by `name`, as the first table that shows it has it."""
    meant = matching(grid, [name])
    shown = [cell for cell in grid.cells if cell.spec.run_id in meant]
    rows = {cell.name: cell for cell in reversed(shown)}
    if not rows:
        raise SpecError(f"{name!r} means a base, which stands in no table. Name a row.")
    if name.partition("/seed=")[0] in rows:
        return rows[name.partition("/seed=")[0]]
    if len({cell.spec.run_id for cell in rows.values()}) > 1:
        told = ", ".join(reversed(rows))
        raise SpecError(f"{name!r} means more than one row: {told}. Name one.")
    return next(reversed(rows.values()))
