r"""A table as LaTeX, for a document that loads booktabs, amssymb and graphicx."""

from collections.abc import Iterator

from harness.report.printed import Printed
from harness.report.styled import notes_below, styled
from harness.report.table import DIFFERENCE, LABEL, OURS, PUBLISHED, Table

FLOAT = r"""% Needs \usepackage{{booktabs,amssymb,graphicx}}. {runs}
\begin{{table*}}
\centering
\caption{{{caption}}}
\label{{tab:{name}}}
\setlength{{\tabcolsep}}{{3pt}}
% As wide as the text where it would be wider.
\resizebox{{\ifdim\width>\linewidth\linewidth\else\width\fi}}{{!}}{{%
{tabular}}}

\smallskip
\parbox{{\linewidth}}{{\footnotesize {notes}}}
\end{{table*}}
"""
# What LaTeX would read as a command, and what its fonts lack.
CHARACTERS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "[": "{[}",  # after a line's end it would open an option,
        "*": "{*}",  # and a star would be one
        "×": r"$\times$",
        "✓": r"$\checkmark$",
        "√": r"$\surd$",
        "²": "$^2$",
        "†": r"\dag{}",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "—": "---",
        "\n": " ",
    }
)
ALIGNED = {LABEL: "l", OURS: r"@{\hskip 9pt}r", PUBLISHED: "r", DIFFERENCE: "r"}
# Styler wraps what stands in a place in these commands.
STYLES = {"": "", "bold": "textbf:--rwrap;", "underline": "underline:--rwrap;"}


def to_latex(table: Table, content: Printed) -> str:
    """A floating `table*` with caption, the label `tab:<name>`, rules and notes."""
    tabular = styled(table, content, escaped, STYLES).to_latex(
        column_format="".join(ALIGNED[source] for _, source in table.columns),
        hrules=True,
        multicol_align="c",
    )
    rules = " ".join(_rules_under_metrics(table))
    if rules:
        tabular = tabular.replace("\\\\\n", f"\\\\\n{rules}\n", 1)
    return FLOAT.format(
        runs=table.runs,
        caption=escaped(content.caption),
        name=table.name,
        tabular=tabular,
        notes=r" \\ ".join(map(escaped, notes_below(table, content))),
    )


def escaped(text: str) -> str:
    """The text as LaTeX prints it, whatever characters it has."""
    return text.translate(CHARACTERS)


def _rules_under_metrics(table: Table) -> Iterator[str]:
    """Styler has no rule under a heading of several columns."""
    for number, (_, source) in enumerate(table.columns, start=1):
        if source == PUBLISHED:  # the middle one of three
            yield rf"\cmidrule(lr){{{number - 1}-{number + 1}}}"
