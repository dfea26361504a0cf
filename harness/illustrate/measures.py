"""What the formulas do, in numbers: how k acts, and how much contour a border draws."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from torch import Tensor

REFERENCE_K = 2  # the paper's choice (IV-C)


def effect_of_k(
    mask_logits: "Tensor", gt_masks: "Tensor", ks: Sequence[int], *, variant: str = "paper"
) -> pd.DataFrame:
    """What each k makes of the same masks, a row for each, by k.

    Args:
        mask_logits: before the sigmoid, shape (N, H, W).
        gt_masks: 0/1 masks, shape (N, H, W).
        ks: numbers of dilations, each at least 1.
        variant: "paper" or "sound".

    Returns:
        `loss`, the contour loss; `background`, the largest value of the truth's distance image, the
        outermost ring left out, on which zero padding acts; and how the loss's gradient by the
        logits compares with that of k = 2: `cosine` of the angle between them, and `norm`, its
        length over the other's.
    """
    from harness.losses.variants import variant_named

    settings = variant_named(variant)
    _, reference = _loss_and_gradient(mask_logits, gt_masks, REFERENCE_K, variant)
    rows = []
    for k in ks:
        loss, gradient = _loss_and_gradient(mask_logits, gt_masks, k, variant)
        _, truth = settings.responses(mask_logits, gt_masks)
        rows.append(
            {
                "loss": loss,
                "background": settings.distance(truth, k)[:, 1:-1, 1:-1].max().item(),
                "cosine": (gradient @ reference / gradient.norm() / reference.norm()).item(),
                "norm": (gradient.norm() / reference.norm()).item(),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(ks, name="k"))


def share_drawn_by_the_border(gt_masks: "Tensor") -> float:
    """The part of the masks' contour response that zero padding alone draws, from 0 to 1.

    Args:
        gt_masks: 0/1 masks, shape (N, H, W).
    """
    from harness.losses import contour_response

    drawn = contour_response(gt_masks, padding="zeros").sum()
    return 1 - (contour_response(gt_masks, padding="replicate").sum() / drawn).item()


def _loss_and_gradient(
    mask_logits: "Tensor", gt_masks: "Tensor", k: int, variant: str
) -> tuple[float, "Tensor"]:
    """The contour loss and its gradient by the logits, as one vector."""
    import torch

    from harness.losses import contour_loss

    logits = mask_logits.detach().clone().requires_grad_()
    loss = contour_loss(logits, gt_masks, k=k, variant=variant)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.item(), gradient.flatten()
