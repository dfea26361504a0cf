"""k-step distance transform (kSDT): a differentiable, truncated distance image (III-B, eqs 9-12).

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

import math

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
    check_steps(k)
    mask_NHW = as_images("response", response)
    if clamp:
        mask_NHW = mask_NHW.clamp(max=1)
    covered_NHW = mask_NHW  # the paper's OPDT
    for _ in range(k):
        mask_NHW = _dilate(mask_NHW, padding, rebase)  # eq 9
        covered_NHW = covered_NHW + mask_NHW  # eq 10
    return (k + 1) - covered_NHW  # eq 11


def _dilate(mask_NHW: Tensor, padding: str, rebase: bool) -> Tensor:
    mean_NHW = _sum3(_sum3(pad_by_one(mask_NHW, padding), ROWS), COLUMNS) / 9  # eq 12
    dilated_NHW = soft_binarize(mean_NHW, slope=SLOPE, threshold=THRESHOLD)
    return (dilated_NHW - _B_OF_0) / (_B_OF_1 - _B_OF_0) if rebase else dilated_NHW


def _sum3(padded: Tensor, axis: int) -> Tensor:
    before, centre, after = neighbours(padded, axis)
    return before + centre + after
