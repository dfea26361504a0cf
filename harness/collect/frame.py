"""One table as a frame: a row for each of its cells, whether there are numbers for it or not."""

from collections.abc import Iterator

import pandas as pd

from harness.collect.mixture import Evidence, refuse_mixtures
from harness.grid import Cell, Grid, RunSpec, base_of
from harness.grid.spec import NOT_BUILT
from harness.paths import ResultsFolder
from harness.records import METRICS, Metrics, read_metrics

NOT_TRAINED = "not trained yet"
NOT_SCORED = "trained, but not scored yet"
WAY_OUT = "Delete it and give `harness collect` where the run is, or take the file back from git."


def cells_frame(grid: Grid, table: str, results: ResultsFolder) -> pd.DataFrame:
    """The cells of `table` in reading order, indexed by row.

    Args:
        grid: holds the table.
        table: an experiment's NAME.
        results: where `collect` put the metrics.

    Returns:
        The label columns, AP to APl in percent points (NaN: no number), `run_id`, `evaluator` (""
        where there are no numbers), and `missing`: why a row has no numbers, "" where it has.

    Raises:
        ResultsError: a metrics file is damaged, or rows or their bases were made with different
            annotations or orders of images or scored by different evaluators, so that they do not
            belong in one table.
    """
    cells = grid.table(table)
    refuse_mixtures(table, _evidence(cells, results), results)
    records = [_record(cell, _metrics(cell.spec, results)) for cell in cells]
    frame = pd.DataFrame(records, index=pd.Index([cell.row for cell in cells], name="row"))
    return frame.astype(dict.fromkeys(METRICS, float))


def _evidence(cells: list[Cell], results: ResultsFolder) -> Iterator[Evidence]:
    """What is collected of each row's base and run."""
    for cell in cells:
        for spec in (base_of(cell.spec), cell.spec):
            metrics = _metrics(spec, results) if spec else None
            if spec and metrics:
                yield Evidence(cell.row, spec, metrics)


def _metrics(spec: RunSpec, results: ResultsFolder) -> Metrics | None:
    path = results.metrics(spec.run_id)
    return read_metrics(path, spec.run_id, WAY_OUT) if path.exists() else None


def _record(cell: Cell, metrics: Metrics | None) -> dict[str, object]:
    ap = metrics.ap.get("segm", {}) if metrics else {}
    return {
        **cell.labels,
        **{name: ap.get(name) for name in METRICS},
        "run_id": cell.spec.run_id,
        "evaluator": metrics.evaluator if metrics and ap else "",
        "missing": "" if ap else _reason(cell, metrics),
    }


def _reason(cell: Cell, metrics: Metrics | None) -> str:
    return NOT_SCORED if metrics else NOT_BUILT.get(cell.spec.architecture, NOT_TRAINED)
