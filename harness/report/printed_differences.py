"""What stands in each place of a list of differences, before any format is chosen.

One block for each comparison, its metrics from top to bottom. As a matrix with a column for each
metric every place would hold a difference, its interval, what is published and a verdict: six of
those are wider than a page, and the two parts of the error would have no room.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.grid import Cell, Layout
from harness.report.differences import differences_frame
from harness.report.notes import MISSING, NO_GROUND_TRUTH
from harness.report.other_code import rows_of_other_code
from harness.report.printed import signed
from harness.report.table import CONTOUR_METRIC_OF, METRIC_OF, Table

METRIC, OURS, INTERVAL, SEEDS, IMAGES = "metric", "ours", "95% interval", "± seeds", "± images"
COUNT, PUBLISHED, VERDICT = "n", "published", "verdict"
# The metrics that people are shown; for the others, by boundaries, only CSV has room.
HEADING_OF = {metric: heading for heading, metric in (METRIC_OF | CONTOUR_METRIC_OF).items()}


@dataclass(frozen=True)
class Differences:
    """The differences of one table.

    Attributes:
        name: the experiment's NAME.
        frame: of `harness.report.differences.differences_frame`.
        layout: of the table.
        scale_note: what ours was measured on, as a sentence.
        compared: what is subtracted from what, as a sentence.
    """

    name: str
    frame: pd.DataFrame
    layout: Layout
    scale_note: str
    compared: str = "Each row minus its baseline."

    @property
    def caption(self) -> str:
        return " ".join(filter(None, (self.layout.caption, self.compared, self.scale_note)))

    @property
    def runs(self) -> str:
        """The evidence, as a sentence."""
        by_seeds: dict[str, list[str]] = {}
        for name, lines in self.blocks():
            # A metric that older runs lack has fewer seeds: those with most have all.
            most = lines.nlargest(1, "n").iloc[0]
            if most["n"]:
                by_seeds.setdefault(most["seeds"], []).append(f"{name} {most['runs']}")
        told = [f"seeds {seeds}: {'; '.join(runs)}" for seeds, runs in by_seeds.items()]
        return f"Runs, method-baseline, {'. '.join(told) or 'none yet'}."

    @property
    def published(self) -> bool:
        """Whether one of them is published."""
        return bool(self.frame["published"].notna().any())

    @property
    def has_runs(self) -> bool:
        """Whether one of them has runs on both sides."""
        return bool((self.frame["n"] > 0).any())

    @property
    def shown(self) -> pd.DataFrame:
        """The lines that people read: of the metrics in HEADING_OF."""
        return self.frame[self.frame["metric"].isin(HEADING_OF)]

    def blocks(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """(comparison, its lines that people read) from the top row down."""
        names = comparisons(self.shown)
        for name in names.unique().tolist():
            yield name, self.shown[names == name]


def differences_of(table: Table, rows: Sequence[Cell]) -> Differences:
    """The differences of `table`, whose rows are `rows`; its frame is empty where none has one."""
    other_code = rows_of_other_code(table.cells)
    frame = differences_frame(rows, table.scores, table.published, other_code)
    return Differences(table.name, frame, table.layout, table.scale_note)


def comparisons(frame: pd.DataFrame) -> pd.Series:
    """What each line compares: "k=2 − baseline"."""
    return frame["row"].astype(str) + " − " + frame["baseline"].astype(str)


def verdicts(frame: pd.DataFrame) -> list[str]:
    """Of each line, as people read it: "reproduced (smaller)"."""
    return [
        sized(verdict or MISSING, size)
        for verdict, size in zip(frame["verdict"], frame["size"], strict=True)
    ]


def sized(verdict: str, size: str) -> str:
    """A verdict with where the published size does not fit; "" is nowhere."""
    return f"{verdict} ({size})" if size else verdict


def places(frame: pd.DataFrame) -> pd.DataFrame:
    """The characters of each line; without what is published where nothing is."""
    columns = {
        METRIC: [HEADING_OF[metric] for metric in frame["metric"]],
        OURS: [_ours(value, n) for value, n in zip(frame["ours"], frame["n"], strict=True)],
        INTERVAL: [_interval(*ends) for ends in zip(frame["low"], frame["high"], strict=True)],
        SEEDS: [_error(value) for value in frame["seeds_error"]],
        IMAGES: [_error(value) for value in frame["images_error"]],
        COUNT: [str(n) for n in frame["n"]],
        PUBLISHED: [_difference(value) for value in frame["published"]],
        VERDICT: verdicts(frame),
    }
    if frame["published"].isna().all():
        del columns[PUBLISHED]
        if not frame["verdict"].any():
            del columns[VERDICT]
    return pd.DataFrame(columns, index=frame.index)


def _ours(value: float, n: int) -> str:
    return NO_GROUND_TRUTH if math.isnan(value) and n else _difference(value)


def _difference(value: float) -> str:
    return MISSING if math.isnan(value) else signed(value)


def _error(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.2f}"


def _interval(low: float, high: float) -> str:
    return MISSING if math.isnan(low) else f"[{_bound(low)}, {_bound(high)}]"


def _bound(value: float) -> str:
    """With a third decimal where two would not show on which side of 0 it is."""
    near = 0 < abs(value) < 0.005
    return f"{value:+.3f}".replace("-", "−") if near else signed(value)
