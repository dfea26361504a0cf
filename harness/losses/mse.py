"""The two rivals of contour loss in Table II: squared error of the images (IV-D, eqs 18-19).

The paper leaves open whether pixels are summed or averaged. Averaged: a sum is 784 times larger on
28x28 masks, which no run at loss weight 1 survives.

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

import torch
from torch import Tensor

from harness.losses.arguments import as_logits_and_truth
from harness.losses.variants import mean_over_positives, variant_named


def mse_edge_loss(mask_logits: Tensor, gt_masks: Tensor, *, variant: str = "paper") -> Tensor:
    """Mean squared difference of the predicted and the true contour response.

    Args:
        mask_logits: mask head output for the true class, before the sigmoid, shape (N, H, W).
        gt_masks: 0/1 masks of any real dtype, shape (N, H, W); never receives a gradient.
        variant: "paper" or "sound".

    Returns:
        Scalar, float32 (float64 where `mask_logits` is); 0 with a zero gradient for N = 0.

    Raises:
        ValueError: a shape or `variant` is wrong, or `mask_logits` are integers.
    """
    settings = variant_named(variant)
    logits_NHW, gt_NHW = as_logits_and_truth(mask_logits, gt_masks)
    with torch.autocast(logits_NHW.device.type, enabled=False):
        predicted_NHW, true_NHW = settings.responses(logits_NHW, gt_NHW)
        return _mean_squared_error(predicted_NHW, true_NHW)  # eq 18


def mse_contour_loss(
    mask_logits: Tensor, gt_masks: Tensor, *, k: int = 2, variant: str = "paper"
) -> Tensor:
    """Mean squared difference of the predicted and the true k-step distance image.

    Args:
        mask_logits: mask head output for the true class, before the sigmoid, shape (N, H, W).
        gt_masks: 0/1 masks of any real dtype, shape (N, H, W); never receives a gradient.
        k: number of dilations, at least 1; distances are truncated at k + 1.
        variant: "paper" or "sound".

    Returns:
        Scalar, float32 (float64 where `mask_logits` is); 0 with a zero gradient for N = 0.

    Raises:
        ValueError: a shape, `k` or `variant` is wrong, or `mask_logits` are integers.
    """
    settings = variant_named(variant)
    logits_NHW, gt_NHW = as_logits_and_truth(mask_logits, gt_masks)
    with torch.autocast(logits_NHW.device.type, enabled=False):
        predicted_NHW, true_NHW = settings.responses(logits_NHW, gt_NHW)
        return _mean_squared_error(
            settings.distance(predicted_NHW, k), settings.distance(true_NHW, k)
        )  # eq 19


def _mean_squared_error(predicted_NHW: Tensor, true_NHW: Tensor) -> Tensor:
    return mean_over_positives((predicted_NHW - true_NHW).square().mean(dim=(1, 2)))
