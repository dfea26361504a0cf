"""Tables I-III as the paper prints them, and beside ours what is published and the difference."""

import pandas as pd

from harness.errors import HarnessError, unknown
from harness.report.emphasis import Emphasis
from harness.report.html import to_html
from harness.report.latex import to_latex
from harness.report.markdown import to_markdown
from harness.report.other_code import rows_of_other_code
from harness.report.printed import printed
from harness.report.table import OURS, Table, flat_heading

SUFFIXES = {"md": "md", "latex": "tex", "csv": "csv", "html": "html"}
_TO_TEXT = {"md": to_markdown, "latex": to_latex, "html": to_html}
CSV_DECIMALS = 4


def render(table: Table, format: str, emphasis: Emphasis = Emphasis.PAPER) -> str:
    """The table in one of the formats `SUFFIXES`.

    Args:
        table: numbers and layout.
        format: "md", "latex", "csv" or "html".
        emphasis: by which rule numbers are marked; CSV has no marks.

    Raises:
        HarnessError: there is no such format.
    """
    if format not in SUFFIXES:
        raise HarnessError(unknown("format", format, SUFFIXES))
    if format == "csv":
        return to_csv(table)
    return _TO_TEXT[format](table, printed(table, emphasis))


def to_csv(table: Table) -> str:
    """A line of headings and one for each row; an empty place is a number that is not there.

    A column `code` says "other" of rows that were made with other code than most; it is left out
    where there are none.
    """
    frame = pd.DataFrame({flat_heading(column): table.values(column) for column in table.columns})
    for heading, source in table.columns:
        if source == OURS:
            frame[f"{heading} std_error"] = table.std_errors(heading)
    frame = frame.round(CSV_DECIMALS).assign(
        **{name: table.cells[name] for name in ("n", "seeds", "run_id", "missing")},
        scale=table.scale_note,
    )
    other = rows_of_other_code(table.cells)
    if other:
        frame["code"] = ["other" if row in other else "" for row in frame.index]
    return str(frame.replace(r"\s+", " ", regex=True).to_csv(lineterminator="\n"))
