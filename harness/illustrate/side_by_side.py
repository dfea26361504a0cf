"""One image as two runs see it: the photograph with what run a found, beside that of run b."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from harness.evaluation.changes import ImageChange, ObjectChange
from harness.illustrate.contours import (
    draw_arrows,
    draw_numbers,
    draw_seen,
    draw_truth,
    show_photograph,
)
from harness.illustrate.pair import RunPair
from harness.illustrate.panels import drawable
from harness.illustrate.photographs import Photograph
from harness.illustrate.scene import SURE, Scene, Seen
from harness.report.style import STYLE

DPI = 100  # of a page
LONGEST_PX = 640  # of a photograph on a page: COCO's are no larger
LONGEST_IN_FILE_PX = 1600  # in a file, where all grows with it
NARROWEST_PX = 420  # of a panel, for its heading
MARGIN_PX, HEADING_PX, LINE_PX = 10, 42, 17
HEADING: dict[str, Any] = {"fontsize": 9.5}
FOOT: dict[str, Any] = {"fontsize": 8.5, "linespacing": 1.3, "color": "0.25"}
TRUTH_POINTS, SEEN_POINTS = 0.8, 1.3  # of lines: what a run saw stands out from the truth
NUMBER_POINTS, ARROW_POINTS = 9, 30  # of a font; an arrow's length
PX_PER_LETTER, PX_PER_LETTER_OF_HEADING = 7.2, 8.0  # at most, on average
ID_LETTERS = 11  # " · d4baba01"


def draw_side_by_side(scene: Scene, pair: RunPair, rank: int, longest_px: int) -> Figure:
    """One image: what run a saw beside what run b saw.

    Args:
        scene: of the image.
        pair: the runs.
        rank: of the image by the size of its change, from 1.
        longest_px: the longer side of the photograph at most, `LONGEST_PX` or more. What is larger
            is shrunk, what is smaller than `LONGEST_PX` enlarged by a whole number.
    """
    height, width = scene.photograph.shape[:2]
    scale = _scale(max(height, width))
    shown = (max(1, round(width * scale)), max(1, round(height * scale)))
    finer = max(1.0, min(longest_px, max(height, width)) / LONGEST_PX)
    panel = max(shown[0], NARROWEST_PX)
    total = 2 * panel + 3 * MARGIN_PX
    foot = textwrap.wrap(_foot(scene, pair, rank), int((total - 2 * MARGIN_PX) / PX_PER_LETTER))
    tall = HEADING_PX + shown[1] + LINE_PX * len(foot) + 2 * MARGIN_PX
    photograph = _shrunk(scene.photograph, round(finer * shown[0]), round(finer * shown[1]))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(total / DPI, tall / DPI), dpi=finer * DPI, facecolor="white")
        top = tall - HEADING_PX
        for run, seen in enumerate(scene.seen):
            left = MARGIN_PX + run * (panel + MARGIN_PX)
            inset = left + (panel - shown[0]) // 2
            box = (inset / total, (top - shown[1]) / tall, shown[0] / total, shown[1] / tall)
            _draw_panel(figure.add_axes(box), scene, seen, photograph)
            heading = _heading(scene.change, pair, run, panel)
            _write(figure, left / total, (top + 5) / tall, heading, HEADING)
        _write(figure, MARGIN_PX / total, MARGIN_PX / tall, "\n".join(foot), FOOT)
    return figure


def _draw_panel(axes: Axes, scene: Scene, seen: Seen, photograph: Photograph) -> None:
    show_photograph(axes, photograph, scene.photograph.shape[1::-1])
    draw_truth(axes, scene.truth, TRUTH_POINTS)
    draw_seen(axes, seen, SEEN_POINTS)
    draw_numbers(axes, scene, NUMBER_POINTS)
    draw_arrows(axes, scene, ARROW_POINTS)


def _write(figure: Figure, x: float, y: float, text: str, look: Mapping[str, Any]) -> None:
    figure.text(x, y, drawable(text), parse_math=False, va="bottom", **look)


def _scale(side: int) -> float:
    """How much a photograph is enlarged, by a whole number so that pixels stay alike; or shrunk."""
    return LONGEST_PX / side if side > LONGEST_PX else float(LONGEST_PX // side)


def _shrunk(photograph: Photograph, width: int, height: int) -> Photograph:
    """The photograph at this size, unless it is smaller."""
    if photograph.shape[1] <= width and photograph.shape[0] <= height:
        return photograph
    image = Image.fromarray(photograph).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _heading(change: ImageChange, pair: RunPair, run: int, panel: int) -> str:
    name = f"{'AB'[run]}: {pair.names[run]}"
    most = int(panel / PX_PER_LETTER_OF_HEADING)
    if len(name) > most:  # its end is the run's id
        name = f"{name[: most - ID_LETTERS - 1]}…{name[-ID_LETTERS:]}"
    return f"{name}\n{_means(change.objects, run)}"


def _means(objects: Sequence[ObjectChange], run: int) -> str:
    missed = sum((one.a, one.b)[run] is None for one in objects)
    boundary, mask = (
        sum(ious) / len(ious)
        for ious in ([o.boundary_iou[run] for o in objects], [o.mask_iou[run] for o in objects])
    )
    told = f"mean Boundary IoU {boundary:.1f}, mask IoU {mask:.1f}"
    return f"{told}{f'; {missed} of {len(objects)} missed' if missed else ''}"


def _foot(scene: Scene, pair: RunPair, rank: int) -> str:
    arrows = "Arrows: where the two runs' outlines of an object are furthest apart. "
    others = (
        f"Grey: detections of score {SURE} or more that are matched with no object. "
        if any(seen.others for seen in scene.seen)
        else ""
    )
    return (
        f"{scene.change.title} of {pair.split.name}, number {rank} of "
        f"{len(pair.images):,} by change in Boundary IoU, in either direction: not a typical "
        "image. White, dashed: ground truth. In colour: the mask matched with each object, of "
        f"whatever score. {others}{arrows if scene.arrows else ''}"
    ).strip()
