"""What a table is made from: numbers, layout and the headings of its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from harness.grid import Layout
from harness.grid.grid import CONTOUR_COLUMNS, METRIC_COLUMNS
from harness.records import BY_BOUNDARY, METRICS, STD_ERROR
from harness.statistics.scores import Scores

LABEL, OURS, PUBLISHED, DIFFERENCE = "", "ours", "published", "difference"
METRIC_OF = dict(zip(METRIC_COLUMNS, METRICS, strict=True))
# Not in the paper.
CONTOUR_METRIC_OF = dict(zip(CONTOUR_COLUMNS, ("AP80", "AP90", BY_BOUNDARY + "AP"), strict=True))

Column = tuple[str, str]  # heading, and LABEL, OURS, PUBLISHED or DIFFERENCE


@dataclass(frozen=True)
class Table:
    """What a table is made from.

    Attributes:
        name: the experiment's NAME.
        cells: from `harness.collect.cells_frame`.
        published: the paper's numbers by row; empty for a table that is not in the paper.
        layout: how it is printed.
        scale_note: what our numbers were measured on, as a sentence.
        scores: from `harness.collect.row_scores`, for what can be said of differences.
    """

    name: str
    cells: pd.DataFrame
    published: pd.DataFrame
    layout: Layout
    scale_note: str
    scores: Mapping[str, Scores] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        return f"{self.layout.caption} {self.scale_note}"

    @property
    def runs(self) -> str:
        """The evidence, as a sentence."""
        return f"Runs from the top row down: {', '.join(self.cells['run_id'])}."

    @property
    def columns(self) -> list[Column]:
        """From left to right; a metric that is published has three columns, another has one."""
        headings = self.layout.columns
        return [(heading, source) for heading in headings for source in self._sources(heading)]

    def _sources(self, heading: str) -> tuple[str, ...]:
        if heading in METRIC_OF and not self.published.empty:
            return (OURS, PUBLISHED, DIFFERENCE)
        return (OURS,) if is_number(heading) else (LABEL,)

    def values(self, column: Column) -> pd.Series:
        """The labels or numbers of a column, NaN where there is no number."""
        heading, source = column
        if source == LABEL:
            return self.cells[heading]
        ours = self._of_ours(metric_of(heading))
        if source == OURS:
            return ours
        published = self.published[metric_of(heading)].reindex(ours.index).astype(float)
        return published if source == PUBLISHED else ours - published

    def std_errors(self, heading: str) -> pd.Series:
        """Of our means in the column `heading`; NaN of one seed."""
        return self._of_ours(metric_of(heading) + STD_ERROR)

    def _of_ours(self, column: str) -> pd.Series:
        empty = pd.Series(float("nan"), self.cells.index)
        return self.cells.get(column, empty).astype(float)


def metric_of(heading: str) -> str:
    """The metric of a heading, as frames and scores name it."""
    return (METRIC_OF | CONTOUR_METRIC_OF)[heading]


def is_number(heading: str) -> bool:
    """Whether a column of this heading holds numbers."""
    return heading in METRIC_OF or heading in CONTOUR_METRIC_OF


def flat_heading(column: Column) -> str:
    """A column's heading where there is one line for it: "mAP", "mAP published"."""
    heading, source = column
    return heading if source in (LABEL, OURS) else f"{heading} {source}"
