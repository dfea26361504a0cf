"""Figs 2-7 by name."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from harness.illustrate.binarization import fig2
from harness.illustrate.distance_image import fig4
from harness.illustrate.ksdt_steps import fig5, fig6
from harness.illustrate.responses import fig3


@dataclass(frozen=True)
class OfExamples:
    """A figure that shows examples of objects.

    Attributes:
        draw: takes up to `most` examples; with none it shows drawn shapes.
        most: that it has room for.
    """

    draw: Callable[..., Figure]
    most: int


OF_EXAMPLES = {
    "fig2": OfExamples(fig2, 4),
    "fig3": OfExamples(fig3, 4),
    "fig4": OfExamples(fig4, 1),
    "fig5": OfExamples(fig5, 1),
    "fig6": OfExamples(fig6, 1),
}
