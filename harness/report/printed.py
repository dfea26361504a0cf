"""From numbers to print: what stands in each place of a table, before any format is chosen."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from harness.grid import Layout
from harness.grid.grid import METRIC_COLUMNS
from harness.records import METRICS
from harness.report.emphasis import emphasise
from harness.report.other_code import MARK, code_notes, rows_of_other_code
from harness.report.published import as_printed

MISSING = "—"
NO_GROUND_TRUTH = "n/a"
LABEL, OURS, PUBLISHED, DIFFERENCE = "", "ours", "published", "difference"
METRIC_OF = dict(zip(METRIC_COLUMNS, METRICS, strict=True))

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
    """

    name: str
    cells: pd.DataFrame
    published: pd.DataFrame
    layout: Layout
    scale_note: str

    @property
    def caption(self) -> str:
        return f"{self.layout.caption} {self.scale_note}"

    @property
    def runs(self) -> str:
        """The evidence, as a sentence."""
        return f"Runs from the top row down: {', '.join(self.cells['run_id'])}."

    @property
    def columns(self) -> list[Column]:
        """From left to right; each metric has three columns, one where nothing is published."""
        sources = (OURS,) if self.published.empty else (OURS, PUBLISHED, DIFFERENCE)
        return [
            (heading, source)
            for heading in self.layout.columns
            for source in (sources if heading in METRIC_OF else (LABEL,))
        ]

    def values(self, column: Column) -> pd.Series:
        """The labels or numbers of a column, NaN where there is no number."""
        heading, source = column
        if source == LABEL:
            return self.cells[heading]
        ours = self.cells[METRIC_OF[heading]]
        if source == OURS:
            return ours
        published = self.published[METRIC_OF[heading]].reindex(ours.index).astype(float)
        return published if source == PUBLISHED else ours - published


@dataclass(frozen=True)
class Printed:
    """A table in characters; both frames have the table's rows and columns.

    Attributes:
        text: what stands in each place.
        marks: "bold", "underline" or "".
        notes: what stands under the table, one sentence each.
    """

    text: pd.DataFrame
    marks: pd.DataFrame
    notes: list[str]


def printed(table: Table, *, emphasis: bool = False) -> Printed:
    """The characters of `table`.

    Args:
        table: the numbers.
        emphasis: mark the best and the second best also where the paper does not.
    """
    text = pd.DataFrame({column: _text(table, column) for column in table.columns})
    marked = rows_of_other_code(table.cells)
    first = table.columns[0]
    text[first] = text[first].where(~text.index.isin(marked), text[first] + f" {MARK}")
    marks = pd.DataFrame("", index=text.index, columns=text.columns)
    if emphasis or table.layout.emphasis:
        for column in table.columns:
            if column[1] in (OURS, PUBLISHED):
                marks[column] = emphasise(table.values(column))
    return Printed(text, marks, list(_notes(table, emphasis)))


def flat_heading(column: Column) -> str:
    """A column's heading where there is one line for it: "mAP", "mAP published"."""
    heading, source = column
    return heading if source in (LABEL, OURS) else f"{heading} {source}"


def signed(value: float) -> str:
    """A difference with its sign, two decimals and a real minus: "+0.26", "−0.03", "0.00"."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def _text(table: Table, column: Column) -> pd.Series:
    heading, source = column
    values = table.values(column)
    there = values.notna()
    if source == LABEL:
        return values.map(str)
    if source == PUBLISHED:
        characters = as_printed(table.published)[METRIC_OF[heading]]
        return characters.reindex(values.index).fillna(MISSING)
    if source == DIFFERENCE:
        return values.map(signed).where(there, MISSING)
    absent = table.cells["missing"].map(lambda reason: MISSING if reason else NO_GROUND_TRUTH)
    return values.map("{:.2f}".format).where(there, absent)


def _notes(table: Table, emphasis: bool) -> Iterator[str]:
    if table.layout.note:
        yield f"The paper's note: {table.layout.note}"
    if emphasis and not table.layout.emphasis:
        yield "Bold: the highest value in its column; underlined: the second highest."
    missing = table.cells["missing"]
    known = missing.index if table.published.empty else table.published.index
    new = [row for row in missing.index if row not in known]
    if new:
        yield f"Not in the paper: {', '.join(new)}."
    for reason in missing[missing != ""].unique():
        yield f"{MISSING} in {', '.join(missing.index[missing == reason])}: {reason}."
    if table.cells.loc[missing == "", list(METRICS)].isna().any(axis=None):
        yield f"{NO_GROUND_TRUTH}: the test split has no object of that size."
    evaluators = table.cells.loc[missing == "", "evaluator"]
    if evaluators.nunique() > 1:
        rows = [
            f"{evaluator} ({', '.join(evaluators.index[evaluators == evaluator])})"
            for evaluator in evaluators.unique()
        ]
        yield f"Scored by more than one version: {', '.join(rows)}."
    yield from code_notes(table.cells)
