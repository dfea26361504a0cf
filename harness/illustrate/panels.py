"""What the illustrations share: images as panels, colour scales, arrows and captions."""

import textwrap
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.image import AxesImage
from matplotlib.text import Text

from harness.illustrate.rois import Image
from harness.report.style import STYLE

GREY = "gray"
DISTANCE_COLOURS = "viridis"  # perceptually uniform, and readable without red and green

SMALL = 6  # points, for what stands in and under panels
CHARACTERS_PER_IN = 22  # of SMALL text
MISSING_LETTER = "□"
POSITION_DIGITS = 6  # of the figure: a thousandth of a point


def boxes_told(*texts: str) -> str:
    """What a box stands for, as a sentence, where `drawable` puts one into a text; else ""."""
    lacking = any(MISSING_LETTER in drawable(text) for text in texts)
    return f"{MISSING_LETTER}: a letter that the font of figures does not have." if lacking else ""


def drawable(text: str) -> str:
    """`text` with a box in place of each letter that the font of figures does not have."""
    with matplotlib.rc_context(STYLE):
        font = get_font(findfont(matplotlib.rcParams["font.family"][0]))
    return "".join(
        letter if letter == "\n" or font.get_char_index(ord(letter)) else MISSING_LETTER
        for letter in text
    )


def finish(figure: Figure, text: str, *names: str) -> None:
    """Write what is seen below the panels, then fix the layout: all files are to have the same.

    Args:
        figure: whole but for its caption.
        text: of the caption.
        names: what else stands in the figure that others wrote.
    """
    caption = f"{drawable(text)} {boxes_told(text, *names)}"
    figure.supxlabel(
        textwrap.fill(caption, int(CHARACTERS_PER_IN * figure.get_size_inches()[0])),
        x=0.01,
        ha="left",
        fontsize=SMALL,
        parse_math=False,  # a folder may be named a$b$
        linespacing=1.25,
    )
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.get_axes():
        # The layout's solver leaves other last digits each time, and a PDF prints them.
        left, bottom, width, height = (
            round(part, POSITION_DIGITS) for part in axes.get_position(original=True).bounds
        )
        axes.set_position((left, bottom, width, height))


def show(axes: Axes, image: Image, low: float, high: float, colours: str = GREY) -> AxesImage:
    """Draw `image` pixel by pixel, from `low` to `high`, without ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(visible=True, linewidth=0.3, color="0.5")
    return axes.imshow(image, colours, vmin=low, vmax=high, interpolation="nearest")


def add_scale(
    figure: Figure,
    image: AxesImage,
    beside: npt.NDArray[np.object_],
    label: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """A colour bar of `image` to the right of axes, with `label`."""
    bar = figure.colorbar(image, ax=beside.ravel().tolist(), label=label, **options)
    _style(bar, bar.ax.yaxis.label)


def add_scale_within(
    axes: Axes,
    image: AxesImage,
    bottom: float,
    label: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """A flat colour bar of `image` inside axes, at `bottom` of their height, with `label` above."""
    place = axes.inset_axes((0, bottom, 1, 0.07))
    bar = axes.figure.colorbar(image, cax=place, orientation="horizontal", **options)
    place.set_title(label, loc="left", pad=2, fontsize=SMALL)
    _style(bar, place.xaxis.label)


def _style(bar: Colorbar, label: Text) -> None:
    bar.outline.set_linewidth(0.3)
    bar.ax.tick_params(width=0.3, length=2, pad=1.5, labelsize=SMALL)
    label.set_fontsize(SMALL)


def arrow(axes: Axes, label: str, *, down: bool = False) -> None:
    """An arrow that fills axes without a frame, from left to right or downwards, and its label."""
    axes.set_axis_off()
    start, end = ((0.5, 1), (0.5, 0)) if down else ((0, 0.5), (1, 0.5))
    look: dict[str, Any] = {
        "arrowstyle": "-|>",
        "linewidth": 0.7,
        "color": "0.2",
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", end, start, "axes fraction", "axes fraction", arrowprops=look)
    x, y, align = (0.62, 0.5, ("left", "center")) if down else (0.5, 0.6, ("center", "bottom"))
    axes.text(x, y, label, ha=align[0], va=align[1], transform=axes.transAxes)
