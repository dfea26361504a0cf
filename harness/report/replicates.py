"""How sure a statement or a best row is: in which share of replicates it is so.

A replicate is one draw of the numbers of all rows together, as a bootstrap over images and seeds
makes it.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.report.claims import Claim
from harness.report.findings import Cells, holds_at, measured


def shares(claim: Claim, replicates: Cells) -> list[float]:
    """In which share of replicates each statement of a claim holds, in the claim's order.

    Replicates in which a number is missing are left out; NaN where none is left.

    Args:
        claim: one of `harness.report.claims.CLAIMS`.
        replicates: AP in percent points by (table, row) and by metric, each of shape (R,).

    Raises:
        ValueError: rows that are compared have different numbers of replicates.
    """
    return [
        _share(holds_at(statement, values), np.asarray(~np.isnan(values)))
        for statement in claim.statements
        for values in [measured(statement, replicates)]
    ]


def best_row(replicates: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """In which share of replicates each row is the best; ties are split evenly, so it adds to 1.

    Replicates in which a number is missing are left out; NaN where none is left.

    Args:
        replicates: of one metric in which higher is better, by row, each of shape (R,).

    Raises:
        ValueError: rows have different numbers of replicates.
    """
    if not replicates:
        return {}
    values = np.stack(list(replicates.values()))
    known = np.asarray(~np.isnan(values).any(axis=0))
    best = values == values.max(axis=0)
    shared = best / np.maximum(best.sum(axis=0), 1)
    return {row: _share(won, known) for row, won in zip(replicates, shared, strict=True)}


def _share(hits: NDArray[np.float64] | NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    return float(hits[known].mean()) if known.any() else math.nan
