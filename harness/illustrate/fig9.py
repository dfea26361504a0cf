"""Fig. 9: outlines of predicted masks, the baseline's over those of the contour loss (IV-D).

The paper does not say how its images were selected. Ours are those in which the Boundary IoU of
objects that both runs find changed most, for better or worse, or those that are named; the figure
says which.
"""

import textwrap
from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure

from harness.errors import ResultsError
from harness.evaluation.changes import ImageChange, most_moved
from harness.grid import Grid
from harness.illustrate.contours import draw_arrows, draw_seen, show_photograph
from harness.illustrate.pair import RunPair, pair_of_rows, read_pair
from harness.illustrate.panels import drawable
from harness.illustrate.scene import MOST_ARROWS, SURE, Scene, change_of, scene_of
from harness.paths import RunsFolder
from harness.report.scale import scale_note
from harness.report.style import DOUBLE_IN, STYLE

ROWS = ("table1/baseline", "table1/k=2")
COLUMNS = 4  # images, where none is named
MOST_COLUMNS = 6  # beyond it outlines cannot be told apart in print
MARGIN_IN, GAP_IN, LINE_IN = 0.04, 0.05, 0.115
TALLEST_IN, NARROWEST_IN = 2.6, 0.8  # a row, a column
HEADING_LINES = 3
FONT_POINTS, CHARACTERS = 6, 150
LINE_POINTS = 0.8
ARROW_POINTS = (8, 14)  # at least and at most, and between them a tenth of a row


def fig9(grid: Grid, runs: RunsFolder, image_ids: Sequence[int] = ()) -> Figure:
    """The figure.

    Args:
        grid: with Table I, whose baseline stands over its k=2: of the lowest seed of which both
            are scored.
        runs: their folders.
        image_ids: of the images to show, `MOST_COLUMNS` at most; where none is named, `COLUMNS`
            are selected.

    Raises:
        HarnessError: a run is not scored, predictions or images are missing or damaged, or there is
            no such image; says which, and which command helps.
    """
    cells = pair_of_rows(grid, runs, *ROWS)
    a, b = (cell.spec for cell in cells)
    names = tuple(f"{grid.cell_name(cell)} · {cell.spec.run_id}" for cell in cells)
    pair = read_pair(a, b, (names[0], names[1]), runs)
    changes = [change_of(pair, image_id) for image_id in dict.fromkeys(image_ids)]
    changes = changes or list(most_moved(pair.images, COLUMNS))
    if not changes:
        raise ResultsError(
            f"{names[0]} and {names[1]} have no object whose outline moved, so Fig. 9 has nothing "
            "to show. Name images with --images ID."
        )
    scenes = [scene_of(pair, change) for change in changes]
    how = _how_named() if image_ids else _how_selected(pair, changes)
    return draw_fig9(scenes, pair.names, f"{how} {_reading(pair)} {scale_note([a, b])}")


def draw_fig9(scenes: Sequence[Scene], names: tuple[str, str], caption: str) -> Figure:
    """A column for each scene, a row for each run, and the caption below.

    Args:
        scenes: one or more.
        names: of the runs, that of the top row first.
        caption: how the images were selected, and what is seen.
    """
    lines = textwrap.wrap(drawable(caption), CHARACTERS)
    shapes = [scene.photograph.shape[1] / scene.photograph.shape[0] for scene in scenes]
    tall = _row_height(shapes)
    foot = LINE_IN * len(lines) + 2 * GAP_IN
    arrow = min(max(0.1 * 72 * tall, ARROW_POINTS[0]), ARROW_POINTS[1])
    row = tall + LINE_IN + GAP_IN  # with its name
    height = foot + 2 * row + HEADING_LINES * LINE_IN + GAP_IN
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(DOUBLE_IN, height))

        def write(text: str, left: float, bottom: float) -> None:
            place = (left / DOUBLE_IN, bottom / height)
            figure.text(*place, text, fontsize=FONT_POINTS, va="bottom", parse_math=False)

        left = MARGIN_IN
        for scene, shape in zip(scenes, shapes, strict=True):
            for run, seen in enumerate(scene.seen):
                box = (left, foot + (1 - run) * row, tall * shape, tall)
                whole = (DOUBLE_IN, height, DOUBLE_IN, height)
                x, y, wide, high = (part / of for part, of in zip(box, whole, strict=True))
                axes = figure.add_axes((x, y, wide, high))
                show_photograph(axes, scene.photograph, scene.photograph.shape[1::-1])
                draw_seen(axes, seen, LINE_POINTS)
                draw_arrows(axes, scene, arrow)
            write(_heading(scene.change), left, foot + 2 * row + 0.5 * GAP_IN)
            left += max(tall * shape, NARROWEST_IN) + GAP_IN
        for run, name in enumerate(names):
            told = f"{('Top', 'Below')[run]}: {drawable(name)}"
            write(told, MARGIN_IN, foot + (1 - run) * row + tall + 0.5 * GAP_IN)
        write("\n".join(lines), MARGIN_IN, GAP_IN)
    return figure


def _row_height(shapes: Sequence[float]) -> float:
    """How tall a row is, so that its images fill the width, each of them wide enough to be named.

    Args:
        shapes: width over height of each image.
    """
    room = DOUBLE_IN - 2 * MARGIN_IN - GAP_IN * (len(shapes) - 1)
    tall, wide = TALLEST_IN, list(shapes)
    for _ in shapes:  # a column that is narrow leaves less to the others, which may become so too
        left = room - NARROWEST_IN * (len(shapes) - len(wide))
        tall = min(TALLEST_IN, left / sum(wide)) if wide else TALLEST_IN
        wide = [shape for shape in wide if tall * shape >= NARROWEST_IN]
    return tall


def _heading(change: ImageChange) -> str:
    """Of `HEADING_LINES`, none wider than `NARROWEST_IN`."""
    both = [one for one in change.objects if one.by_both]
    if not both:
        return f"image {change.image_id}\nno object\nfound by both"
    a, b = (sum(one.boundary_iou[run] for one in both) / len(both) for run in (0, 1))
    return f"image {change.image_id}\nBoundary IoU\n{a:.0f}, below {b:.0f}"


def _how_selected(pair: RunPair, changes: Sequence[ImageChange]) -> str:
    better = sum(_mean_change(one) > 0 for one in changes)
    return (
        f"Selected: the {len(changes)} of {len(pair.images):,} images whose objects found by both "
        "runs changed most in Boundary IoU, in either direction (mean of the sizes of the "
        f"changes); in {better} the contour loss has the higher mean. No image is typical."
    )


def _how_named() -> str:
    return "The images were named by hand: they say nothing of the other images."


def _mean_change(change: ImageChange) -> float:
    return sum(one.boundary_change for one in change.objects if one.by_both)


def _reading(pair: RunPair) -> str:
    return (
        f"Outlines of predicted masks on {pair.split.name}: those matched with an object, of "
        f"whatever score, in its colour; grey, those of score {SURE} or more matched with none. "
        "Arrows: where the two outlines of an object are furthest apart, "
        f"{MOST_ARROWS} an image at most. Boundary IoU: mean over the objects found by both."
    )
