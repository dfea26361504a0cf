"""From numbers to print: what stands in each place of a table, before any format is chosen."""

from dataclasses import dataclass

import pandas as pd

from harness.report.emphasis import Emphasis, marks_of
from harness.report.notes import MISSING, NO_GROUND_TRUTH, notes
from harness.report.other_code import MARK, rows_of_other_code
from harness.report.published import as_printed
from harness.report.table import (
    DIFFERENCE,
    LABEL,
    METRIC_OF,
    OURS,
    PUBLISHED,
    Column,
    Table,
    metric_of,
)


@dataclass(frozen=True)
class Printed:
    """A table in characters; both frames have the table's rows and columns.

    Attributes:
        text: what stands in each place.
        marks: "bold", "underline" or "".
        caption: what it is, what it was measured on, and how bold is meant where not as usual.
        notes: what stands under the table, one sentence each.
    """

    text: pd.DataFrame
    marks: pd.DataFrame
    caption: str
    notes: list[str]


def printed(table: Table, emphasis: Emphasis = Emphasis.PAPER) -> Printed:
    """The characters of `table`.

    Args:
        table: the numbers.
        emphasis: by which rule numbers are marked.
    """
    text = pd.DataFrame({column: _text(table, column) for column in table.columns})
    marked = rows_of_other_code(table.cells)
    first = table.columns[0]
    text[first] = text[first].where(~text.index.isin(marked), text[first] + f" {MARK}")
    marks = pd.DataFrame("", index=text.index, columns=text.columns)
    for column in table.columns:
        if column[1] in (OURS, PUBLISHED):
            marks[column] = marks_of(table, column, emphasis)
    caption = " ".join(filter(None, (table.caption, emphasis.meaning)))
    return Printed(text, marks, caption, list(notes(table, emphasis)))


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
    errors = table.std_errors(heading)
    ours = values.map("{:.2f}".format)
    ours = ours.where(errors.isna(), ours + errors.map(" ± {:.2f}".format))
    fewer = [_of_fewer_seeds(table, row, metric_of(heading)) for row in table.cells.index]
    ours = ours + pd.Series(fewer, values.index)
    scored = [_is_scored(table, row, metric_of(heading)) for row in table.cells.index]
    absent = pd.Series([NO_GROUND_TRUTH if there else MISSING for there in scored], values.index)
    return ours.where(there, absent)


def _of_fewer_seeds(table: Table, row: str, metric: str) -> str:
    """How many seeds have the metric, where that is not as many as the row has."""
    scores = table.scores.get(row, {}).values()
    n = sum(metric in score.values for score in scores)
    return f" (n = {n})" if 0 < n < len(scores) else ""


def _is_scored(table: Table, row: str, metric: str) -> bool:
    """Whether a row has runs that say of the metric at least that it has no ground truth."""
    if metric in METRIC_OF.values():
        return not table.cells.at[row, "missing"]
    return any(metric in score.values for score in table.scores.get(row, {}).values())
