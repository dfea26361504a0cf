"""The noise of a difference in mAP, measured on the runs collected so far: what power takes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.collect.scores import row_scores
from harness.grid import Grid
from harness.grid.fair import baseline_of, unfair_fields
from harness.paths import ResultsFolder
from harness.statistics.difference import Difference
from harness.statistics.scores import difference


@dataclass(frozen=True)
class MeasuredNoise:
    """Standard deviations of a paired difference in mAP, pooled over pairs of rows.

    Attributes:
        seed_std: between seeds, of one pair of runs; NaN where no pair has two seeds.
        pairs, seeds: how many pairs `seed_std` is from, and of at most how many seeds.
        image_std: of the mean difference, from the images drawn; NaN where nothing was drawn.
    """

    seed_std: float
    pairs: int
    seeds: int
    image_std: float


def measured_noise(grid: Grid, results: ResultsFolder) -> MeasuredNoise:
    """The noise of the fair pairs, a row and its baseline, of all tables of `grid`.

    Each pair is one of several with the same baseline, so they are no independent measurements of
    it: the more seeds, the surer.

    Args:
        grid: in as many seeds as shall count.
        results: where runs were collected to.

    Raises:
        ResultsError: a file is damaged.
    """
    found = list(_differences(grid, results))
    spread = [one for one in found if not math.isnan(one.seed_variance)]
    drawn = [one.image_variance for one in found if not math.isnan(one.image_variance)]
    freedom = sum(one.n - 1 for one in spread)
    squares = sum(one.seed_variance * one.n * (one.n - 1) for one in spread)
    return MeasuredNoise(
        seed_std=math.sqrt(squares / freedom) if freedom else math.nan,
        pairs=len(spread),
        seeds=max((one.n for one in spread), default=0),
        image_std=math.sqrt(sum(drawn) / len(drawn)) if drawn else math.nan,
    )


def _differences(grid: Grid, results: ResultsFolder) -> Iterator[Difference]:
    """Of each pair once, however many tables show it."""
    seen = set()
    for table in grid.layouts:
        scores, rows = row_scores(grid, table, results), grid.rows(table)
        for cell in rows:
            baseline = baseline_of(cell, rows)
            if baseline is None or unfair_fields(cell.spec, baseline.spec):
                continue
            pair = (cell.spec.run_id, baseline.spec.run_id)
            one = difference(scores[cell.row], scores[baseline.row], "AP")
            if one is not None and pair not in seen:
                seen.add(pair)
                yield one
