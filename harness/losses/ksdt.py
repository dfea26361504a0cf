"""k-step distance transform (kSDT): a differentiable, truncated distance image (III-B, eqs 9-12).

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

import math
from functools import reduce
from operator import add

from torch import Tensor

from harness.losses.arguments import as_images, check_steps
from harness.losses.binarize import soft_binarize
from harness.losses.window import COLUMNS, ROWS, neighbours, pad_by_one

SLOPE, THRESHOLD = 20.0, 0.1  # γ and T of the dilation, below eq 12

# What B makes of the means 0 and 1, as Python floats: exact in a float32 and in a float64 path.
_B_OF_0 = 1 / (1 + math.exp(SLOPE * THRESHOLD))
_B_OF_1 = 1 / (1 + math.exp(SLOPE * (THRESHOLD - 1)))


def ksdt(
    response: Tensor,
    k: int,
    *,
    padding: str = "zeros",
    clamp: bool = False,
    rebase: bool = False,
) -> Tensor:
    """Distance of each pixel to the contour, truncated at k + 1 steps.

    With the defaults, the paper's own settings, this is no distance in px. The response counts up
    to 3 where a distance needs 1; and an empty neighbourhood dilates to 0.119, then 0.595, then 1.
    So the background reads 1.88 at k = 1 and 2.286 at every k >= 2. With "replicate", `clamp` and
    `rebase` it is a distance: 0, 1, 2, ..., k + 1 away from a contour along a row or a column, and
    up to about 1 too far at corners, slanted contours and single pixels.

    Args:
        response: contour response, shape (N, H, W); 0 away from the contour.
        k: number of dilations, at least 1.
        padding: "zeros" or "replicate", what stands around the images.
        clamp: cut the response at 1 first, so that the contour itself is at 0.
        rebase: stretch the dilation so that it maps 0 to 0 and 1 to 1.

    Returns:
        Distance, shape (N, H, W), float32 (float64 where `response` is), differentiable in
        `response`.

    Raises:
        ValueError: `k` is below 1, `response` is not (N, H, W), or `padding` is unknown.
    """
    masks = dilations(response, k, padding=padding, clamp=clamp, rebase=rebase)
    return (k + 1) - reduce(add, masks)  # eq 11, of the sum of eq 10: the paper's OPDT


def dilations(
    response: Tensor, k: int, *, padding: str = "zeros", clamp: bool = False, rebase: bool = False
) -> list[Tensor]:
    """The masks that `ksdt` adds up: the response, or what `clamp` leaves of it, and k dilations.

    Args:
        response: as for `ksdt`.
        k: as for `ksdt`.
        padding: as for `ksdt`.
        clamp: as for `ksdt`.
        rebase: as for `ksdt`.

    Returns:
        I_0, I_1, ..., I_k of eq 9, each (N, H, W).

    Raises:
        ValueError: as for `ksdt`.
    """
    check_steps(k)
    mask_NHW = as_images("response", response)
    masks = [mask_NHW.clamp(max=1) if clamp else mask_NHW]
    for _ in range(k):
        masks.append(_dilate(masks[-1], padding, rebase))  # eq 9
    return masks


def smooth(masks: Tensor, *, padding: str = "zeros") -> Tensor:
    """Mean of each pixel's 3x3 neighbourhood: the first half of a dilation (eq 12).

    Args:
        masks: shape (N, H, W).
        padding: "zeros" or "replicate", what stands around the images.

    Returns:
        The means, shape (N, H, W), float32 (float64 where `masks` is).

    Raises:
        ValueError: `masks` is not (N, H, W), or `padding` is unknown.
    """
    padded = pad_by_one(as_images("masks", masks), padding)
    return _sum3(_sum3(padded, ROWS), COLUMNS) / 9


def _dilate(mask_NHW: Tensor, padding: str, rebase: bool) -> Tensor:
    mean_NHW = smooth(mask_NHW, padding=padding)
    dilated_NHW = soft_binarize(mean_NHW, slope=SLOPE, threshold=THRESHOLD)
    return (dilated_NHW - _B_OF_0) / (_B_OF_1 - _B_OF_0) if rebase else dilated_NHW


def _sum3(padded: Tensor, axis: int) -> Tensor:
    before, centre, after = neighbours(padded, axis)
    return before + centre + after
