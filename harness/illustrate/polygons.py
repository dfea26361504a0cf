"""Fig. 7: training images with the outlines of their objects (IV-A)."""

import math
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from harness.illustrate.distance_image import distance_image
from harness.illustrate.panels import SMALL, drawable, finish
from harness.illustrate.photographs import read_photograph
from harness.illustrate.rois import bitmask_of
from harness.illustrate.training_images import TrainingImage, TrainingObject
from harness.report.style import (
    BLUE,
    DOUBLE_IN,
    GREEN,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    STYLE,
    VERMILION,
)

MOST_COLUMNS = 4
TITLE_IN, CAPTION_IN = 0.1, 0.4
COLOURS = (VERMILION, SKY_BLUE, GREEN, ORANGE, PURPLE, BLUE)  # of instances, the largest first
FILL = 0.3  # opacity
LINE = 0.8  # points
PAD = 1  # points, between a name and its frame
POINTS_PER_IN = 72
EXPLAINED = (
    "Colours tell instances of an image apart. Crowds, which no run learns from, have no outline. "
    "A category's name is left out where it would cover another."
)


def fig7(images: Sequence[TrainingImage], note: str) -> Figure:
    """Images with their objects' polygons, coloured by instance, and the names of categories.

    A name that finds no place where it overlaps no other is left out, and the caption says so. One
    that is wider than its image is cut.

    Args:
        images: at least one; up to twelve are readable.
        note: which images these are, as a sentence.

    Raises:
        DataError: an image is missing, damaged, or not of the size that its annotations say.
    """
    rows = math.ceil(len(images) / MOST_COLUMNS)
    columns = math.ceil(len(images) / rows)
    by_row = [images[start : start + columns] for start in range(0, len(images), columns)]
    tallest = [max(image.height / image.width for image in row) for row in by_row]
    with matplotlib.rc_context(STYLE):
        height_in = DOUBLE_IN / columns * sum(tallest) + rows * TITLE_IN + CAPTION_IN
        figure = Figure(figsize=(DOUBLE_IN, height_in), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, height_ratios=tallest).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, image in zip(grid, images, strict=False):
            _draw_image(axes, image)
        names = {one.category for image in images for one in image.objects}
        finish(figure, f"{note} {EXPLAINED}", *names)
        for axes, image in zip(grid, images, strict=False):
            _write_names(axes, image)
    return figure


def _draw_image(axes: Axes, image: TrainingImage) -> None:
    pixels = read_photograph(image.file, f"image {image.id}", image.width, image.height)
    axes.imshow(pixels, extent=(0, image.width, image.height, 0))
    axes.set_title(f"image {image.id}", loc="left", pad=2, fontsize=SMALL)
    for one, colour in _coloured(image):
        if isinstance(one.segmentation, list):
            for flat in one.segmentation:
                look: dict[str, Any] = {
                    "facecolor": to_rgba(colour, FILL),
                    "edgecolor": colour,
                    "linewidth": LINE,
                }
                axes.add_patch(Polygon(np.reshape(flat, (-1, 2)), **look))
        else:
            mask = bitmask_of(one.segmentation, image.height, image.width)
            centres = np.arange(image.width) + 0.5, np.arange(image.height) + 0.5
            axes.contourf(*centres, mask, [0.5, 1], colors=[colour], alpha=FILL)
            axes.contour(*centres, mask, [0.5], colors=[colour], linewidths=LINE)


def _coloured(image: TrainingImage) -> Iterator[tuple[TrainingObject, str]]:
    return zip(image.objects, cycle(COLOURS), strict=False)


def _write_names(axes: Axes, image: TrainingImage) -> None:
    """The category of each object on it, else at its upper or lower end; the largest's first."""
    inside = axes.get_window_extent()
    taken: list[Bbox] = []
    for one, colour in _coloured(image):
        left, top, right, bottom = one.box
        ends = [((left + right) / 2, top), ((left + right) / 2, bottom)]
        for x, y in (_deepest_point(image, one), *ends):
            name = _write(axes, x, y, drawable(one.category), colour)
            _shorten(name, inside.width)
            _move_into(inside, name)
            place = _extent(name)
            if not any(place.overlaps(other) for other in taken):
                taken.append(place)
                break
            name.remove()


def _deepest_point(image: TrainingImage, one: TrainingObject) -> tuple[float, float]:
    """The point of an object that is farthest from its outline, as x and y in px."""
    depth = distance_image(bitmask_of(one.segmentation, image.height, image.width).astype(float))
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x) + 0.5, float(y) + 0.5


def _write(axes: Axes, x: float, y: float, name: str, colour: str) -> Text:
    return axes.text(
        x,
        y,
        name,
        ha="center",
        va="center",
        fontsize=SMALL,
        parse_math=False,
        bbox={"facecolor": "white", "edgecolor": colour, "linewidth": LINE, "pad": PAD},
    )


def _extent(text: Text) -> Bbox:
    """Where a name stands, with its frame, in pixels of the canvas."""
    return text.get_window_extent().padded((PAD + LINE) * text.figure.dpi / POINTS_PER_IN)


def _shorten(text: Text, width: float) -> None:
    """Cut the end of a name that is wider than its image."""
    name = text.get_text()
    while len(name) > 1 and (wide := _extent(text).width) > width:
        name = name[: min(len(name) - 1, round(len(name) * width / wide))]
        text.set_text(f"{name}…")


def _move_into(frame: Bbox, text: Text) -> None:
    place, to_canvas = _extent(text), text.get_transform()
    shift = (
        max(frame.x0 - place.x0, 0) + min(frame.x1 - place.x1, 0),
        max(frame.y0 - place.y0, 0) + min(frame.y1 - place.y1, 0),
    )
    where = to_canvas.transform(text.get_position()) + shift
    text.set_position(tuple(to_canvas.inverted().transform(where)))
