"""The paper's claims in words, tested on its own tables first and then on ours.

Ours are tested on means over seeds, and in replicates that draw test images and seeds anew: the
share in which a statement holds tells how sure it is. A statement takes the seeds that all of its
rows have, so that differences stay paired.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from harness.records import METRICS
from harness.report.claims import CLAIMS, K_ROWS, Claim, check_claim
from harness.report.findings import Finding, find
from harness.report.replicates import best_row, shares
from harness.report.statements import Statement
from harness.statistics.scores import Draws, Scores, common_seeds, mean, redrawn

TABLES = tuple(
    dict.fromkeys(one.table for claim in CLAIMS for s in claim.statements for one in s.differences)
)
TABLE_OF_K = "table1"

TableScores = Mapping[str, Mapping[str, Scores]]  # by table and row


@dataclass(frozen=True)
class Examined:
    """What became of one statement of a claim.

    Attributes:
        published: on the tables of the paper.
        ours: on our means.
        n: our seeds, which all rows that it is about have.
        share: of replicates in which it holds; NaN where there are none.
    """

    published: Finding
    ours: Finding
    n: int
    share: float


@dataclass(frozen=True)
class BestK:
    """Which k of Table I is best in one metric.

    Attributes:
        metric: a name in METRICS.
        published_values: the paper's by row.
        means: ours by row, over the seeds that all of them have; NaN where there is no number.
        n: how many seeds.
        shares: of replicates in which each row is best; NaN where there are none.
    """

    metric: str
    published_values: Mapping[str, float]
    means: Mapping[str, float]
    n: int
    shares: Mapping[str, float]

    @property
    def published(self) -> tuple[str, ...]:
        """The rows with the highest value in the paper; more than one in a tie."""
        return _highest(self.published_values)

    @property
    def ours(self) -> tuple[str, ...]:
        """The rows with our highest mean; () where one is missing."""
        return _highest(self.means)


@dataclass(frozen=True)
class Claims:
    """All claims, and what our numbers are worth for them.

    Attributes:
        examined: each claim with what became of its statements, in order.
        best: one for each metric.
        obstacles: why ours say nothing about the paper (`harness.grid.fair.obstacles`); () where
            nothing is in the way.
        scale_note: what ours was measured on, as a sentence.
    """

    examined: Sequence[tuple[Claim, Sequence[Examined]]]
    best: Sequence[BestK]
    obstacles: Sequence[str]
    scale_note: str


def examine_claims(
    published: Mapping[str, pd.DataFrame],
    scores: TableScores,
    obstacles: Sequence[str],
    scale_note: str,
) -> Claims:
    """Every claim of the paper on its tables and on ours.

    Args:
        published: the paper's tables (`read_published`), by the names in `TABLES`.
        scores: ours, by table and row; a row without runs has {} or is not there.
        obstacles: what makes ours not comparable to the paper.
        scale_note: what ours was measured on, as a sentence.
    """
    examined = [
        (
            claim,
            [_examine(claim, finding, scores) for finding in check_claim(claim, published)],
        )
        for claim in CLAIMS
    ]
    table = published[TABLE_OF_K]
    best = [_best(metric, table[metric], scores.get(TABLE_OF_K, {})) for metric in METRICS]
    return Claims(examined, best, obstacles, scale_note)


def _examine(claim: Claim, published: Finding, scores: TableScores) -> Examined:
    statement = published.statement
    means: dict[tuple[str, str], dict[str, float]] = {}
    replicates: dict[tuple[str, str], dict[str, Draws]] = {}
    seeds = []
    for (table, metric), rows in _rows_by_metric(statement).items():
        of_rows = {row: scores.get(table, {}).get(row, {}) for row in rows}
        seeds.append(len(common_seeds(of_rows.values(), metric)))
        for row, value in _means(of_rows, metric).items():
            means.setdefault((table, row), {})[metric] = value
        for row, drawn in _redrawn(of_rows, metric).items():
            replicates.setdefault((table, row), {})[metric] = drawn
    # Where some of its metrics have no replicates, the statement has none.
    (share,) = shares(replace(claim, statements=(statement,)), replicates)
    return Examined(published, find(statement, means), min(seeds), share)


def _best(metric: str, published: pd.Series, scores: Mapping[str, Scores]) -> BestK:
    of_rows = {row: scores.get(row, {}) for row in K_ROWS}
    replicates = _redrawn(of_rows, metric)
    return BestK(
        metric,
        {row: float(published.get(row, math.nan)) for row in K_ROWS},
        _means(of_rows, metric),
        len(common_seeds(of_rows.values(), metric)),
        best_row(replicates) if replicates else dict.fromkeys(K_ROWS, math.nan),
    )


def _rows_by_metric(statement: Statement) -> Mapping[tuple[str, str], list[str]]:
    """The rows that a statement is about, each once, by table and metric."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for one in statement.differences:
        found.setdefault((one.table, one.metric), {}).update({one.row: None, one.against: None})
    return {where: list(rows) for where, rows in found.items()}


def _means(rows: Mapping[str, Scores], metric: str) -> dict[str, float]:
    """Of each row, over the seeds that all of them have."""
    seeds = common_seeds(rows.values(), metric)
    return {
        row: mean({seed: scores[seed] for seed in seeds}, metric).value
        for row, scores in rows.items()
    }


def _redrawn(rows: Mapping[str, Scores], metric: str) -> dict[str, Draws]:
    """By row, the replicates drawn for all of them together; {} where there are none."""
    drawn = redrawn(list(rows.values()), metric)
    return {row: draws for row, draws in zip(rows, drawn, strict=True) if draws.size}


def _highest(values: Mapping[str, float]) -> tuple[str, ...]:
    """The rows with the highest value; () where one is missing."""
    highest = max(values.values())
    known = not any(map(math.isnan, values.values()))
    return tuple(row for row, value in values.items() if value == highest) if known else ()
