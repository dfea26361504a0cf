"""The numbers of a row of a table: a run for each seed, each in the same draws of images."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.statistics.difference import Difference, paired_difference

Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """What one run has scored, in AP points by metric; NaN where there is no ground truth.

    Attributes:
        run_id: of the run.
        values: on the test images as they are.
        draws: in each draw of the test images, shape (draws,); {} where none were made. Runs that
            are compared must have the same draws.
        tested_on: says which test images, and which draws of them, these are, as their hashes do;
            "" where it is not known, which goes with any.
    """

    run_id: str
    values: Mapping[str, float]
    draws: Mapping[str, Draws] = field(default_factory=dict)
    tested_on: str = ""


Scores = Mapping[int, Score]  # of one row, by seed


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, in AP points.

    Attributes:
        value: the mean; NaN where there is no number.
        std_error: sample standard deviation over seeds / √n; NaN of one seed.
        n: how many seeds.
    """

    value: float
    std_error: float
    n: int


def mean(scores: Scores, metric: str) -> Mean:
    """The mean of one metric over the seeds that have it."""
    values = [score.values[metric] for score in scores.values() if metric in score.values]
    if not values:
        return Mean(math.nan, math.nan, 0)
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Mean(float(np.mean(values)), spread / math.sqrt(len(values)), len(values))


def common_seeds(rows: Iterable[Scores], metric: str) -> list[int]:
    """The seeds of which every one of some rows has a value of `metric`, from low to high."""
    have = [{seed for seed, score in scores.items() if metric in score.values} for scores in rows]
    return sorted(set.intersection(*have)) if have else []


def tested_alike(rows: Iterable[Scores]) -> bool:
    """Whether no two runs of some rows are known to be tested on other images or other draws."""
    known = {score.tested_on for scores in rows for score in scores.values()} - {""}
    return len(known) <= 1


def difference(
    method: Scores, baseline: Scores, metric: str, confidence: float = 0.95
) -> Difference | None:
    """Method minus baseline over the seeds that both have.

    None where that is no seed, or the two were not tested alike: a draw of one set of images has
    nothing to do with a draw of another, and they would be taken as paired.

    The image part is that of the seeds whose two runs have draws (`paired_difference` says why that
    is safe), and unknown where there is none.

    Args:
        method: a row.
        baseline: a row that it may be compared with (`harness.grid.fair`).
        metric: of both.
        confidence: of the interval, between 0 and 1.
    """
    pairs = [(method[seed], baseline[seed]) for seed in common_seeds([method, baseline], metric)]
    if not pairs or not tested_alike([method, baseline]):
        return None
    drawn = [
        one.draws[metric] - other.draws[metric]
        for one, other in pairs
        if metric in one.draws and metric in other.draws
    ]
    return paired_difference(
        [one.values[metric] - other.values[metric] for one, other in pairs],
        np.stack(drawn) if drawn else None,
        confidence,
    )


def redrawn(rows: Sequence[Scores], metric: str, seed: int = 0) -> list[Draws]:
    """The mean of each row in replicates that draw images and seeds anew, the same for all rows.

    Seeds are drawn with replacement from those that all rows have. Of one seed there is nothing to
    draw, and with few their variance is too small: by a third for three.

    Args:
        rows: of one table.
        metric: of all of them.
        seed: of the draws of seeds.

    Returns:
        For each row an array of shape (draws,), empty where the rows have no seed in common or were
        not tested alike, or a run of such a seed has no draws of this metric: fewer seeds than the
        mean has would not be replicates of it.
    """
    seeds = common_seeds(rows, metric)
    drawn_all = all(metric in scores[number].draws for scores in rows for number in seeds)
    if not seeds or not drawn_all or not tested_alike(rows):
        return [np.empty(0) for _ in rows]
    drawn = np.stack([[scores[number].draws[metric] for number in seeds] for scores in rows])
    replicates = drawn.shape[-1]
    # Raw numbers are the same in every version of numpy.
    raw = np.random.PCG64(seed).random_raw((len(seeds), replicates))
    chosen = (raw % np.uint64(len(seeds))).astype(int)
    return list(drawn[:, chosen, np.arange(replicates)].mean(axis=1))
