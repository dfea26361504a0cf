"""Outlines of the categories: random stars, gears, ... around the origin, about one unit in radius.

Points stand in rows (x, y). An outline may have several solid parts (a crowd has) and true holes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from pycocotools import mask as coco_mask

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Rle = dict[str, Any]


@dataclass(frozen=True)
class Outline:
    """Solid polygons and the holes cut out of them."""

    solids: tuple[Points, ...]
    holes: tuple[Points, ...] = ()

    @property
    def area(self) -> float:
        """Area inside, where solid parts do not overlap and holes lie within them."""
        return sum(map(_polygon_area, self.solids)) - sum(map(_polygon_area, self.holes))

    @property
    def box(self) -> tuple[Points, Points]:
        """Lower and upper corner of the bounding box."""
        points = np.concatenate(self.solids)
        return points.min(axis=0), points.max(axis=0)

    def turned(self, angle: float) -> "Outline":
        """The same outline, rotated by `angle` in radians."""
        c, s = np.cos(angle), np.sin(angle)
        return self._mapped(lambda points: points @ np.array([[c, s], [-s, c]]))

    def scaled(self, factor: float) -> "Outline":
        """The same outline, `factor` times as large."""
        return self._mapped(lambda points: points * factor)

    def moved(self, shift: Points) -> "Outline":
        """The same outline, moved and rounded to 0.01 px: what is drawn is what is annotated."""
        return self._mapped(lambda points: np.round(points + shift, 2))

    def mask(self, side: int, zoom: int = 1) -> Mask:
        """Pixels inside, shape (side * zoom, side * zoom), by COCO's own rasterisation."""
        inside = coco_mask.decode(polygons_to_rle(self.solids, side, zoom))
        if self.holes:
            inside &= 1 - coco_mask.decode(polygons_to_rle(self.holes, side, zoom))
        mask: Mask = inside.astype(bool)
        return mask

    def _mapped(self, change: Callable[[Points], Points]) -> "Outline":
        return Outline(tuple(map(change, self.solids)), tuple(map(change, self.holes)))


def polygons_to_rle(polygons: tuple[Points, ...], side: int, zoom: int = 1) -> Rle:
    """Run-length encoding of the union of `polygons` in a square image, `zoom` times enlarged."""
    size = side * zoom
    flat = [(polygon * zoom).ravel().tolist() for polygon in polygons]
    rle: Rle = coco_mask.merge(coco_mask.frPyObjects(flat, size, size))
    return rle


def star(rng: Generator) -> Outline:
    """Five to eight pointed spikes, each a little longer or shorter."""
    spikes = int(rng.integers(5, 9))
    radius = np.tile([1.0, rng.uniform(0.45, 0.58)], spikes)
    radius[::2] *= rng.uniform(0.88, 1.0, spikes)
    return Outline((_polar(_around(2 * spikes), radius),))


def gear(rng: Generator) -> Outline:
    """Eight to thirteen square teeth."""
    teeth = int(rng.integers(8, 14))
    root = rng.uniform(0.74, 0.8)
    corners = np.array([0.05, 0.13, 0.45, 0.53]) * 2 * np.pi / teeth
    angle = (_around(teeth)[:, None] + corners).ravel()
    return Outline((_polar(angle, np.tile([root, 1.0, 1.0, root], teeth)),))


def blob(rng: Generator) -> Outline:
    """A soft drop: a circle with a few random waves."""
    angle = _around(64)
    waves = np.array([2, 3, 4, 5, 7])
    amplitude = rng.uniform(0.1, 0.3, waves.size) / waves
    phase = rng.uniform(0, 2 * np.pi, waves.size)
    return Outline((_polar(angle, 0.8 + np.cos(np.outer(angle, waves) + phase) @ amplitude),))


def ring(rng: Generator) -> Outline:
    """A wavy disc with a round hole."""
    angle = _around(96)
    outer = 0.94 + 0.06 * np.cos(int(rng.integers(9, 15)) * angle)
    hole = np.full(48, rng.uniform(0.42, 0.56))
    return Outline((_polar(angle, outer),), (_polar(_around(48), hole),))


def flower(rng: Generator) -> Outline:
    """Five to seven round petals with sharp notches between them."""
    petals = int(rng.integers(5, 8))
    angle = _around(16 * petals)
    depth = rng.uniform(0.42, 0.52)
    return Outline((_polar(angle, 1 - depth + depth * np.abs(np.cos(petals * angle / 2))),))


def crescent(rng: Generator) -> Outline:
    """A disc out of which a second disc has bitten, down to two thin tips."""
    shift, bite = rng.uniform(0.42, 0.55), rng.uniform(0.74, 0.84)
    tip_x = (1 - bite**2 + shift**2) / (2 * shift)
    tip_y = np.sqrt(1 - tip_x**2)
    tip, bite_tip = np.arctan2(tip_y, tip_x), np.arctan2(tip_y, tip_x - shift)
    back = _polar(np.linspace(tip, 2 * np.pi - tip, 40), np.ones(40))
    front = _polar(np.linspace(2 * np.pi - bite_tip, bite_tip, 30)[1:-1], np.full(28, bite))
    return Outline((np.concatenate([back, front + np.array([shift, 0.0])]),))


def dots(rng: Generator) -> Outline:
    """A crowd: ten to twenty tiny blobs close together."""
    cells = rng.permutation(25)[: int(rng.integers(10, 21))]
    centres = np.stack([cells % 5, cells // 5], axis=1) / 2.5 - 0.8
    centres += rng.uniform(-0.05, 0.05, centres.shape)
    radii = rng.uniform(0.1, 0.15, cells.size)
    return Outline(tuple(blob(rng).solids[0] * r + c for r, c in zip(radii, centres, strict=True)))


def _around(count: int) -> Points:
    return np.linspace(0, 2 * np.pi, count, endpoint=False)


def _polar(angle: Points, radius: Points) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _polygon_area(points: Points) -> float:
    x, y = points.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
