"""Contour response: how much a mask changes around each pixel (III-A, eqs 3-5).

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

from torch import Tensor

from harness.losses.arguments import as_images
from harness.losses.window import COLUMNS, ROWS, neighbours, pad_by_one


def contour_response(masks: Tensor, *, padding: str = "zeros") -> Tensor:
    """Half the sum of the two absolute Sobel responses.

    A straight edge of a 0/1 mask reads 2 on the pixels along both of its sides, the corner of a
    square 3 inside and 1 outside. "zeros" also draws a contour on the frame, wherever the mask
    touches it.

    Args:
        masks: soft or 0/1 masks of any real dtype, shape (N, H, W).
        padding: "zeros" or "replicate", what stands around the masks.

    Returns:
        Response of at least 0, shape (N, H, W), float32 (float64 where `masks` is).

    Raises:
        ValueError: `masks` is not (N, H, W), or `padding` is unknown.
    """
    padded = pad_by_one(as_images("masks", masks), padding)
    sobel_x_NHW = _difference(_smooth(padded, ROWS), COLUMNS)  # eq 3
    sobel_y_NHW = _difference(_smooth(padded, COLUMNS), ROWS)  # eq 3, but for the sign
    return (sobel_x_NHW.abs() + sobel_y_NHW.abs()) / 2  # eqs 4-5


def _smooth(padded: Tensor, axis: int) -> Tensor:
    before, centre, after = neighbours(padded, axis)
    return before + 2 * centre + after


def _difference(padded: Tensor, axis: int) -> Tensor:
    before, _, after = neighbours(padded, axis)
    return after - before
