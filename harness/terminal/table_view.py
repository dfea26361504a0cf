"""A table as people read it in a terminal: under each of our numbers the published one."""

from rich.console import Console
from rich.text import Text

from harness.report.printed import Printed, printed
from harness.report.table import LABEL, OURS, PUBLISHED, Column, Table, is_number
from harness.terminal.words import table as empty_table
from harness.terminal.words import title

STYLES = {"": "", "bold": "bold", "underline": "underline"}


def show_table(table: Table, console: Console | None = None) -> None:
    """Print the table, its caption and its notes.

    Args:
        table: from `harness.rebuild.read_table`.
        console: where to; stdout by default.
    """
    console = console or Console()
    content = printed(table)
    view = empty_table()
    for heading in table.layout.columns:
        number = is_number(heading)
        view.add_column(heading, justify="right" if number else "left", no_wrap=number)
    for row in content.text.index:
        view.add_row(*(_place(content, row, heading) for heading in table.layout.columns))
    console.print(title(content.caption))
    console.print(view)
    if not table.published.empty:
        console.print(Text(_reading(table), style="dim"))
    for note in content.notes:
        console.print(Text(note, style="dim"))
    console.print()


def _reading(table: Table) -> str:
    if table.cells["n"].max() > 1:
        return "From the top: ours, its standard error over seeds, published."
    return "First line ours, second line published."


def _place(content: Printed, row: str, heading: str) -> Text:
    if not is_number(heading):
        return Text(_text(content, row, (heading, LABEL)))
    mark = str(content.marks.at[row, (heading, OURS)])
    # A standard error has a line of its own: beside the means six metrics would not fit.
    ours = Text(_text(content, row, (heading, OURS)).replace(" ±", "\n±"), style=STYLES[mark])
    if (heading, PUBLISHED) not in content.text.columns:
        return ours
    published = Text(_text(content, row, (heading, PUBLISHED)), style="dim")
    return Text("\n").join([ours, published])


def _text(content: Printed, row: str, column: Column) -> str:
    return str(content.text.at[row, column])
