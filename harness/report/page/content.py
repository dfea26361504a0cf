"""What the report is made from. Whoever fills this in has read the runs; nothing here does."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from harness.report.claims_table import Claims
from harness.report.printed_differences import Differences
from harness.report.table import Table

RUN_COLUMNS = (
    *("name", "run_id", "stage", "state", "reason", "iteration", "last_iteration", "AP"),
    *("attempts", "gpu_hours", "gpu_hours_planned"),
)


@dataclass(frozen=True)
class TableSection:
    """One table of the report.

    Attributes:
        table: its numbers.
        differences: of its rows from their baselines; its frame is empty where there are none.
        evidence: of `harness.collect.evidence.evidence_frame`.
        latex, csv: the table as `harness table` prints it, to be copied.
        differences_latex, differences_csv: the same of its differences; "" where there are none.
    """

    table: Table
    differences: Differences
    evidence: pd.DataFrame
    latex: str
    csv: str
    differences_latex: str
    differences_csv: str


@dataclass(frozen=True)
class Curves:
    """The losses of one run.

    Attributes:
        losses: a column for each term, by iteration (`harness.collect.curves.training_curves`).
        first_iteration, last_iteration: between which it trains, counted from the base's first.
    """

    losses: pd.DataFrame
    first_iteration: int
    last_iteration: int


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG, and the same in words."""

    svg: bytes
    alt: str


@dataclass(frozen=True)
class Picture:
    """An image with the masks of two runs.

    Attributes:
        data: of an image file.
        media_type: of `data`: "image/png".
        width, height: in px.
        alt: what is seen, in words.
        lines: one for each object.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    alt: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class MaskPair:
    """The images in which two runs differ most; `missing` says why there are none, else ""."""

    title: str
    note: str
    pictures: tuple[Picture, ...]
    missing: str = ""


@dataclass(frozen=True)
class GridCost:
    """GPU-hours of a grid.

    Attributes:
        cells, runs: rows of tables with each seed, and the distinct trainings behind them.
        planned: of each distinct run once.
        used: for training, by all attempts, as far as is known.
        distinct_from_scratch: planned, if each distinct fine-tune had trained its base itself.
        from_scratch: planned, if each cell had trained alone.
        assumed: where the planned hours are from, a sentence for each source.
    """

    cells: int
    runs: int
    planned: float
    used: float
    distinct_from_scratch: float
    from_scratch: float
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """All of the report.

    Attributes:
        title: what it is of.
        scale_note: what the numbers were measured on, as a sentence.
        made_at: date and time in words.
        runs: a line for each run, with the columns `RUN_COLUMNS`.
        to_do: the command that trains what is not done; "" where all is.
        problems: what is wrong with the folders that it was made from, one sentence each.
        tables: by name; a text where a table cannot be shown, why.
        fig8: None where the grid has no Table I, or it cannot be shown.
        claims: the paper's, examined; None where the grid lacks one of its tables.
        curves: of each run by its name.
        curves_missing: what of them is not here and how to get it; "" where nothing is missing.
        masks: of pairs of runs.
        cost: in GPU-hours.
        refresh_s: after how many seconds a browser is to load the file again; None for never.
    """

    title: str
    scale_note: str
    made_at: str
    runs: pd.DataFrame
    to_do: str
    problems: tuple[str, ...]
    tables: Mapping[str, TableSection | str]
    fig8: Drawing | None
    claims: Claims | None
    curves: Mapping[str, Curves]
    curves_missing: str
    masks: tuple[MaskPair, ...]
    cost: GridCost
    refresh_s: int | None = None
