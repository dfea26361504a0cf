"""The differences of a table as a matrix: each with its interval, drawn, and its verdict."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.report.difference_notes import notes
from harness.report.printed_differences import (
    HEADING_OF,
    INTERVAL,
    OURS,
    PUBLISHED,
    VERDICT,
    Differences,
    places,
)

# Of the drawing of an interval, in px.
WIDTH, HEIGHT = 104, 14
EDGE = 5  # so that marks at the ends are whole
SMALLEST_REACH = 0.1  # AP points: less is not blown up
SYMBOLS = {"reproduced": "✓", "contradicted": "✗", "undecided": "?", "not comparable": "–"}


@dataclass(frozen=True)
class Marks:
    """Where an interval, its middle, what is published and 0 stand, in px from the left."""

    low: float | None
    high: float | None
    ours: float | None
    published: float | None
    zero: float = WIDTH / 2


@dataclass(frozen=True)
class Difference:
    """One place of the matrix; texts are "" where there is nothing.

    `sized`: the published size does not fit, though its side does.
    """

    metric: str
    ours: str
    interval: str
    published: str
    verdict: str
    kind: str
    symbol: str
    sized: bool
    marks: Marks
    sort: str


@dataclass(frozen=True)
class Comparison:
    """One row of the matrix: what is compared, and the id of its evidence in the page."""

    name: str
    evidence: str
    places: Sequence[Difference]


@dataclass(frozen=True)
class DifferencesView:
    """The matrix as the page shows it; no rows where the table has no differences."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Comparison]
    notes: Sequence[str]


def differences_view(differences: Differences, ids: Mapping[str, str]) -> DifferencesView:
    """What the page shows of a table's differences.

    Args:
        differences: of one table.
        ids: of the evidence in the page, by row.
    """
    shown = differences.shown
    reach = {str(metric): _reach(lines) for metric, lines in shown.groupby("metric")}
    rows = [
        Comparison(name, ids[str(lines["row"].iloc[0])], _places(lines, reach))
        for name, lines in differences.blocks()
    ]
    headings = [HEADING_OF[metric] for metric in shown["metric"].unique()]
    below = notes(differences) if rows else []
    return DifferencesView(differences.compared, headings, rows, below)


def _places(lines: pd.DataFrame, reach: Mapping[str, float]) -> list[Difference]:
    text = places(lines)
    return [
        _place(line, places_of_line, reach[line["metric"]])
        for line, places_of_line in zip(
            lines.to_dict("records"), text.to_dict("records"), strict=True
        )
    ]


def _place(line: Mapping[Hashable, Any], text: Mapping[Hashable, Any], reach: float) -> Difference:
    return Difference(
        metric=HEADING_OF[line["metric"]],
        ours=text[OURS],
        interval=text[INTERVAL],
        published="" if math.isnan(line["published"]) else text[PUBLISHED],
        verdict=text[VERDICT] if line["verdict"] else "",
        kind=line["verdict"].replace(" ", "-"),
        symbol=SYMBOLS.get(line["verdict"], ""),
        sized=bool(line["size"]),
        marks=_marks(line, reach),
        sort="" if math.isnan(line["ours"]) else repr(line["ours"]),
    )


def _reach(lines: pd.DataFrame) -> float:
    """What half of the drawing spans: the same for one metric in all rows, so that they compare."""
    shown = lines[["low", "high", "ours", "published"]].to_numpy(dtype=float)
    return float(np.nanmax(np.abs(shown), initial=SMALLEST_REACH))


def _marks(line: Mapping[Hashable, Any], reach: float) -> Marks:
    def at(value: float) -> float | None:
        if math.isnan(value):
            return None
        return round(WIDTH / 2 + value / reach * (WIDTH / 2 - EDGE), 1)

    return Marks(at(line["low"]), at(line["high"]), at(line["ours"]), at(line["published"]))
