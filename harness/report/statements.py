"""What a sentence of the paper says of numbers, in a form that can be tested."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.report.printed import signed
from harness.report.table import METRIC_OF

HEADING_OF = {metric: heading for heading, metric in METRIC_OF.items()}
ABOVE_0 = "above 0"


class Summary(StrEnum):
    """How some differences become the one number that a statement is about."""

    SMALLEST = "smallest"
    LARGEST = "largest"
    SPREAD = "spread"  # largest minus smallest
    INCREASES = "increases"  # how many are above 0


@dataclass(frozen=True)
class Difference:
    """One row minus another of the same table, in one metric (a name in METRICS)."""

    table: str
    row: str
    against: str
    metric: str


@dataclass(frozen=True)
class Statement:
    """The `summary` of `differences` is above `low` and below `high`.

    Attributes:
        about: what it is about, in words: "R101 AP50".
        differences: at least one; the summary of one is that one.
        summary: how they become one number.
        low, high: in hundredths of a point, or a number of differences where increases are counted;
            None where there is no bound on that side.
        claimed: the bounds in words: "0.16 to 0.22".
    """

    about: str
    differences: tuple[Difference, ...]
    summary: Summary
    low: float | None
    high: float | None
    claimed: str

    def in_words(self, value: float) -> str:
        """A number in the units of the bounds as people read it: "+0.02", "24 of 36"."""
        match self.summary:
            case Summary.INCREASES:
                return f"{value:.0f} of {len(self.differences)}"
            case Summary.SPREAD:
                return f"{value / 100:.2f}"
            case _:
                return signed(value / 100)


def gain(about: str, difference: Difference, claimed: str) -> Statement:
    """The statement that one difference is as claimed: see `bounds`."""
    return largest_gain(f"{about} {HEADING_OF[difference.metric]}", (difference,), claimed)


def largest_gain(about: str, differences: tuple[Difference, ...], claimed: str) -> Statement:
    """The statement that the largest of some differences is as claimed: see `bounds`."""
    return Statement(about, differences, Summary.LARGEST, *bounds(claimed), claimed)


def gains(
    about: str, table: str, row: str, against: str, claimed: Mapping[str, str]
) -> tuple[Statement, ...]:
    """One statement for each metric of which the gain of `row` over `against` is claimed."""
    return tuple(
        gain(about, Difference(table, row, against, metric), size)
        for metric, size in claimed.items()
    )


def bounds(claimed: str) -> tuple[float, float | None]:
    """In hundredths of a point, between which bounds a gain agrees to the digits that are printed.

    Args:
        claimed: "0.44", "0.16 to 0.22" or ABOVE_0. "0.44" is what lies between 0.435 and 0.445,
            "0.2" what lies between 0.15 and 0.25.
    """
    if claimed == ABOVE_0:
        return 0, None
    ends = claimed.split(" to ")
    slack = 0.5 if len(ends[0].partition(".")[2]) == 2 else 5
    low, high = (round(float(end) * 100) for end in (ends[0], ends[-1]))
    return low - slack, high + slack
