"""The tables of the report, place by place: what stands there, and whose evidence it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.notes import MISSING
from harness.report.page.content import TableSection
from harness.report.printed import Printed, printed
from harness.report.table import DIFFERENCE, LABEL, OURS, PUBLISHED, Table, is_number

READING = "Below ours: as printed in the paper, and ours minus that, in percent points."


@dataclass(frozen=True)
class Place:
    """Where a row and a column meet.

    Attributes:
        text: our number with its error, or the label.
        mark: "bold", "underline" or "".
        published, published_mark: as printed in the paper; "" where nothing is.
        difference: ours minus published; "".
        sort: by what its column is sorted; "" comes last.
        is_number: whether it is no label.
    """

    text: str
    mark: str
    published: str
    published_mark: str
    difference: str
    sort: str
    is_number: bool


@dataclass(frozen=True)
class Row:
    """One row: its name, the id of its evidence in the page, and what stands in it."""

    name: str
    evidence: str
    places: Sequence[Place]


@dataclass(frozen=True)
class TableView:
    """A table as the page shows it."""

    name: str
    caption: str
    headings: Sequence[tuple[str, bool]]  # and whether numbers are below
    rows: Sequence[Row]
    notes: Sequence[str]


def table_view(section: TableSection, ids: dict[str, str]) -> TableView:
    """What the page shows of a table.

    Args:
        section: the table.
        ids: of the evidence in the page, by row.
    """
    table = section.table
    content = printed(table)
    headings = table.layout.columns
    rows = [
        Row(row, ids[row], [_place(table, content, row, heading) for heading in headings])
        for row in content.text.index
    ]
    reading = [] if table.published.empty else [READING]
    return TableView(
        table.name,
        content.caption,
        [(heading, is_number(heading)) for heading in headings],
        rows,
        [*reading, *content.notes],
    )


def _place(table: Table, content: Printed, row: str, heading: str) -> Place:
    def text(source: str) -> str:
        column = (heading, source)
        return str(content.text.at[row, column]) if column in content.text.columns else ""

    def mark(source: str) -> str:
        column = (heading, source)
        return str(content.marks.at[row, column]) if column in content.marks.columns else ""

    if not is_number(heading):
        return Place(text(LABEL), mark(LABEL), "", "", "", text(LABEL), is_number=False)
    value = float(table.values((heading, OURS)).astype(float)[row])
    published, difference = text(PUBLISHED), text(DIFFERENCE)
    return Place(
        text(OURS),
        mark(OURS),
        published,
        mark(PUBLISHED),
        "" if difference == MISSING else difference,
        "" if math.isnan(value) else repr(value),
        is_number=True,
    )
