"""A table as GitHub's Markdown: beside each of our numbers, in brackets, published and difference.

Three columns for each metric, as in LaTeX and HTML, would be wider than a page of GitHub's.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from harness.report.printed import Printed
from harness.report.table import DIFFERENCE, LABEL, OURS, PUBLISHED, Table

# An underscore inside a word is no emphasis, so the names of splits stay as they are.
SPECIAL = re.compile(r"[\\|*<`]|(?<!\w)_|_(?!\w)")
MARKED = {"": "{}", "bold": "**{}**", "underline": "<u>{}</u>"}
NARROWEST = "--:"  # rule under a heading
READING = "Ours, and in brackets: published in the paper; ours minus published in percent points."


def to_markdown(table: Table, content: Printed) -> str:
    """Caption, table and notes."""
    labels = {heading for heading, source in table.columns if source == LABEL}
    headings = table.layout.columns
    rules = [":---" if heading in labels else "---:" for heading in headings]
    rows = [
        [_place(table, content, row, heading, heading in labels) for heading in headings]
        for row in content.text.index
    ]
    lines = [_line(cells) for cells in (map(escaped, headings), rules, *rows)]
    reading = () if table.published.empty else (READING,)
    notes = [f"- {escaped(note)}" for note in (*reading, *content.notes, table.runs)]
    return "\n".join([f"**{escaped(content.caption)}**", "", *lines, "", *notes, ""])


def _place(table: Table, content: Printed, row: str, heading: str, is_label: bool) -> str:
    def text(source: str) -> str:
        mark = str(content.marks.at[row, (heading, source)])
        return MARKED[mark].format(escaped(str(content.text.at[row, (heading, source)])))

    if is_label:
        return text(LABEL)
    if (heading, PUBLISHED) not in content.text.columns:
        return text(OURS)
    return f"{text(OURS)} ({text(PUBLISHED)}; {text(DIFFERENCE)})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def padded_table(
    headings: Sequence[str], rows: Iterable[Iterable[str]], left: Collection[str]
) -> list[str]:
    """The lines of a table whose columns stand below each other also where it is read as text.

    Args:
        headings: from left to right.
        rows: the text of each place.
        left: the headings of columns of words; the others are of numbers, and stand to the right.
    """
    lines = [[escaped(text) for text in line] for line in (headings, *rows)]
    columns = []
    for heading, column in zip(headings, zip(*lines, strict=True), strict=True):
        width = max(len(NARROWEST), *map(len, column))
        side = "<" if heading in left else ">"
        rule = f"{':':-{side}{width}}"
        first, *others = (f"{text:{side}{width}}" for text in column)
        columns.append([first, rule, *others])
    return [_line(line) for line in zip(*columns, strict=True)]


def escaped(text: str) -> str:
    """The text in one line, as Markdown shows it, whatever characters it has."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
