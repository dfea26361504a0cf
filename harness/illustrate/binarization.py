"""Fig. 2: the curve of the soft binarization, and what it makes of mask responses (eqs 1-2)."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.illustrate.examples import STAND_INS, Example, drawn_examples
from harness.illustrate.panels import SMALL, add_scale, finish, show
from harness.illustrate.transforms import binarized
from harness.report.style import BLUE, SINGLE_IN, STYLE

HEIGHT_IN = 2.0
SHOWN = 3


def fig2(*examples: Example) -> Figure:
    """(a) B with slope 20 and threshold 0.5; (b) responses above, their binarized images below.

    Args:
        examples: objects, at most four are readable; drawn shapes by default.
    """
    shown = examples or drawn_examples()[:SHOWN]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(SINGLE_IN, HEIGHT_IN), layout="constrained")
        curve = 1.3 + max(0, SHOWN - len(shown))  # fewer panels are no larger, it is wider
        cells = figure.add_gridspec(2, 1 + len(shown), width_ratios=(curve, *[1] * len(shown)))
        _draw_curve(figure.add_subplot(cells[:, 0]))
        grid = np.array(
            [[figure.add_subplot(cells[row, 1 + n]) for n in range(len(shown))] for row in (0, 1)]
        )
        for column, example in enumerate(shown):
            response = example.response
            image = show(grid[0, column], response, 0, 1)
            show(grid[1, column], binarized(response), 0, 1)
        grid[0, 0].set_title("(b)", loc="left", pad=3)
        for axes, name in zip(grid[:, 0], ("$M_R$", "$B(M_R)$"), strict=True):
            axes.set_ylabel(name, labelpad=2)
        add_scale(figure, image, grid, "", ticks=[0, 0.5, 1], aspect=30, pad=0.03)
        of = ", ".join(example.name for example in shown)
        finish(
            figure,
            f"(a) B of eq 1. (b) Mask responses and their binarized images: {of}. {STAND_INS}",
        )
    return figure


def _draw_curve(axes: Axes) -> None:
    x = np.linspace(0, 1, 201)
    axes.plot(x, binarized(x), color=BLUE)
    axes.plot([0.5], [0.5], "o", color="0.2")
    axes.annotate("T = 0.5,\nslope\nγ/4 = 5", (0.5, 0.5), (0.57, 0.5), va="top", fontsize=SMALL)
    axes.set(xlim=(0, 1), ylim=(-0.03, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_title("(a)", loc="left", pad=3)
    axes.set_xlabel("$x$", labelpad=0)
    axes.set_ylabel("$B(x)$", labelpad=0)
