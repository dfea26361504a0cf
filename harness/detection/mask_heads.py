"""Mask R-CNN's mask head with one more loss term (section III-C, eqs 8, 16-19)."""

from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name

import torch
from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
from detectron2.modeling.roi_heads.mask_head import mask_rcnn_loss
from detectron2.structures import Instances
from torch import Tensor

from harness.grid.losses import LOSS_TERMS, Loss

MaskTerm = Callable[[Tensor, Tensor], Tensor]


class Rasterized:
    """Ground-truth masks already cut to their boxes, shape (n, H, W).

    Stands where detectron2's mask loss expects masks that it can crop: one rasterization then
    serves that loss and ours.
    """

    def __init__(self, masks_nHW: Tensor):
        self.masks_nHW = masks_nHW

    def __len__(self) -> int:
        return len(self.masks_nHW)

    def crop_and_resize(self, boxes: Tensor, side: int) -> Tensor:
        """The masks as they are: `boxes` and `side` are those that they were cut to."""
        return self.masks_nHW


class ContourMaskHead(MaskRCNNConvUpsampleHead):
    """The difference: in training a second loss, `loss_<name>`, of the same logits and masks.

    The ground-truth class channel is gathered once and the ground truth rasterized once; both the
    mask loss (detectron2's own function, on the one gathered channel) and the term read them.
    """

    def __init__(self, *args, contour_term: Loss, **kwargs):
        super().__init__(*args, **kwargs)
        self.contour_term = contour_term
        self.term = mask_term(contour_term)

    def forward(self, x: Tensor, instances: list[Instances]):
        if not self.training:
            return super().forward(x, instances)
        logits_NCHW = self.layers(x)
        if len(logits_NCHW) == 0:
            zero = logits_NCHW.sum() * 0
            return {"loss_mask": zero, f"loss_{self.contour_term.name}": zero}
        with_positives = [image for image in instances if len(image)]
        logits_NHW = _class_channel(logits_NCHW, with_positives)
        rasterized = [_rasterize(image, logits_NHW.shape[-1]) for image in with_positives]
        masks_NHW = torch.cat([image.gt_masks.masks_nHW for image in rasterized])
        mask_loss = mask_rcnn_loss(logits_NHW[:, None], rasterized, self.vis_period)
        return {
            "loss_mask": mask_loss * self.loss_weight,
            f"loss_{self.contour_term.name}": self.term(logits_NHW, masks_NHW)
            * (self.contour_term.weight * self.loss_weight),
        }


def mask_term(loss: Loss) -> MaskTerm:
    """The function of (mask_logits, gt_masks), both (N, H, W), that `loss` names."""
    if loss.name not in LOSS_TERMS:
        raise ValueError(f"loss={loss.name!r} adds no term to the mask loss")
    term = LOSS_TERMS[loss.name]
    options = {name: getattr(loss, name) for name in term.options}
    return partial(resolve_name(term.function), **options)


def _class_channel(logits_NCHW: Tensor, instances: list[Instances]) -> Tensor:
    """The channel of each RoI's ground-truth class, (N, H, W); class-agnostic heads have one."""
    if logits_NCHW.shape[1] == 1:
        return logits_NCHW[:, 0]
    classes_N = torch.cat([image.gt_classes for image in instances])
    return logits_NCHW[torch.arange(len(classes_N), device=classes_N.device), classes_N]


def _rasterize(image: Instances, side: int) -> Instances:
    boxes = image.proposal_boxes.tensor
    masks_nHW = image.gt_masks.crop_and_resize(boxes, side).to(boxes.device)
    return Instances(
        image.image_size, gt_masks=Rasterized(masks_nHW), proposal_boxes=image.proposal_boxes
    )
