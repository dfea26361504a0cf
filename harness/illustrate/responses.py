"""Fig. 3: contour responses and k-step distance images of responses and masks (III-A)."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from harness.grid.losses import VARIANTS
from harness.illustrate.examples import STAND_INS, Example, drawn_examples
from harness.illustrate.panels import DISTANCE_COLOURS, GREY, SMALL, add_scale, finish, show
from harness.illustrate.rois import Image
from harness.illustrate.transforms import (
    HIGHEST_RESPONSE,
    binarized,
    contour,
    distance,
    empty_steps,
)
from harness.report.style import DOUBLE_IN, STYLE

HEIGHT_IN = 4.6
GAP = 0.2  # between (a) and (b), in panels
BAR: dict[str, Any] = {"aspect": 25, "pad": 0.01, "fraction": 0.05}


def fig3(*examples: Example, k: int = 2) -> Figure:
    """(a) responses and (b) true masks, with contour responses and k-step images of both variants.

    Args:
        examples: objects, at most four are readable; drawn shapes by default.
        k: number of dilations, at least 1.

    Raises:
        ValueError: `k` is below 1.
    """
    shown = examples or drawn_examples()
    truth = [example.mask for example in shown]
    responses = [example.response for example in shown]
    masks = [*map(binarized, responses), *truth]
    contours = [[contour(mask, variant) for mask in masks] for variant in VARIANTS]
    distances = [[distance(mask, k, variant) for mask in masks] for variant in VARIANTS]
    low = min(0, math.floor(np.min(distances)))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(DOUBLE_IN, HEIGHT_IN), layout="constrained")
        widths = (*[1] * len(shown), GAP, *[1] * len(shown))
        grid = figure.subplots(5, len(widths), squeeze=False, width_ratios=widths)
        image = _draw_row(grid[0], [*responses, *truth], "response\nor mask", 0, 1, GREY)
        add_scale(figure, image, grid[0], "", ticks=[0, 0.5, 1], **BAR)
        for row, variant, images in zip(grid[1:3], VARIANTS, contours, strict=True):
            image = _draw_row(row, images, f"contour\n{variant}", 0, HIGHEST_RESPONSE, GREY)
        add_scale(
            figure, image, grid[1:3], "contour response", ticks=range(HIGHEST_RESPONSE + 1), **BAR
        )
        for row, variant, images in zip(grid[3:], VARIANTS, distances, strict=True):
            name = f"{k}-step image\n{variant}"
            image = _draw_row(row, images, name, low, k + 1, DISTANCE_COLOURS)
        add_scale(figure, image, grid[3:], "k-step distance, px", ticks=range(low, k + 2), **BAR)
        for half, start in (("(a) response", 0), ("(b) mask", len(shown) + 1)):
            grid[0, start].set_title(half, loc="left", pad=3)
        finish(figure, _caption(shown, k))
    return figure


def _draw_row(
    row: npt.NDArray[np.object_],
    images: Sequence[Image],
    name: str,
    low: float,
    high: float,
    colours: str,
) -> AxesImage:
    half = len(images) // 2
    row[half].set_axis_off()
    row[0].set_ylabel(name, fontsize=SMALL, labelpad=3)
    panels = [*row[:half], *row[half + 1 :]]
    return [
        show(axes, image, low, high, colours) for axes, image in zip(panels, images, strict=True)
    ][-1]


def _caption(shown: Sequence[Example], k: int) -> str:
    far = {variant: empty_steps(k, variant)[-1] for variant in VARIANTS}
    return (
        f"Objects: {', '.join(example.name for example in shown)}. Contours in (a) are those of "
        "the binarized responses. Both variants share their scales. Far from any contour, the "
        f"k-step image (k = {k}) reads {far['paper']:.2f} in variant paper, where k + 1 = {k + 1} "
        f"is meant, and {far['sound']:.2f} in sound. Zero padding (paper) draws a contour on the "
        "frame where the object touches it; on contours its image falls below 0, so it is no "
        f"distance in px. {STAND_INS}"
    )
