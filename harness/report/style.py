"""How every figure looks, and how it is written: the one style sheet."""

import io
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib
from matplotlib.figure import Figure

SUFFIXES = ("pdf", "png")
SINGLE_IN, DOUBLE_IN = 3.5, 7.16  # the paper's columns: one, and both

# Okabe and Ito's palette, which colour-blind readers can tell apart.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY_BLUE = "#CC79A7", "#E69F00", "#56B4E9"

PNG_DPI = 200
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "pdf.fonttype": 42,  # TrueType, as journals ask
}


def save(figure: Figure, path: Path | BinaryIO, suffix: str) -> None:
    """Write the figure as PDF or PNG; the same figure gives the same bytes.

    Args:
        figure: drawn with `STYLE`.
        path: where, a file's own suffix does not matter; or what to write into.
        suffix: one of `SUFFIXES`.
    """
    undated = {"pdf": {"CreationDate": None}, "png": {"Software": None}}[suffix]
    with matplotlib.rc_context(STYLE):
        figure.savefig(path, format=suffix, dpi=PNG_DPI, metadata=undated)


def svg(figure: Figure) -> bytes:
    """The figure as SVG, its letters as outlines; the same figure gives the same bytes."""
    drawn = io.BytesIO()
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "harness"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as the PNG that `save` writes, for a page or a notebook."""
    content = io.BytesIO()
    save(figure, content, "png")
    return content.getvalue()
