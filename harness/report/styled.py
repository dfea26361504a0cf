"""What LaTeX and HTML share: a pandas Styler over a printed table."""

from collections.abc import Callable, Mapping

import pandas as pd
from pandas.io.formats.style import Styler

from harness.report.printed import Printed
from harness.report.table import DIFFERENCE, LABEL, OURS, PUBLISHED, Table

READING = "publ.: as printed in the paper; diff.: ours minus published, in percent points."
# The second line of headings, six times side by side.
SHORT = {LABEL: "", OURS: "ours", PUBLISHED: "publ.", DIFFERENCE: "diff."}


def styled(
    table: Table, content: Printed, escaped: Callable[[str], str], styles: Mapping[str, str]
) -> Styler:
    """A Styler that prints `content` with two lines of headings, one if nothing is published.

    Args:
        table: the numbers.
        content: their characters.
        escaped: makes any text safe in the format.
        styles: what "", "bold" and "underline" are in the format.
    """
    text, marks = content.text.map(escaped), content.marks.map(styles.__getitem__)
    headings = [(escaped(heading), SHORT[source]) for heading, source in table.columns]
    columns: pd.Index = pd.MultiIndex.from_tuples(headings)
    if table.published.empty:
        columns = columns.get_level_values(0)
    text.columns = marks.columns = columns
    return Styler(text, cell_ids=False).hide(axis="index").apply(lambda _: marks, axis=None)


def notes_below(table: Table, content: Printed) -> list[str]:
    """What stands under the table, how to read its headings first."""
    return content.notes if table.published.empty else [READING, *content.notes]
