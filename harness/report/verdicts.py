"""What became of a published difference: reproduced, contradicted, undecided or not comparable.

The published difference is taken as a fixed number. It is the outcome of one run on each side, with
noise of its own that nobody knows, so a verdict is about that number and not about what would come
out on average. Each verdict is for itself: nothing is corrected for there being 78 of them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from harness.grid import Cell
from harness.grid.fair import baseline_of
from harness.report.printed import signed
from harness.report.published import DECIMALS
from harness.statistics.difference import DECIDED_FROM

NOT_DRAWN = "the test images were not drawn anew, so that what they add to the noise is not known"

SMALLER, LARGER = "smaller", "larger"


class Verdict(StrEnum):
    """What can be said of a published difference."""

    REPRODUCED = "reproduced"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class Judgement:
    """A verdict on a published difference.

    Attributes:
        verdict: what can be said.
        because: its reason, a sentence without its full stop.
        size: SMALLER or LARGER where it is reproduced and our whole interval lies nearer to 0, or
            farther from it, than all that prints as published; else "".
    """

    verdict: Verdict
    because: str
    size: str = ""


@dataclass(frozen=True)
class PublishedDifference:
    """A published difference in percent points.

    Attributes:
        value: one printed number less another.
        half_width: what rounds to the two differs from it by less than this.
    """

    value: float
    half_width: float


def published_pairs(cells: Iterable[Cell], published: pd.DataFrame) -> list[tuple[Cell, Cell]]:
    """(method, baseline) of each difference that one table prints.

    A pair need not be a fair one in our runs: `harness.grid.fair.obstacles_of_pair` tells.

    Args:
        cells: of the table.
        published: the table as printed; rows that are not in it make no pair.
    """
    rows = [cell for cell in cells if cell.row in published.index]
    pairs = ((cell, baseline_of(cell, rows)) for cell in rows)
    return [(cell, baseline) for cell, baseline in pairs if baseline is not None]


def published_difference(
    published: pd.DataFrame, row: str, baseline: str, metric: str
) -> PublishedDifference:
    """How much higher `row` is printed than `baseline`.

    Args:
        published: of `read_published`.
        row: the method.
        baseline: what it is held against.
        metric: a name in METRICS.
    """
    rows = published.loc[[row, baseline]]
    decimals = rows[DECIMALS].astype(int).tolist()
    method, plain = rows[metric].astype(float)
    # Each of the two is rounded by up to half a unit of its last digit.
    half_width = sum(10.0**-digits / 2 for digits in decimals)
    return PublishedDifference(round(method - plain, max(decimals)), half_width)


def judge(
    published: float,
    half_width: float,
    low: float,
    high: float,
    n: int,
    counted: Collection[str],
    obstacles: Sequence[str],
) -> Judgement:
    """The verdict on one published difference.

    Obstacles come first, then the number of seeds, then whether images count, without which an
    interval is too narrow. Then, for a difference that is printed above 0
    (mirrored for one below):

    * our interval is above 0: reproduced; `size` says where the published size does not fit;
    * it is below 0, or holds 0 and ends below every value that prints as published: contradicted;
    * it holds 0 and the published size: undecided.

    Two numbers that are printed the same show no side. An interval that holds 0 does not confirm
    them, for any wide enough does. So: reproduced where our interval holds nothing that would print
    as a difference, contradicted where it holds nothing that would not, else undecided.

    An interval that only touches a bound does not exclude it.

    Args:
        published: difference as printed, method less baseline, in percent points.
        half_width: from `published_difference`: 0.01 where both are printed with two decimals, 0.1
            with one.
        low: of our interval of the same difference.
        high: of the same; NaN, as `low`, where there is no interval yet.
        n: our pairs of runs, one for each seed.
        counted: the parts of our interval, `Difference.counted`.
        obstacles: what makes ours not comparable: `harness.grid.fair.obstacles_of_pair`.

    Raises:
        ValueError: there are seeds and no obstacles, and still no interval from low to high.
    """
    if obstacles:
        told = "; ".join(obstacles)
        return Judgement(
            Verdict.NOT_COMPARABLE, f"in the way, the paper's values in brackets: {told}"
        )
    if n < DECIDED_FROM:
        return Judgement(
            Verdict.UNDECIDED, f"n = {n} seed{'' if n == 1 else 's'}; {DECIDED_FROM} are needed"
        )
    if not low <= high:
        raise ValueError(f"low={low}, high={high}: no interval")
    if "images" not in counted:
        return Judgement(Verdict.UNDECIDED, NOT_DRAWN)
    if abs(published) < half_width / 2:
        (verdict, finding), size = _of_no_difference(half_width, low, high), ""
    elif published < 0:
        verdict, finding, size = _of_a_gain(-published, half_width, -high, -low)
    else:
        verdict, finding, size = _of_a_gain(published, half_width, low, high)
    ours = f"ours, {_in_words(low)} to {_in_words(high)} at n = {n},"
    return Judgement(verdict, f"{ours} {finding} the published {signed(published)}", size)


def _of_a_gain(size: float, half_width: float, low: float, high: float) -> tuple[Verdict, str, str]:
    """For a difference printed above 0. Rounding keeps order: it was above 0 unrounded as well."""
    if low > 0 and high < size - half_width:
        return Verdict.REPRODUCED, "excludes 0 but is smaller than", SMALLER
    if low > size + half_width:
        return Verdict.REPRODUCED, "excludes 0 and is larger than", LARGER
    if low > 0:
        return Verdict.REPRODUCED, "excludes 0 and holds", ""
    if high < 0:
        return Verdict.CONTRADICTED, "lies on the other side of 0 than", ""
    if high < size - half_width:
        return Verdict.CONTRADICTED, "holds 0 and excludes", ""
    return Verdict.UNDECIDED, "holds 0 and", ""


def _of_no_difference(half_width: float, low: float, high: float) -> tuple[Verdict, str]:
    if -half_width < low and high < half_width:
        return Verdict.REPRODUCED, "holds nothing but what prints as"
    if low > half_width or high < -half_width:
        return Verdict.CONTRADICTED, "excludes all that prints as"
    return Verdict.UNDECIDED, "holds differences as well as"


def _in_words(bound: float) -> str:
    """With a digit more than printed numbers, so that a bound near 0 shows its side."""
    return f"{bound:+.3f}".replace("-", "−")
