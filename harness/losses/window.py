"""3x3 windows as shifted views: pad by one pixel, then combine three neighbours along one axis.

Both kernels of the paper, Sobel and the mean, are separable, so two such passes replace a
convolution. There is no kernel tensor whose dtype or device could be wrong, nothing that autocast
would round, and on a CPU it is several times faster than `conv2d`.

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

from torch import Tensor
from torch.nn.functional import pad

from harness.losses.arguments import check_choice

ROWS, COLUMNS = 1, 2  # the image axes of an (N, H, W) stack

_PAD_MODES = {"zeros": "constant", "replicate": "replicate"}


def pad_by_one(images_NHW: Tensor, padding: str) -> Tensor:
    """`images_NHW` with a frame of one pixel: shape (N, H + 2, W + 2).

    Raises:
        ValueError: `padding` is neither "zeros" nor "replicate".
    """
    check_choice("padding", padding, _PAD_MODES)
    # As (N, 1, H, W): replicate padding refuses a stack of no images in three dimensions.
    return pad(images_NHW[:, None], (1, 1, 1, 1), mode=_PAD_MODES[padding])[:, 0]


def neighbours(padded: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Views of the pixel before, the pixel itself and the pixel after, two shorter along `axis`."""
    length = padded.shape[axis] - 2
    return (
        padded.narrow(axis, 0, length),
        padded.narrow(axis, 1, length),
        padded.narrow(axis, 2, length),
    )
