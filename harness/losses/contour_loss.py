"""Contour loss: how far each contour lies from the other one (III-C, eqs 16-17, Algorithm 2).

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

import torch
from torch import Tensor

from harness.losses.arguments import as_logits_and_truth
from harness.losses.variants import mean_over_positives, variant_named

EPSILON = 1e-6  # the paper names no value


def contour_loss(
    mask_logits: Tensor, gt_masks: Tensor, *, k: int = 2, variant: str = "paper"
) -> Tensor:
    """Mean distance between predicted and true contour, in steps, measured both ways.

    A perfect mask scores below 0 in "paper" (about -1.04 for a square, -1.3 for a disc), whose kSDT
    is negative on the contour, and 0 in "sound". Where neither side has any contour, as "sound"
    sees an empty or a full RoI, the value is 1: ε / ε.

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
        predicted_distance_NHW = settings.distance(predicted_NHW, k)  # eq 6
        true_distance_NHW = settings.distance(true_NHW, k)  # eq 7
        there_N = _mean_distance(predicted_NHW, true_distance_NHW)
        back_N = _mean_distance(true_NHW, predicted_distance_NHW)
        return mean_over_positives((there_N + back_N) / 2)  # eqs 16, 17


def _mean_distance(contour_NHW: Tensor, distance_NHW: Tensor) -> Tensor:
    """One fraction of eq 16: the distance image averaged along a contour, shape (N,)."""
    covered_N = (contour_NHW * distance_NHW).mean(dim=(1, 2))
    return (covered_N + EPSILON) / (contour_NHW.mean(dim=(1, 2)) + EPSILON)
