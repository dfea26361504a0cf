"""The outlines of masks, and where two of them are furthest apart.

Places are in pixels, x to the right and y down, and (0, 0) is the centre of the pixel at the top
left: as matplotlib's imshow places an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from contourpy import contour_generator
from scipy.spatial import KDTree

Points = npt.NDArray[np.float64]  # (N, 2): x, y
Outline = Sequence[Points]  # closed lines: around each part of a mask, and each of its holes


@dataclass(frozen=True)
class Apart:
    """Where two outlines are furthest apart.

    Attributes:
        x, y: the point, of one of them, that is furthest from the other.
        outward: from the nearest point of the other to it, as a unit vector.
        distance: in pixels, 0 where both are the same.
    """

    x: float
    y: float
    outward: tuple[float, float]
    distance: float


def outline(pixels: npt.NDArray[np.bool_]) -> Outline:
    """The lines half-way between the pixels of a mask and those around it (marching squares).

    They run along the edges of pixels, 0.5 from their centres, and cut corners off; outside of the
    image nothing is set, so a mask that reaches its border is closed there.

    Args:
        pixels: shape (height, width).
    """
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return ()
    top, left = rows[0], columns[0]
    window = pixels[top : rows[-1] + 1, left : columns[-1] + 1]
    lines = contour_generator(z=np.pad(window.astype(float), 1)).lines(0.5)
    corner = np.array([left - 1, top - 1])
    return [np.asarray(line) + corner for line in lines]


def furthest_apart(one: Outline, other: Outline) -> Apart:
    """Of all points of either outline, the one furthest from the other outline.

    Its distance is that of Hausdorff, between the points of both.

    Args:
        one: an outline of at least one line.
        other: another.
    """
    a, b = np.concatenate(one), np.concatenate(other)
    return max(_furthest(a, b), _furthest(b, a), key=lambda found: found.distance)


def _furthest(points: Points, others: Points) -> Apart:
    distances, nearest = KDTree(others).query(points)
    furthest = int(np.argmax(distances))
    (x, y), distance = points[furthest], float(distances[furthest])
    away = (points[furthest] - others[nearest[furthest]]) / (distance or 1)
    return Apart(float(x), float(y), (float(away[0]), float(away[1])), distance)
