"""One table as a frame: a line for each of its rows, whether there are numbers for it or not."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from harness.collect.code import code_columns
from harness.collect.mixture import Evidence, refuse_mixtures
from harness.collect.scores import WAY_OUT, row_scores
from harness.grid import Cell, Grid, RunSpec, base_of
from harness.paths import ResultsFolder
from harness.records import METRICS, STD_ERROR, Metrics, read_metrics
from harness.statistics.scores import Scores, mean

NOT_TRAINED = "not trained yet"
NOT_SCORED = "trained, but not scored yet"

Collected = Mapping[str, Metrics]  # by run id


def cells_frame(grid: Grid, table: str, results: ResultsFolder) -> pd.DataFrame:
    """The rows of `table` in reading order, indexed by row.

    Args:
        grid: holds the table, in as many seeds as shall count.
        table: an experiment's NAME.
        results: where `collect` put metrics and replicates.

    Returns:
        The label columns; each metric of `row_scores` as the mean over seeds in percent points
        (NaN: no number), and its standard error as "AP std_error" and so on (NaN: of one seed);
        `n`, how many seeds have numbers; `seeds` and `run_id`, which, separated by spaces (where
        none has numbers, the run that is to have them); `evaluator` ("" where there are no
        numbers); `missing`: why a row has no numbers, "" where it has; and the columns of
        `harness.collect.code`.

    Raises:
        ResultsError: a file is damaged, or rows or their bases were made with different annotations
            or orders of images, at two scales, or scored by different evaluators or on different
            draws of images, so that they do not belong in one table.
    """
    cells = grid.table(table)
    found = _collected(cells, results)
    refuse_mixtures(table, _evidence(cells, found), results)
    scores = row_scores(grid, table, results)
    rows = [cell.row for cell in grid.rows(table)]
    of_row = {row: [cell for cell in cells if cell.row == row] for row in rows}
    metrics = dict.fromkeys(
        (
            *METRICS,
            *(name for row in scores.values() for one in row.values() for name in one.values),
        )
    )
    records = [_record(of_row[row], scores[row], list(metrics), found) for row in rows]
    return pd.DataFrame(records, index=pd.Index(rows, name="row"))


def _specs(cell: Cell) -> tuple[RunSpec, ...]:
    """The base of a cell, where it has one, and its run."""
    base = base_of(cell.spec)
    return (base, cell.spec) if base else (cell.spec,)


def _collected(cells: Sequence[Cell], results: ResultsFolder) -> Collected:
    """What is there of the cells' runs and bases, each read once."""
    run_ids = dict.fromkeys(spec.run_id for cell in cells for spec in _specs(cell))
    return {
        run_id: read_metrics(results.metrics(run_id), run_id, WAY_OUT)
        for run_id in run_ids
        if results.metrics(run_id).exists()
    }


def _evidence(cells: Sequence[Cell], found: Collected) -> Iterator[Evidence]:
    for cell in cells:
        for spec in _specs(cell):
            if metrics := found.get(spec.run_id):
                yield Evidence(cell.row, spec, metrics)


def _record(
    cells: Sequence[Cell], scores: Scores, metrics: Sequence[str], found: Collected
) -> dict[str, object]:
    """The line of a row.

    Args:
        cells: of the row, one for each seed.
        scores: of the seeds that have numbers.
        metrics: columns.
        found: what is collected of runs and bases.
    """
    means = {metric: mean(scores, metric) for metric in metrics}
    made = [cell for cell in cells if cell.spec.seed in scores]
    shown = made or cells[:1]
    return {
        **cells[0].labels,
        **{metric: one.value for metric, one in means.items()},
        **{metric + STD_ERROR: one.std_error for metric, one in means.items()},
        "n": len(made),
        "seeds": " ".join(str(cell.spec.seed) for cell in made),
        "run_id": " ".join(cell.spec.run_id for cell in shown),
        "evaluator": _joined(found[cell.spec.run_id].evaluator for cell in made),
        "missing": "" if made else _reason(cells, found),
        **code_columns(
            [(found[cell.spec.run_id], found.get(_specs(cell)[0].run_id)) for cell in made]
        ),
    }


def _reason(cells: Sequence[Cell], found: Collected) -> str:
    trained = any(cell.spec.run_id in found for cell in cells)
    return NOT_SCORED if trained else NOT_TRAINED


def _joined(texts: Iterator[str]) -> str:
    return " and ".join(dict.fromkeys(texts))
