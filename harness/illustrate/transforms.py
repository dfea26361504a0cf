"""What the losses make of one mask, step by step: `harness.losses` called, for pictures.

All of it is computed in float64. `variant` is "paper" or "sound": see `harness.losses.variants`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from harness.illustrate.rois import Image

if TYPE_CHECKING:
    from torch import Tensor

HIGHEST_RESPONSE = 3  # of a contour: inside of the corner of a square


@dataclass(frozen=True)
class Steps:
    """The images of kSDT, each (H, W).

    Attributes:
        masks: I_0, the contour response, and its dilations I_1, ..., I_k (eq 9).
        sums: of the first one, two, ..., k + 1 masks: the paper's OPDT (eq 10).
        distance: the k-step distance image (eq 11).
    """

    masks: tuple[Image, ...]
    sums: tuple[Image, ...]
    distance: Image


@dataclass(frozen=True)
class Dilation:
    """The images of a one-step dilation, each (H, W).

    Attributes:
        mask: what is dilated.
        smoothed: after the 3x3 mean (eq 12).
        dilated: after B with slope 20 and threshold 0.1, in "sound" stretched to 0 and 1.
    """

    mask: Image
    smoothed: Image
    dilated: Image


def binarized(response: Image) -> Image:
    """B of mask probabilities (eq 2), shape (H, W)."""
    from harness.losses import soft_binarize

    return _applied(soft_binarize, response)


def contour(mask: Image, variant: str = "paper") -> Image:
    """The contour response of a soft or 0/1 mask (eqs 4-5), shape (H, W).

    Raises:
        ValueError: the variant is unknown.
    """
    from harness.losses import contour_response
    from harness.losses.variants import variant_named

    padding = variant_named(variant).padding
    return _applied(lambda masks: contour_response(masks, padding=padding), mask)


def distance(mask: Image, k: int = 2, variant: str = "paper") -> Image:
    """The k-step distance image of a mask's contour (eqs 6-7), shape (H, W).

    Args:
        mask: soft or 0/1, shape (H, W).
        k: number of dilations, at least 1.
        variant: "paper" or "sound".

    Raises:
        ValueError: `k` is below 1, or the variant is unknown.
    """
    from harness.losses.variants import variant_named

    settings = variant_named(variant)
    return _applied(lambda response: settings.distance(response, k), contour(mask, variant))


def steps(mask: Image, k: int = 2, variant: str = "paper") -> Steps:
    """All images on the way from a mask's contour to its k-step distance image.

    Args:
        mask: as for `distance`.
        k: as for `distance`.
        variant: as for `distance`.

    Raises:
        ValueError: as for `distance`.
    """
    from harness.losses.ksdt import dilations
    from harness.losses.variants import variant_named

    settings = asdict(variant_named(variant))
    masks = [
        np.asarray(one[0].numpy())
        for one in dilations(_stack(contour(mask, variant)), k, **settings)
    ]
    return Steps(tuple(masks), tuple(accumulate(masks)), distance(mask, k, variant))


def one_step_dilation(mask: Image, variant: str = "paper") -> Dilation:
    """The first dilation of kSDT on a mask's contour, taken apart (Fig. 6).

    Args:
        mask: as for `distance`.
        variant: as for `distance`.

    Raises:
        ValueError: the variant is unknown.
    """
    from harness.losses.ksdt import smooth
    from harness.losses.variants import variant_named

    padding = variant_named(variant).padding
    before, after = steps(mask, 1, variant).masks
    return Dilation(before, _applied(lambda masks: smooth(masks, padding=padding), before), after)


def empty_steps(k: int = 2, variant: str = "paper") -> tuple[list[float], list[float], float]:
    """What `steps` reads far from any contour and from the frame.

    Args:
        k: as for `distance`.
        variant: as for `distance`.

    Returns:
        Of the masks, of the sums, and of the distance image.

    Raises:
        ValueError: as for `distance`.
    """
    middle = (k + 1, k + 1)  # the frame is felt k px inwards
    nothing = steps(np.zeros((2 * k + 3, 2 * k + 3)), k, variant)
    masks, sums = ([float(one[middle]) for one in some] for some in (nothing.masks, nothing.sums))
    return masks, sums, float(nothing.distance[middle])


def _applied(function: "Callable[[Tensor], Tensor]", image: Image) -> Image:
    return np.asarray(function(_stack(image))[0].numpy())


def _stack(image: Image) -> "Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(image, np.float64))[None]
