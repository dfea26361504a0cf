"""The two variants of the losses: the equations as printed, and as a distance needs them.

| | `paper` | `sound` |
|---|---|---|
| around the RoI | zeros: a false contour where the object touches the frame | the edge repeated |
| kSDT starts from | the response, up to 3 | min(response, 1) |
| dilation maps 0 to | 0.119 | 0 |
| contour loss of a perfect mask | below 0 | 0 |

Shape suffixes in this file:  N masks (one a positive RoI),  H W mask side in px (28 in Mask R-CNN)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.losses.arguments import check_choice
from harness.losses.binarize import soft_binarize
from harness.losses.contour import contour_response
from harness.losses.ksdt import ksdt


@dataclass(frozen=True)
class Variant:
    """Settings of `contour_response` and `ksdt`; nothing else differs between variants."""

    padding: str
    clamp: bool
    rebase: bool

    def responses(self, logits_NHW: Tensor, gt_NHW: Tensor) -> tuple[Tensor, Tensor]:
        """Predicted and true contour response, each (N, H, W)."""
        masks_NHW = soft_binarize(torch.sigmoid(logits_NHW))  # eq 2
        return (
            contour_response(masks_NHW, padding=self.padding),  # eq 4
            contour_response(gt_NHW, padding=self.padding),  # eq 5: already 0/1, so no B
        )

    def distance(self, response_NHW: Tensor, k: int) -> Tensor:
        """k-step distance image of a contour response, (N, H, W) (eqs 6-7).

        Raises:
            ValueError: `k` is below 1.
        """
        return ksdt(response_NHW, k, padding=self.padding, clamp=self.clamp, rebase=self.rebase)


VARIANTS = {
    "paper": Variant(padding="zeros", clamp=False, rebase=False),
    "sound": Variant(padding="replicate", clamp=True, rebase=True),
}


def variant_named(variant: str) -> Variant:
    """The settings that `variant` stands for.

    Raises:
        ValueError: `variant` is neither "paper" nor "sound".
    """
    check_choice("variant", variant, VARIANTS)
    return VARIANTS[variant]


def mean_over_positives(loss_N: Tensor) -> Tensor:
    """Mean over the positive RoIs of this process (eq 17); without any, 0 with a gradient of 0."""
    return loss_N.sum() / max(len(loss_N), 1)
