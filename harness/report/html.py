"""A table as a piece of HTML that needs nothing from elsewhere."""

from collections.abc import Iterator
from html import escape

from harness.report.printed import Printed
from harness.report.styled import notes_below, styled
from harness.report.table import LABEL, OURS, Table

STYLES = {"": "", "bold": "font-weight: bold", "underline": "text-decoration: underline"}


def to_html(table: Table, content: Printed) -> str:
    """A `<table>` with its caption and a style of its own, and the notes below it."""
    styler = styled(table, content, escape, STYLES).set_caption(escape(content.caption))
    styler.set_table_styles(
        [{"selector": selector, "props": props} for selector, props in _look(table)]
    )
    notes = "".join(
        f"<li>{escape(note)}</li>\n" for note in (*notes_below(table, content), table.runs)
    )
    return ascii_only(f"{styler.to_html(table_uuid=table.name)}<ul>\n{notes}</ul>\n")


def ascii_only(html: str) -> str:
    """The same page in ASCII: a piece of one cannot name its encoding, and reads so in any."""
    return html.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _look(table: Table) -> Iterator[tuple[str, str]]:
    yield "", "border-collapse: collapse; font-variant-numeric: tabular-nums"
    yield "caption", "text-align: left; font-weight: bold; padding-bottom: 0.5em"
    yield "th, td", "text-align: right; padding: 0.2em 0.4em; white-space: nowrap"
    yield "thead tr:first-child th", "text-align: center"
    yield "thead tr:last-child th", "border-bottom: 1px solid"
    for number, (_, source) in enumerate(table.columns):
        if source == LABEL:
            yield f".col{number}", "text-align: left"
        if source == OURS:
            yield f"td.col{number}, th.level1.col{number}", "padding-left: 1.2em"
