"""Whether a statement holds on numbers.

Differences are in hundredths of a point. Of what the paper prints they are whole: 34.54 less 34.28
is 26 and nothing else, and a reader can check each finding against the table. Ours count unrounded,
for rounding first can make a gain of 0.01 out of 0.0002.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from harness.records import METRICS
from harness.report.statements import Statement, Summary

# AP in percent points by (table, row) and by metric: one number each, or an array (R,) of
# replicates, of which each is one draw of all rows together.
Cells = Mapping[tuple[str, str], Mapping[str, ArrayLike]]

DIGITS = 9  # of a difference in hundredths: what binary adds is below, what tells anything above
NOT_KNOWN = "not known yet"


@dataclass(frozen=True)
class Finding:
    """What became of a statement.

    Attributes:
        statement: that was tested.
        value: what it is about, in the units of its bounds; NaN where a number is missing.
        holds: None where a number is missing.
    """

    statement: Statement
    value: float
    holds: bool | None

    def __str__(self) -> str:
        found = NOT_KNOWN if self.holds is None else self.statement.in_words(self.value)
        return f"{self.statement.about}: {found}, claimed {self.statement.claimed}"


def cells_of(tables: Mapping[str, pd.DataFrame]) -> Cells:
    """The numbers of tables: frames by NAME, indexed by row, with the columns AP to APl."""
    return {
        (name, str(row)): {metric: values[metric] for metric in METRICS}
        for name, frame in tables.items()
        for row, values in frame.to_dict("index").items()
    }


def find(statement: Statement, cells: Cells) -> Finding:
    """Whether a statement holds where each row and metric has one number."""
    value = measured(statement, cells)
    holds = None if np.isnan(value) else bool(holds_at(statement, value))
    return Finding(statement, float(value), holds)


def measured(statement: Statement, cells: Cells) -> NDArray[np.float64]:
    """What a statement is about, in the units of its bounds; NaN where a number is missing.

    Returns:
        Shape () where each row has one number, (R,) where it has R replicates.

    Raises:
        ValueError: the rows that it compares have different numbers of replicates.
    """
    differences = _differences(statement, cells)
    match statement.summary:
        case Summary.SMALLEST:
            return np.asarray(differences.min(axis=0))
        case Summary.LARGEST:
            return np.asarray(differences.max(axis=0))
        case Summary.SPREAD:
            return np.asarray(np.ptp(differences, axis=0))
        case Summary.INCREASES:
            missing = np.isnan(differences).any(axis=0)
            return np.where(missing, np.nan, (differences > 0).sum(axis=0))


def holds_at(statement: Statement, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where `values`, as from `measured`, are between the bounds; NaN never is."""
    low = -math.inf if statement.low is None else statement.low
    high = math.inf if statement.high is None else statement.high
    return np.asarray((low < values) & (values < high))


def _differences(statement: Statement, cells: Cells) -> NDArray[np.float64]:
    """One line for each difference, in hundredths."""
    pairs = [
        [_hundredths(cells, one.table, row, one.metric) for row in (one.row, one.against)]
        for one in statement.differences
    ]
    sizes = sorted({values.size for pair in pairs for values in pair if values.ndim})
    if len(sizes) > 1:
        raise ValueError(
            f"cells behind {statement.about!r} have {' and '.join(map(str, sizes))} replicates: "
            "those of all rows must be drawn together"
        )
    differences = (np.round(row - against, DIGITS) for row, against in pairs)
    return np.stack(np.broadcast_arrays(*differences))


def _hundredths(cells: Cells, table: str, row: str, metric: str) -> NDArray[np.float64]:
    values = cells.get((table, row), {}).get(metric, math.nan)
    return np.asarray(values, dtype=float) * 100
