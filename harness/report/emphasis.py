"""Which numbers of a column stand out: Table II's rule, and one that asks what is known.

Table II's: the highest value stands in bold, the second highest underlined.
"""

from collections.abc import Mapping
from enum import StrEnum

import pandas as pd

from harness.report.table import OURS, Column, Table, metric_of
from harness.statistics.difference import DECIDED_FROM
from harness.statistics.scores import difference


class Emphasis(StrEnum):
    """By which rule the numbers of a table are marked.

    Of ours and of the published values each among their own; the honest rule marks ours alone,
    since nobody knows the noise of what is published.
    """

    PAPER = "paper"  # as the paper's own table is, so most are not
    BEST = "best"  # as Table II
    HONEST = "honest"

    @property
    def meaning(self) -> str:
        """What a caption says of it; "" where notes do."""
        if self is not Emphasis.HONEST:
            return ""
        return (
            "Bold: the highest mean of ours in its column, and every one that cannot be told from "
            "it: the 95% interval of the difference, over seeds and images, includes 0, fewer than "
            f"{DECIDED_FROM} seeds were run, or the test images were not drawn anew. Not corrected "
            "for the number of rows. Rows tested on other images cannot be told apart here."
        )


def marks_of(table: Table, column: Column, emphasis: Emphasis) -> pd.Series:
    """How each number of one column is set: "bold", "underline" or "".

    Args:
        table: the numbers.
        column: of ours or of the published values.
        emphasis: the rule.
    """
    values = table.values(column)
    if emphasis is Emphasis.HONEST and column[1] == OURS:
        return cannot_be_told_from_best(values, _behind(table, column, values))
    if emphasis is Emphasis.BEST or (emphasis is Emphasis.PAPER and table.layout.emphasis):
        return emphasise(values)
    return pd.Series("", values.index)


def _behind(
    table: Table, column: Column, values: pd.Series
) -> dict[str, tuple[float, float] | None]:
    """The interval of best minus row, for each other row with a number.

    None where nothing can be told: below the seeds that it takes, where images do not count, and
    where the two were tested on other images.
    """
    known = values.dropna()
    if known.empty:
        return {}
    best = table.scores.get(str(known.idxmax()), {})
    found: dict[str, tuple[float, float] | None] = {}
    for row in map(str, known.index):
        ahead = difference(best, table.scores.get(row, {}), metric_of(column[0]))
        if ahead is not None and ahead.n >= DECIDED_FROM and "images" in ahead.counted:
            found[row] = ahead.low, ahead.high
        else:
            found[row] = None
    return found


def emphasise(values: pd.Series, *, decimals: int = 2) -> pd.Series:
    """How each number of one column is set; `frame.apply(emphasise)` does a table.

    Values count as they are printed, so two that look the same are set the same: all that print
    the highest value are bold, all that print the next lower one underlined. NaN stays plain, and
    the only value of a column is bold.

    Args:
        values: numbers in which higher is better.
        decimals: how many of them are printed.

    Returns:
        "bold", "underline" or "" in the place of each number.
    """
    shown = values.map(lambda value: round(float(value), decimals))  # rounds as formatting does
    highest = sorted(shown.dropna().unique(), reverse=True)[:2]
    marks = dict(zip(highest, ("bold", "underline"), strict=False))
    return shown.map(lambda value: marks.get(value, ""))


def cannot_be_told_from_best(
    values: pd.Series, behind: Mapping[str, tuple[float, float] | None]
) -> pd.Series:
    """The honest rule: bold is the highest value and every one that it cannot be told from.

    A row is told from the best where the whole interval of (best - row) is above 0. Each interval
    is taken for itself: nothing is corrected for the number of rows, nor for the best being chosen
    after the fact. NaN stays plain, and nothing is underlined.

    Args:
        values: numbers in which higher is better, by row.
        behind: for each other row with a number the interval (low, high) of best minus row in
            percent points; None where seeds or images are too little known for one, so that
            nothing is told.

    Returns:
        "bold" or "" in the place of each number.

    Raises:
        ValueError: a row with a number has neither an interval nor None.
    """
    known = values.dropna()
    best = None if known.empty else known.idxmax()
    others = [row for row in known.index if row != best]
    lacking = [row for row in others if row not in behind]
    if lacking:
        raise ValueError(f"behind has nothing for {', '.join(lacking)}: give an interval or None")
    apart = {row for row in others if (interval := behind[row]) is not None and interval[0] > 0}
    bold = {best, *others} - apart
    return pd.Series(["bold" if row in bold else "" for row in values.index], values.index)
