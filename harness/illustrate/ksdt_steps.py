"""Figs 5 and 6: the steps of kSDT on one mask, and the two halves of a dilation (III-B)."""

import math
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from harness.grid.losses import VARIANTS
from harness.illustrate.examples import Example, drawn_examples
from harness.illustrate.panels import (
    DISTANCE_COLOURS,
    GREY,
    SMALL,
    add_scale,
    add_scale_within,
    arrow,
    finish,
    show,
)
from harness.illustrate.rois import Image
from harness.illustrate.transforms import (
    Steps,
    empty_steps,
    one_step_dilation,
    steps,
)
from harness.report.style import DOUBLE_IN, SINGLE_IN, STYLE

FIG5_HEIGHT_IN = 6.2
FIG6_HEIGHT_IN = 2.6
ARROW = 0.45  # of the width of a panel
K = 2  # the paper's choice (IV-C)
BAR: dict[str, Any] = {"aspect": 25, "pad": 0.03, "fraction": 0.05}


def fig5(example: Example | None = None, k: int = K) -> Figure:
    """The flow chart of kSDT with its images, (a) in variant paper and (b) in sound.

    Args:
        example: the object; a drawn shape by default.
        k: number of dilations, at least 1; up to 3 are readable.

    Raises:
        ValueError: `k` is below 1.
    """
    shown = example or drawn_examples()[0]
    flows = {variant: steps(shown.mask, k, variant) for variant in VARIANTS}
    low = min(0, *(math.floor(flow.distance.min()) for flow in flows.values()))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(DOUBLE_IN, FIG5_HEIGHT_IN), layout="constrained")
        parts = figure.subfigures(len(flows), 1, squeeze=False)[:, 0]
        for part, letter, (variant, flow) in zip(parts, "ab", flows.items(), strict=True):
            _draw_flow(part, flow, empty_steps(k, variant), low, k)
            part.suptitle(
                f"({letter}) variant {variant}", x=0.01, ha="left", fontsize=7, weight="bold"
            )
        finish(
            figure,
            f"Object: {shown.name}; k = {k}, and I₀ is the contour response of its mask. Under "
            "each image: what it reads far from any contour and from the frame. D: 3×3 mean, then "
            "B with slope 20 and threshold 0.1; in sound stretched so that D(0) = 0 and D(1) = 1, "
            "and I₀ is cut at 1. In variant paper D(0) is not 0, so the background fills by itself "
            "and the last image stops short of k + 1; on contours it falls below 0. Both variants "
            "share their scales.",
        )
    return figure


def fig6(example: Example | None = None) -> Figure:
    """One dilation: the contour response, its 3x3 mean, and B of that; both variants.

    Args:
        example: the object; a drawn shape by default.
    """
    shown = example or drawn_examples()[0]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(SINGLE_IN, FIG6_HEIGHT_IN), layout="constrained")
        grid = figure.subplots(2, 5, width_ratios=(1, ARROW, 1, ARROW, 1))
        for row, variant in zip(grid, VARIANTS, strict=True):
            dilation = one_step_dilation(shown.mask, variant)
            images = (dilation.mask, dilation.smoothed, dilation.dilated)
            first, second = empty_steps(1, variant)[0]  # the mean leaves a background as it is
            for axes, image, far in zip(row[::2], images, (first, first, second), strict=True):
                bar_of = _draw(axes, image, 1, GREY, far)
            arrow(row[1], "3×3\nmean")
            arrow(row[3], "B" if variant == "paper" else "B,\nrebased")
            row[0].set_ylabel(f"variant {variant}", labelpad=3)
        for axes, name in zip(grid[0, ::2], ("$I_0$", "smooth", "$I_1$"), strict=True):
            axes.set_title(name, pad=3)
        add_scale(figure, bar_of, grid, "", extend="max", ticks=[0, 0.5, 1], **BAR)
        finish(
            figure,
            f"One-step dilation (eqs 9, 12) of {shown.name}: the contour response I₀, its 3×3 "
            "mean, and B of that with slope 20 and threshold 0.1. Sound: I₀ is cut at 1, and B is "
            "stretched to map 0 to 0 and 1 to 1. Under each image: what it reads far from any "
            "contour. White is 1 and more.",
        )
    return figure


def _draw_flow(
    part: SubFigure, flow: Steps, far: tuple[list[float], list[float], float], low: int, k: int
) -> None:
    widths = (*[1, ARROW] * (k + 1), 1)
    grid = part.subplots(3, len(widths), width_ratios=widths, height_ratios=(1, 0.3, 1))
    of_masks, of_sums, of_distance = far
    columns = range(0, 2 * k + 1, 2)
    for index, column in enumerate(columns):
        mask = _draw(grid[0, column], flow.masks[index], 1, GREY, of_masks[index])
        total = _draw(grid[2, column], flow.sums[index], k + 1, GREY, of_sums[index])
        grid[0, column].set_title(f"$I_{index}^{{Mask}}$", pad=2)
        grid[2, column].set_title(f"$I_{index}^{{OPDT}}$", pad=2)
        arrow(grid[1, column], "⊕" if index else "=", down=True)
        if index < k:
            arrow(grid[0, column + 1], "D")
            arrow(grid[2, column + 1], "⊕")
    arrow(grid[2, -2], f"{k + 1} −")
    last = _draw(grid[2, -1], flow.distance, k + 1, DISTANCE_COLOURS, of_distance, low)
    grid[2, -1].set_title(f"$I_{k}^{{DT}}$", pad=2)
    for axes in (*grid[1, 1::2], *grid[0, -2:], grid[1, -1]):
        axes.set_axis_off()
    scales = grid[0, -1]
    add_scale_within(scales, mask, 0.84, "masks", extend="max", ticks=[0, 1])
    add_scale_within(scales, total, 0.42, "sums", extend="max", ticks=range(k + 2))
    add_scale_within(scales, last, 0.0, "distance, px", ticks=range(low, k + 2))


def _draw(
    axes: Axes, image: Image, high: float, colours: str, far: float, low: float = 0.0
) -> AxesImage:
    axes.set_xlabel(f"background {far:.2f}", fontsize=SMALL, labelpad=2)
    return show(axes, image, low, high, colours)
