"""What a call may pass, and the precision it is computed in.

float16, bfloat16, integers and booleans are computed, and returned, in float32: in bfloat16 the
gradients are off by up to 45%. float64 stays float64, so that `gradcheck` works.

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

from collections.abc import Iterable

import torch
from torch import Tensor


def as_float(name: str, value: Tensor) -> Tensor:
    """`value` in float64 where it already is, else in float32.

    Raises:
        ValueError: `value` is not a tensor of real numbers.
    """
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} must be a tensor, got {type(value).__name__}")
    if value.is_complex():
        raise ValueError(f"{name} must hold real numbers, got dtype {value.dtype}")
    return value if value.dtype == torch.float64 else value.float()


def as_images(name: str, value: Tensor) -> Tensor:
    """`value` as a stack of floating-point images, shape (N, H, W); N may be 0, H and W may not.

    Raises:
        ValueError: `value` has another shape, or is not a tensor of real numbers.
    """
    images_NHW = as_float(name, value)
    if images_NHW.ndim != 3 or 0 in images_NHW.shape[1:]:
        raise ValueError(f"{name} must have shape (N, H, W), got {tuple(images_NHW.shape)}")
    return images_NHW


def as_logits_and_truth(mask_logits: Tensor, gt_masks: Tensor) -> tuple[Tensor, Tensor]:
    """Both sides of a loss in the logits' precision; the ground truth is cut from the graph.

    Raises:
        ValueError: a side is not (N, H, W), the shapes differ, or the logits are integers.
    """
    logits_NHW = as_images("mask_logits", mask_logits)
    gt_NHW = as_images("gt_masks", gt_masks)
    if not mask_logits.is_floating_point():
        raise ValueError(f"mask_logits must be floating point, got dtype {mask_logits.dtype}")
    if gt_NHW.shape != logits_NHW.shape:
        shapes = f"{tuple(gt_NHW.shape)} and {tuple(logits_NHW.shape)}"
        raise ValueError(f"gt_masks and mask_logits must have the same shape, got {shapes}")
    return logits_NHW, gt_NHW.detach().to(logits_NHW.dtype)


def check_steps(k: int) -> None:
    """Refuse a `k` that is not a whole number of at least 1.

    Raises:
        ValueError: `k` is below 1, or not an int.
    """
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be an int of at least 1, got {k!r}")


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a `value` that is none of `choices`.

    Raises:
        ValueError: names the argument, its value and the choices.
    """
    known = tuple(choices)
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
