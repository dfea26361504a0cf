"""Hybrid Task Cascade's mask heads, each fed by the one before (Chen et al. 2019, section 3.2)."""

from collections.abc import Iterator
from itertools import zip_longest

import torch
from detectron2.layers import Conv2d
from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
from detectron2.modeling.roi_heads.mask_head import mask_rcnn_inference
from detectron2.structures import Instances
from detectron2.utils.events import get_event_storage
from fvcore.nn.weight_init import c2_msra_fill
from torch import Tensor, nn


class MaskCascade(nn.Module):
    """A Mask R-CNN mask head for each stage of the cascade, and what flows from each to the next.

    The features behind a head's last 3x3 convolution go through a 1x1 convolution and are added to
    what the next head reads. Predicted masks are the mean over the stages.
    """

    def __init__(self, heads: list[MaskRCNNConvUpsampleHead], channels: int):
        """Args:
        heads: of each stage; their `loss_weight` is that of the stage.
        channels: of the features that the heads read and make.
        """
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.flows = nn.ModuleList(
            Conv2d(channels, channels, kernel_size=1, activation=nn.ReLU()) for _ in heads[1:]
        )
        for flow in self.flows:
            c2_msra_fill(flow)

    def losses(self, pooled: Tensor, instances: list[Instances], stage: int) -> dict[str, Tensor]:
        """The loss terms of the head of `stage`, by name.

        Args:
            pooled: features of the boxes, (R, channels, 14, 14).
            instances: of each image its positive boxes, `proposal_boxes`, with their ground truth.
            stage: from 0.
        """
        x = pooled
        for head, flow in zip(self.heads[:stage], self.flows, strict=False):
            x = pooled + flow(_features(head, x))
        with get_event_storage().name_scope(f"stage{stage}"):
            losses = self.heads[stage](x, instances)
        return {f"{name}_stage{stage}": loss for name, loss in losses.items()}

    def forward(self, pooled: Tensor, instances: list[Instances]) -> list[Instances]:
        """`instances` with `pred_masks`, the mean of the probabilities of all stages.

        Args:
            pooled: features of the predicted boxes, (R, channels, 14, 14).
            instances: of each image its `pred_boxes` and `pred_classes`.
        """
        probabilities = []
        for logits in self._logits(pooled):
            mask_rcnn_inference(logits, instances)
            probabilities.append(torch.cat([image.pred_masks for image in instances]))
        mean = torch.stack(probabilities).mean(dim=0).split([len(image) for image in instances])
        for image, masks in zip(instances, mean, strict=True):
            image.pred_masks = masks
        return instances

    def _logits(self, pooled: Tensor) -> Iterator[Tensor]:
        """Of each stage, (R, classes, 28, 28)."""
        x = pooled
        for head, flow in zip_longest(self.heads, self.flows):
            features = _features(head, x)
            yield _predicted(head, features)
            if flow is not None:  # behind the last head there is nothing
                x = pooled + flow(features)


def _features(head: MaskRCNNConvUpsampleHead, x: Tensor) -> Tensor:
    for conv in head.conv_norm_relus:
        x = conv(x)
    return x


def _predicted(head: MaskRCNNConvUpsampleHead, features: Tensor) -> Tensor:
    return head.predictor(head.deconv_relu(head.deconv(features)))
