"""The masks that Figs 2-6 show, and stand-ins for what a network would answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from harness.illustrate.rois import SIDE, Image, bitmask_of, roi_of_bitmask, roi_of_polygons
from harness.illustrate.training_images import TrainingImage, TrainingObject
from harness.shapes.outlines import Outline, Points
from harness.shapes.scene import CATEGORIES

KINDS = ("crescent", "star", "ring", "blob")

# A network's answer lies a little beside the truth, and is soft along the contour.
DISPLACED_PX = (-0.6, 0.8)  # down, right
SMOOTHED_PX = 1.5

STAND_INS = (
    "Responses are stand-ins, not of a trained network: the true mask moved by "
    f"{DISPLACED_PX[1]} px right and {-DISPLACED_PX[0]} px up, smoothed with a Gaussian of "
    f"σ = {SMOOTHED_PX} px."
)


@dataclass(frozen=True)
class Example:
    """One object as the mask head sees it: its box fills the RoI.

    Attributes:
        name: what it is, for a caption.
        mask: ground truth, 0 or 1, shape (SIDE, SIDE).
    """

    name: str
    mask: Image

    @property
    def response(self) -> Image:
        """The stand-in for a network's mask response: see `stand_in_response`."""
        return stand_in_response(self.mask)


def stand_in_response(mask: Image) -> Image:
    """What a network could answer for `mask`: probabilities, displaced and soft; always the same.

    Args:
        mask: 0 or 1, shape (H, W). Beyond its frame it goes on as it is there.

    Returns:
        Probabilities, shape (H, W).
    """
    moved = ndimage.shift(mask, DISPLACED_PX, order=1, mode="nearest")
    return np.asarray(ndimage.gaussian_filter(moved, SMOOTHED_PX, mode="nearest"))


def drawn_examples() -> tuple[Example, ...]:
    """One drawn shape of each of `KINDS`, the same ones always."""
    return tuple(Example(f"drawn {kind}", _drawn(kind)) for kind in KINDS)


def largest_objects(images: Sequence[TrainingImage], mask_format: str) -> tuple[Example, ...]:
    """The largest object of each image, cut out by its own box.

    Args:
        images: with at least one object each.
        mask_format: "polygon" or "bitmask", as the runs on these images have it.
    """
    return tuple(_cut_out(image, image.objects[0], mask_format) for image in images)


def _drawn(kind: str) -> Image:
    rng = np.random.default_rng(0)
    outline = CATEGORIES[kind](rng).turned(rng.uniform(0, 2 * np.pi))
    low, high = outline.box

    def fill(points: Points) -> Points:
        return (points - low) * SIDE / (high - low)

    filling = Outline(tuple(map(fill, outline.solids)), tuple(map(fill, outline.holes)))
    return filling.mask(SIDE).astype(float)


def _cut_out(image: TrainingImage, one: TrainingObject, mask_format: str) -> Example:
    name = f"{one.category} (largest object of image {image.id})"
    if mask_format == "polygon" and isinstance(one.segmentation, list):
        return Example(name, roi_of_polygons(one.segmentation, one.box))
    whole = bitmask_of(one.segmentation, image.height, image.width)
    return Example(name, roi_of_bitmask(whole, one.box))
