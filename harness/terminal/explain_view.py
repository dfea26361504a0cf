"""What stands behind a row, as people read it. Goes to stdout."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.evidence import Fact
from harness.report.row_evidence import RowEvidence
from harness.terminal.words import table, title

WORDS = ("metric", "verdict")  # headings of columns of words


def show_evidence(
    name: str,
    caption: str,
    evidence: RowEvidence,
    files: Mapping[str, Sequence[Fact]],
    console: Console | None = None,
) -> None:
    """Print the evidence of one row.

    Args:
        name: of the row, with its table.
        caption: of the table.
        evidence: of the row.
        files: where each of its runs left what, by id.
        console: where to; stdout by default.
    """
    console = console or Console()
    for part in _parts(name, caption, evidence, files):
        console.print(part, highlight=False, markup=False)


def _parts(
    name: str, caption: str, evidence: RowEvidence, files: Mapping[str, Sequence[Fact]]
) -> Iterator[RenderableType]:
    yield title(name)
    yield Text(caption)
    yield ""
    yield _numbers(evidence.headings, evidence.by_seed, evidence.headings[:1])
    if evidence.differences:
        yield ""
        yield title(evidence.compared)
        yield _numbers(evidence.difference_headings, evidence.differences, WORDS)
        for because in evidence.because:
            yield Text(because, style="dim")
    for run_id, known in evidence.runs:
        yield ""
        yield title(f"run {run_id}")
        yield _facts([*known, *files[run_id]])


def _numbers(headings: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[str]) -> Table:
    view = table()
    for heading in headings:
        word = heading in words
        view.add_column(heading, justify="left" if word else "right", no_wrap=not word)
    for row in rows:
        # Six metrics with their errors are wider than a terminal.
        view.add_row(*(Text(text.replace(" ± ", "\n± ")) for text in row))
    return view


def _facts(facts: Sequence[Fact]) -> Table:
    view = table("", "")
    view.show_header = False
    for name, text in facts:
        view.add_row(Text(name, style="dim"), Text(text))
    return view
