"""Pixels of a scene: colors, light, noise; muted behind, strong in front. And its stuff map."""

import colorsys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from harness.data.stuff_maps import UNLABELED
from harness.shapes.outlines import Mask
from harness.shapes.scene import CATEGORIES, Shape

Pixels = npt.NDArray[np.float64]

# A category is told by its outline and by its hue, so that a thin network learns it in minutes.
HUES = {"star": 0.13, "gear": 0.60, "blob": 0.31, "ring": 0.80, "flower": 0.98, "crescent": 0.51}
HUE_JITTER = 0.03

RIM_SHADE = 0.62  # a darker rim tells two shapes of one color apart
NOISE = 6  # grey levels, either way
ANTIALIASING = 2

# Classes of the stuff map: those of `CATEGORIES` in their order from 0, and the two halves of the
# background. A crowd is not labeled.
DARK_GROUND, LIGHT_GROUND = 6, 7


@dataclass(frozen=True)
class Painting:
    """An image, RGB, shape (side, side, 3), and the class of each pixel, shape (side, side)."""

    image: npt.NDArray[np.uint8]
    stuff: npt.NDArray[np.uint8]


def paint(rng: Generator, side: int, shapes: list[Shape]) -> Painting:
    """A muted background and the shapes from back to front."""
    dark = _color(rng.random(), rng.uniform(0.05, 0.3), rng.uniform(0.15, 0.25))
    light = _color(rng.random(), rng.uniform(0.05, 0.3), rng.uniform(0.25, 0.4))
    ground = _ramp(rng, side)
    image = _blend(dark, light, ground)
    for shape in shapes:
        hue = HUES[shape.category] + rng.uniform(-HUE_JITTER, HUE_JITTER)
        fill = _color(hue % 1.0, rng.uniform(0.55, 0.85), rng.uniform(0.75, 0.95))
        lit = fill * (0.82 + 0.3 * _ramp(rng, side))
        fine = shape.outline.mask(side, zoom=ANTIALIASING)
        shade = RIM_SHADE + (1 - RIM_SHADE) * _coverage(_eroded(fine))
        image = _blend(image, lit * shade, _coverage(fine))
    image += rng.integers(-NOISE, NOISE + 1, image.shape)
    pixels = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    return Painting(pixels, _stuff(ground[..., 0], shapes))


def _stuff(ground: Pixels, shapes: list[Shape]) -> npt.NDArray[np.uint8]:
    stuff = np.where(ground < 0.5, DARK_GROUND, LIGHT_GROUND).astype(np.uint8)
    for shape in shapes:
        category = list(CATEGORIES).index(shape.category)
        stuff[shape.visible] = UNLABELED if shape.is_crowd else category
    return stuff


def _color(hue: float, saturation: float, value: float) -> Pixels:
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value)) * 255


def _blend(under: Pixels, over: Pixels, coverage: Pixels) -> Pixels:
    return under + (over - under) * coverage


def _ramp(rng: Generator, side: int) -> Pixels:
    """A slope from 0 to 1 in a random direction, shape (side, side, 1)."""
    down, right = rng.uniform(-1, 1, 2)
    steps = np.arange(side) / (side - 1)
    slope = down * steps[:, None] + right * steps
    ramp: Pixels = (slope - slope.min()) / (slope.max() - slope.min())
    return ramp[..., None]


def _coverage(fine: Mask) -> Pixels:
    """Share of each pixel that lies inside, so that contours are drawn smooth; shape (H, W, 1)."""
    steps = range(ANTIALIASING)
    inside = sum(fine[y::ANTIALIASING, x::ANTIALIASING].astype(float) for y in steps for x in steps)
    return np.asarray(inside)[..., None] / ANTIALIASING**2


def _eroded(fine: Mask) -> Mask:
    """`fine` without its outermost image pixel, which the rim takes."""
    inner = fine.copy()
    for _ in range(ANTIALIASING):
        inner[1:] &= inner[:-1]
        inner[:-1] &= inner[1:]
        inner[:, 1:] &= inner[:, :-1]
        inner[:, :-1] &= inner[:, 1:]
    return inner
