"""A photograph with what one run saw in it: outlines, numbers, and arrows where runs differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke

from harness.illustrate.outlines import Apart, Outline
from harness.illustrate.photographs import Photograph
from harness.illustrate.scene import Scene, Seen
from harness.report.style import GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION

YELLOW = "#F0E442"  # Okabe and Ito's too; too pale for anything but a photograph
COLOURS = (SKY_BLUE, ORANGE, GREEN, YELLOW, PURPLE)  # of objects, by number, in turn
OTHERS = "0.75"
TRUTH: dict[str, Any] = {"colors": "white", "linestyles": (0, (2.5, 1.5))}
AROUND = 16  # directions that an arrow may come from


def show_photograph(axes: Axes, photograph: Photograph, size: tuple[int, int]) -> None:
    """Fill `axes` with a photograph, in the pixels of an image of `size` (width, height)."""
    width, height = size
    axes.set_axis_off()
    axes.imshow(
        photograph,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="none",  # a PDF then holds all of its pixels
        aspect="auto",
    )
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def draw_seen(axes: Axes, seen: Seen, points: float) -> None:
    """The outlines of what a run saw: each object in its colour, what is no object in grey.

    Args:
        axes: with the photograph.
        seen: of the run.
        points: width of a line.
    """
    for lines in seen.others:
        _draw(axes, lines, points, colors=OTHERS)
    for number, lines in seen.objects.items():
        _draw(axes, lines, points, colors=COLOURS[(number - 1) % len(COLOURS)])


def draw_truth(axes: Axes, truth: Mapping[int, Outline], points: float) -> None:
    """The outlines of the objects themselves, thin and dashed."""
    for lines in truth.values():
        _draw(axes, lines, points, **TRUTH)


def draw_numbers(axes: Axes, scene: Scene, size: float) -> None:
    """The number of each object at the top of its outline, of the size of a font in points."""
    height, width = scene.photograph.shape[:2]
    for number, lines in scene.truth.items():
        points = np.concatenate(lines) if lines else np.zeros((1, 2))
        x, y = points[np.argmin(points[:, 1])]
        axes.annotate(
            str(number),
            (min(max(x, 0.02 * width), 0.98 * width), y),
            xytext=(0, 1.5 if y > 0.06 * height else -1.5),
            textcoords="offset points",
            ha="center",
            va="bottom" if y > 0.06 * height else "top",
            fontsize=size,
            fontweight="bold",
            color=COLOURS[(number - 1) % len(COLOURS)],
            path_effects=[withStroke(linewidth=1.8, foreground="black")],
        )


def draw_arrows(axes: Axes, scene: Scene, points: float) -> None:
    """An arrow to each place of `scene.arrows`: in every panel of the scene the same.

    It comes from where the outline that reaches further out bulges to, or, where that leaves the
    image, from the direction nearest to it that does not.

    Args:
        axes: with the photograph, in their final place.
        scene: of the image.
        points: length of an arrow.
    """
    height, width = scene.photograph.shape[:2]
    shown = axes.get_window_extent().width / axes.figure.dpi  # in inches
    length = points / 72 * width / shown  # in pixels of the image
    for apart in scene.arrows:
        dx, dy = tail(apart, (width, height), length)
        axes.add_patch(
            FancyArrowPatch(
                (apart.x + dx, apart.y + dy),
                (apart.x + 0.15 * dx, apart.y + 0.15 * dy),
                arrowstyle="-|>",
                mutation_scale=0.35 * points,
                color=VERMILION,
                linewidth=points / 15,
                shrinkA=0,
                shrinkB=0,
                clip_on=False,
                path_effects=[withStroke(linewidth=points / 15 + 1.2, foreground="white")],
                zorder=4,  # over numbers
            )
        )


def tail(apart: Apart, size: tuple[int, int], length: float) -> tuple[float, float]:
    """Where an arrow to a place comes from, as the step from the place to its tail.

    Args:
        apart: the place.
        size: width and height of the image.
        length: of the arrow, in pixels of the image.
    """
    angles = 2 * np.pi * np.arange(AROUND) / AROUND + np.arctan2(*apart.outward[::-1])
    steps = length * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ends = steps + np.array([apart.x, apart.y])
    beyond = np.maximum(-0.5 - ends, ends - np.array(size) + 0.5).max(axis=1).clip(0)
    turned = np.abs(np.angle(np.exp(1j * (angles - angles[0]))))
    best = np.lexsort((turned, beyond))[0]  # inside of the image, then least turned
    return float(steps[best, 0]), float(steps[best, 1])


def _draw(axes: Axes, lines: Sequence[npt.NDArray[np.float64]], points: float, **look: Any) -> None:  # noqa: ANN401
    halo = withStroke(linewidth=points + 0.7, foreground="black")
    axes.add_collection(
        LineCollection(list(lines), linewidths=points, path_effects=[halo], **look),
        autolim=False,
    )
