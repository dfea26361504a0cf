"""A list of differences as Markdown, LaTeX, CSV and HTML."""

from collections.abc import Callable, Sequence
from html import escape

import pandas as pd
from pandas.io.formats.style import Styler

from harness.errors import HarnessError, unknown
from harness.report import latex
from harness.report.difference_notes import notes
from harness.report.html import ascii_only
from harness.report.markdown import escaped, padded_table
from harness.report.printed_differences import (
    METRIC,
    VERDICT,
    Differences,
    comparisons,
    places,
)
from harness.report.tables import CSV_DECIMALS, SUFFIXES

MOST_LINES = 36  # on a page of LaTeX's, with caption and notes: six comparisons in six metrics
# With the notes even they are a little higher than a page of small letters.
AT_MOST_A_PAGE = (
    r"\resizebox*{{!}}{{\ifdim\totalheight>.73\textheight .73\textheight\else\totalheight\fi}}{{%"
    "\n{}}}"
)
BELOW_THE_LAST = "How to read it: below the last part."
LOOK = {
    "": "border-collapse: collapse; font-variant-numeric: tabular-nums",
    "caption": "text-align: left; font-weight: bold; padding-bottom: 0.5em",
    "th, td": "text-align: right; padding: 0.2em 0.6em; white-space: nowrap",
    "tbody th": "text-align: left; vertical-align: top; font-weight: normal",
    "tbody th.level0": "border-top: 1px solid",
    "thead th": "border-bottom: 1px solid",
}


def render_differences(tables: Sequence[Differences], format: str) -> str:
    """The differences of some tables, one after the other, in one of the formats `SUFFIXES`.

    Args:
        tables: with at least one comparison each.
        format: "md", "latex", "csv" or "html"; CSV is one file, its first column the table's name.

    Raises:
        HarnessError: there is no such format.
    """
    if format not in SUFFIXES:
        raise HarnessError(unknown("format", format, SUFFIXES))
    if format == "csv":
        return _to_csv(tables)
    return "\n".join(map(_TO_TEXT[format], tables))


def _to_csv(tables: Sequence[Differences]) -> str:
    """A line of headings and one for each difference; an empty place is a number not there."""
    # The reason tells the size.
    frames = [one.frame.drop(columns="size").assign(scale=one.scale_note) for one in tables]
    frame = pd.concat(frames, keys=[one.name for one in tables], names=["table", None])
    frame = frame.reset_index("table").round(CSV_DECIMALS).replace(r"\s+", " ", regex=True)
    return str(frame.to_csv(index=False, lineterminator="\n"))


def _to_markdown(table: Differences) -> str:
    lines = [f"**{escaped(table.caption)}**", ""]
    for name, block in table.blocks():
        text = places(block)
        lines += [
            f"**{escaped(name)}**",
            "",
            *padded_table([*text.columns], text.to_numpy(), left=(METRIC, VERDICT)),
        ]
        lines.append("")
    below = (*notes(table), table.runs)
    return "\n".join([*lines, *(f"- {escaped(note)}" for note in below), ""])


def _to_latex(table: Differences) -> str:
    """Floats of a few comparisons each; the notes stand below the last."""
    blocks = [block for _, block in table.blocks()]
    size = max(1, MOST_LINES // len(blocks[0]))
    floats = [blocks[start : start + size] for start in range(0, len(blocks), size)]
    return "\n".join(
        _float(table, pd.concat(some), number, len(floats)) for number, some in enumerate(floats, 1)
    )


def _float(table: Differences, frame: pd.DataFrame, number: int, of: int) -> str:
    styler = _styler(frame, latex.escaped)
    columns = len(styler.columns)
    last = "l" if VERDICT in styler.columns else "r"
    tabular = styler.to_latex(
        column_format=f"ll{'r' * (columns - 1)}{last}",
        hrules=True,
        multirow_align="naive",
        clines="skip-last;data",
    )
    # Room between comparisons, as booktabs has it, in place of a line.
    tabular = tabular.replace(rf"\cline{{1-{columns + 2}}}", r"\addlinespace")
    tabular = tabular.replace("\\addlinespace\n\\bottomrule", r"\bottomrule")
    below = notes(table) if number == of else [BELOW_THE_LAST]
    return latex.FLOAT.format(
        runs=" ".join(table.runs.split()),  # in a comment, which the end of a line would end
        caption=latex.escaped(table.caption + (f" ({number} of {of})" if of > 1 else "")),
        name=f"{table.name}_differences{'' if number == 1 else f'_{number}'}",
        tabular=AT_MOST_A_PAGE.format(tabular),
        notes=r" \\ ".join(map(latex.escaped, below)),
    )


def _to_html(table: Differences) -> str:
    styler = _styler(table.shown, escape).set_caption(escape(table.caption))
    styler.set_table_styles([{"selector": where, "props": look} for where, look in LOOK.items()])
    below = (*notes(table), table.runs)
    items = "".join(f"<li>{escape(note)}</li>\n" for note in below)
    html = styler.to_html(table_uuid=f"{table.name}_differences")
    return ascii_only(f"{html}<ul>\n{items}</ul>\n")


def _styler(frame: pd.DataFrame, safe: Callable[[str], str]) -> Styler:
    """Comparison and metric on the left, the comparison once for all of its metrics."""
    text = places(frame).map(safe)
    text.columns = text.columns.map(safe)
    names = comparisons(frame).map(safe)
    text.index = pd.MultiIndex.from_arrays([names, text.pop(METRIC)], names=[None, None])
    return Styler(text, cell_ids=False)


_TO_TEXT = {"md": _to_markdown, "latex": _to_latex, "html": _to_html}
