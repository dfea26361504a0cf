"""Where the shapes of one image stand, and what of each can be seen."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from harness.shapes import outlines
from harness.shapes.outlines import Mask, Outline

CATEGORIES = {
    "star": outlines.star,
    "gear": outlines.gear,
    "blob": outlines.blob,
    "ring": outlines.ring,
    "flower": outlines.flower,
    "crescent": outlines.crescent,
}

# Share of the shapes, and the range of the root of their area as a part of the image's side. At a
# side of 128 px these are COCO's small (< 32 px), medium and large (> 96 px).
SIZES = ((0.23, 0.13, 0.23), (0.63, 0.27, 0.52), (0.14, 0.80, 0.88))
LARGE = 0.7  # from this size on only compact shapes: a large star would be wider than the image
COMPACT = ("gear", "blob")
CROWD_SIZE = 0.2

MAX_EXTENT = 1.08  # of a shape's box, as a part of the side: the largest are cut by the edge
CUT_BY_EDGE = 0.12  # share of the other shapes that may reach out of the image

# A shape must stay this visible, or the one that would cover it is put elsewhere.
MIN_VISIBLE_SHARE = 0.5
MIN_VISIBLE_PX = 64
PLACEMENT_ATTEMPTS = 30


@dataclass(frozen=True)
class Shape:
    """A shape in its place, and the pixels of it that nothing covers."""

    category: str
    outline: Outline
    visible: Mask
    is_crowd: bool = False

    def is_whole(self) -> bool:
        """Whether one polygon says all of it: no hole, not cut by another shape or by the edge."""
        side = self.visible.shape[0]
        low, high = self.outline.box
        return (
            len(self.outline.solids) == 1
            and not self.outline.holes
            and bool((low >= 0).all() and (high <= side).all())
            and np.array_equal(self.visible, self.outline.mask(side))
        )

    def is_recognizable(self) -> bool:
        """Whether enough of it is visible to be found."""
        least = max(MIN_VISIBLE_PX, MIN_VISIBLE_SHARE * self.outline.area)
        return bool(self.visible.sum() >= least)


def arrange(rng: Generator, side: int, count: int, *, crowd: bool) -> list[Shape]:
    """Up to `count` shapes and perhaps a crowd, from back to front, large ones behind.

    No pixel is visible in two of them. A shape for which no place is found is left out.
    """
    shapes: list[Shape] = []
    if crowd:
        dots = _sized(rng, outlines.dots(rng), CROWD_SIZE, side)
        shapes = _with_one_more(rng, shapes, "blob", dots, side, is_crowd=True)
    for size in _sizes(rng, count):
        allowed = COMPACT if size > LARGE else tuple(CATEGORIES)
        category = allowed[rng.integers(len(allowed))]
        outline = _sized(rng, CATEGORIES[category](rng), size, side)
        shapes = _with_one_more(rng, shapes, category, outline, side)
    return shapes


def _sizes(rng: Generator, count: int) -> list[float]:
    shares, low, high = zip(*SIZES, strict=True)
    chosen = rng.choice(len(SIZES), size=count, p=shares)
    sizes = sorted((rng.uniform(low[i], high[i]) for i in chosen), reverse=True)
    # Three shapes in front of a large one would hide too much of it.
    return sizes[:2] if sizes and sizes[0] > LARGE else sizes


def _sized(rng: Generator, outline: Outline, size: float, side: int) -> Outline:
    """`outline` with an area of (size * side)², turned at random."""
    outline = outline.turned(rng.uniform(0, 2 * np.pi))
    low, high = outline.box
    factor = min(size / np.sqrt(outline.area), MAX_EXTENT / float((high - low).max()))
    return outline.scaled(factor * side)


def _with_one_more(
    rng: Generator,
    shapes: list[Shape],
    category: str,
    outline: Outline,
    side: int,
    *,
    is_crowd: bool = False,
) -> list[Shape]:
    """`shapes` and one more in front, or `shapes` where no place leaves enough visible of each."""
    low, high = outline.box
    for _ in range(PLACEMENT_ATTEMPTS):
        if rng.random() < CUT_BY_EDGE:
            position = rng.uniform(0, side, 2)
        else:  # sorted, as the range turns around for a shape wider than the image
            position = rng.uniform(*np.sort([-low, side - high], axis=0))
        placed = outline.moved(position)
        mask = placed.mask(side)
        after = [replace(shape, visible=shape.visible & ~mask) for shape in shapes]
        after.append(Shape(category, placed, mask, is_crowd))
        if all(shape.is_recognizable() for shape in after):
            return after
    return shapes
