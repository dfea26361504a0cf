"""report.html: one file that tells all of a grid, from frames to a page."""

from harness.report.page.content import (
    Curves,
    Drawing,
    GridCost,
    MaskPair,
    Page,
    Picture,
    TableSection,
)
from harness.report.page.render import render_page

__all__ = [
    "Curves",
    "Drawing",
    "GridCost",
    "MaskPair",
    "Page",
    "Picture",
    "TableSection",
    "render_page",
]
