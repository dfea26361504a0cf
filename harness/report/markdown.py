"""A table as GitHub's Markdown: beside each of our numbers, in brackets, published and difference.

Three columns for each metric, as in LaTeX and HTML, would be wider than a page of GitHub's.
"""

import re
from collections.abc import Iterable

from harness.report.printed import Printed
from harness.report.table import DIFFERENCE, LABEL, OURS, PUBLISHED, Table

# An underscore inside a word is no emphasis, so the names of splits stay as they are.
SPECIAL = re.compile(r"[\\|*<`]|(?<!\w)_|_(?!\w)")
MARKED = {"": "{}", "bold": "**{}**", "underline": "<u>{}</u>"}
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
    lines = [_line(cells) for cells in (map(_escaped, headings), rules, *rows)]
    reading = () if table.published.empty else (READING,)
    notes = [f"- {_escaped(note)}" for note in (*reading, *content.notes, table.runs)]
    return "\n".join([f"**{_escaped(content.caption)}**", "", *lines, "", *notes, ""])


def _place(table: Table, content: Printed, row: str, heading: str, is_label: bool) -> str:
    def text(source: str) -> str:
        mark = str(content.marks.at[row, (heading, source)])
        return MARKED[mark].format(_escaped(str(content.text.at[row, (heading, source)])))

    if is_label:
        return text(LABEL)
    if (heading, PUBLISHED) not in content.text.columns:
        return text(OURS)
    return f"{text(OURS)} ({text(PUBLISHED)}; {text(DIFFERENCE)})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
