"""One table as a frame: a row for each of its cells, whether there are numbers for it or not."""

import pandas as pd

from harness.errors import ResultsError
from harness.grid import Cell, Grid
from harness.grid.state import NOT_BUILT
from harness.paths import ResultsFolder
from harness.records import METRICS, Metrics, read_metrics

NOT_TRAINED = "not trained yet"
NOT_SCORED = "trained, but not scored yet"


def cells_frame(grid: Grid, table: str, results: ResultsFolder) -> pd.DataFrame:
    """The cells of `table` in reading order, indexed by row.

    Args:
        grid: holds the table.
        table: an experiment's NAME.
        results: where `collect` put the metrics.

    Returns:
        The label columns, AP to APl in percent points (NaN: no number), `run_id`, and `missing`:
        why a row has no numbers, "" where it has.

    Raises:
        ResultsError: a metrics file is damaged, or rows were made with different annotations or
            scored by different evaluators, so that they do not belong in one table.
    """
    cells = grid.table(table)
    run_ids = [cell.spec.run_id for cell in cells]
    found = [_metrics(run_id, results) for run_id in run_ids]
    _refuse_mixed_annotations(table, cells, found)
    _refuse_mixed_evaluators(table, cells, found)
    records = [_record(*row) for row in zip(cells, run_ids, found, strict=True)]
    frame = pd.DataFrame(records, index=pd.Index([cell.row for cell in cells], name="row"))
    return frame.astype(dict.fromkeys(METRICS, float))


def _metrics(run_id: str, results: ResultsFolder) -> Metrics | None:
    path = results.metrics(run_id)
    return read_metrics(path, run_id) if path.exists() else None


def _record(cell: Cell, run_id: str, metrics: Metrics | None) -> dict[str, object]:
    ap = metrics.ap.get("segm", {}) if metrics else {}
    return {
        **cell.labels,
        **{name: ap.get(name) for name in METRICS},
        "run_id": run_id,
        "missing": "" if ap else _reason(cell, metrics),
    }


def _reason(cell: Cell, metrics: Metrics | None) -> str:
    return NOT_SCORED if metrics else NOT_BUILT.get(cell.spec.architecture, NOT_TRAINED)


def _refuse_mixed_annotations(table: str, cells: list[Cell], found: list[Metrics | None]) -> None:
    first: dict[str, tuple[str, str]] = {}
    for cell, metrics in zip(cells, found, strict=True):
        for split, sha256 in metrics.annotations.items() if metrics else ():
            row, expected = first.setdefault(split, (cell.row, sha256))
            if sha256 != expected:
                raise ResultsError(
                    f"Table {table!r} would mix two annotation files named {split}: sha256 "
                    f"{expected[:8]} in row {row!r}, {sha256[:8]} in row {cell.row!r}. Keep the "
                    "right file, delete the folders of the runs made with the other, here "
                    f"runs/{cell.spec.run_id} for row {cell.row!r}, and submit them again."
                )


def _refuse_mixed_evaluators(table: str, cells: list[Cell], found: list[Metrics | None]) -> None:
    first: tuple[str, str] | None = None
    for cell, metrics in zip(cells, found, strict=True):
        if metrics is None:
            continue
        row, expected = first = first or (cell.row, metrics.evaluator)
        if metrics.evaluator != expected:
            raise ResultsError(
                f"Table {table!r} would mix two evaluators: row {row!r} was scored by {expected}, "
                f"row {cell.row!r} by {metrics.evaluator}. Score them with one: delete "
                f"runs/{cell.spec.run_id}/metrics.json, give `harness run {cell.spec.run_id}`, "
                "which only scores a trained run again; then `harness collect`."
            )
