"""One table as a frame: a row for each of its cells, whether there are numbers for it or not."""

from collections.abc import Iterator, Mapping

import pandas as pd

from harness.collect.code import code_columns
from harness.collect.mixture import Evidence, refuse_mixtures
from harness.grid import Cell, Grid, RunSpec, base_of
from harness.paths import ResultsFolder
from harness.records import METRICS, Metrics, read_metrics

NOT_TRAINED = "not trained yet"
NOT_SCORED = "trained, but not scored yet"
WAY_OUT = "Delete it and give `harness collect` where the run is, or take the file back from git."

Collected = Mapping[str, Metrics]  # by run id


def cells_frame(grid: Grid, table: str, results: ResultsFolder) -> pd.DataFrame:
    """The cells of `table` in reading order, indexed by row.

    Args:
        grid: holds the table.
        table: an experiment's NAME.
        results: where `collect` put the metrics.

    Returns:
        The label columns, AP to APl in percent points (NaN: no number), `run_id`, `evaluator` (""
        where there are no numbers), `missing`: why a row has no numbers, "" where it has, and the
        columns of `harness.collect.code`.

    Raises:
        ResultsError: a metrics file is damaged, or rows or their bases were made with different
            annotations or orders of images or scored by different evaluators, so that they do not
            belong in one table.
    """
    cells = grid.rows(table)
    found = _collected(cells, results)
    refuse_mixtures(table, _evidence(cells, found), results)
    records = [_record(cell, found) for cell in cells]
    frame = pd.DataFrame(records, index=pd.Index([cell.row for cell in cells], name="row"))
    return frame.astype(dict.fromkeys(METRICS, float))


def _specs(cell: Cell) -> tuple[RunSpec, ...]:
    """The base of a row, where it has one, and its run."""
    base = base_of(cell.spec)
    return (base, cell.spec) if base else (cell.spec,)


def _collected(cells: list[Cell], results: ResultsFolder) -> Collected:
    """What is there of the rows' runs and bases, each read once."""
    run_ids = dict.fromkeys(spec.run_id for cell in cells for spec in _specs(cell))
    return {
        run_id: read_metrics(results.metrics(run_id), run_id, WAY_OUT)
        for run_id in run_ids
        if results.metrics(run_id).exists()
    }


def _evidence(cells: list[Cell], found: Collected) -> Iterator[Evidence]:
    for cell in cells:
        for spec in _specs(cell):
            if metrics := found.get(spec.run_id):
                yield Evidence(cell.row, spec, metrics)


def _record(cell: Cell, found: Collected) -> dict[str, object]:
    metrics, base = found.get(cell.spec.run_id), found.get(_specs(cell)[0].run_id)
    ap = metrics.ap.get("segm", {}) if metrics else {}
    return {
        **cell.labels,
        **{name: ap.get(name) for name in METRICS},
        "run_id": cell.spec.run_id,
        "evaluator": metrics.evaluator if metrics and ap else "",
        "missing": "" if ap else _reason(cell, metrics),
        **code_columns(metrics if ap else None, base),
    }


def _reason(cell: Cell, metrics: Metrics | None) -> str:
    return NOT_SCORED if metrics else NOT_TRAINED
