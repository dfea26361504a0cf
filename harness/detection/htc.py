"""Hybrid Task Cascade (Chen et al. 2019) on detectron2's Cascade R-CNN.

What is done here and not there: boxes and masks of a stage are trained one after the other, each
on boxes that the stage's own box head has moved (interleaved, section 3.1); masks flow from stage
to stage (3.2); a semantic branch adds context (3.3).
"""

import torch
from detectron2.modeling import GeneralizedRCNN
from detectron2.modeling.roi_heads import CascadeROIHeads, select_foreground_proposals
from detectron2.structures import Boxes, ImageList, Instances
from detectron2.utils.events import get_event_storage
from torch import Tensor

from harness.data.stuff_maps import UNLABELED
from harness.detection.semantic_branch import SemanticBranch

SEMANTIC = "semantic"  # the name of the semantic features beside those of the pyramid


class HybridTaskCascade(GeneralizedRCNN):
    """The difference: the heads get the stuff maps of a batch beside its images."""

    def preprocess_image(self, batched_inputs) -> ImageList:
        images = super().preprocess_image(batched_inputs)
        if self.training and self.roi_heads.semantic_branch is not None:
            images.stuff_NHW = ImageList.from_tensors(
                [image["sem_seg"].to(self.device) for image in batched_inputs],
                self.backbone.size_divisibility,
                pad_value=UNLABELED,
                padding_constraints=self.backbone.padding_constraints,
            ).tensor
        return images


class HybridTaskCascadeHeads(CascadeROIHeads):
    """Three box and three mask heads, interleaved, and the semantic branch.

    Losses are weighted by stage in the heads themselves. At test time boxes are as in Cascade
    R-CNN: scores are means over the stages, boxes those of the last.
    """

    def __init__(self, *, semantic_branch: SemanticBranch | None, **kwargs):
        super().__init__(**kwargs)
        self.semantic_branch = semantic_branch

    def forward(self, images, features, proposals, targets=None):
        losses = {}
        if self.semantic_branch is not None:
            logits, context = self.semantic_branch(features)
            features = {**features, SEMANTIC: context}
            if self.training:
                losses["loss_semantic"] = self.semantic_branch.loss(logits, images.stuff_NHW)
        if not self.training:
            return super().forward(images, features, proposals)
        return proposals, losses | self._stage_losses(features, proposals, targets)

    def _stage_losses(
        self, features: dict[str, Tensor], proposals: list[Instances], targets: list[Instances]
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for stage in range(self.num_cascade_stages):
            sampled = self._sampled(proposals, targets, stage, "box")
            predictions = self._run_stage(
                [features[name] for name in self.box_in_features], sampled, stage
            )
            with get_event_storage().name_scope(f"stage{stage}"):
                box_losses = self.box_predictor[stage].losses(predictions, sampled)
            losses |= {f"{name}_stage{stage}": loss for name, loss in box_losses.items()}
            proposals = self._moved(sampled, predictions, targets, stage)
            losses |= self._mask_losses(features, proposals, targets, stage)
        return losses

    def _sampled(
        self, proposals: list[Instances], targets: list[Instances], stage: int, head: str
    ) -> list[Instances]:
        """A new sample of the boxes, the ground truth's among them, matched as `stage` matches."""
        self.proposal_matcher = self.proposal_matchers[stage]  # the method below reads it, no other
        with get_event_storage().name_scope(f"stage{stage}/{head}"):
            return self.label_and_sample_proposals(proposals, targets)

    def _run_stage(
        self, features: list[Tensor], proposals: list[Instances], stage: int
    ) -> tuple[Tensor, Tensor]:
        # Gradients are not divided by the number of stages here: losses are weighted instead.
        pooled = self.box_pooler(features, [image.proposal_boxes for image in proposals])
        return self.box_predictor[stage](self.box_head[stage](pooled))

    @torch.no_grad()
    def _moved(
        self,
        sampled: list[Instances],
        predictions: tuple[Tensor, Tensor],
        targets: list[Instances],
        stage: int,
    ) -> list[Instances]:
        """The sampled boxes as `stage` moves them; not the ground truth's, which are added anew."""
        moved = self.box_predictor[stage].predict_boxes(predictions, sampled)
        proposals = self._create_proposals_from_boxes(
            [
                boxes[~_are_among(image.proposal_boxes, truth.gt_boxes)]
                for boxes, image, truth in zip(moved, sampled, targets, strict=True)
            ],
            [image.image_size for image in sampled],
        )
        for image in proposals:  # adding the ground truth asks for the field, and nobody reads it
            image.objectness_logits = image.proposal_boxes.tensor.new_zeros(len(image))
        return proposals

    def _mask_losses(
        self,
        features: dict[str, Tensor],
        proposals: list[Instances],
        targets: list[Instances],
        stage: int,
    ) -> dict[str, Tensor]:
        sampled = self._sampled(proposals, targets, stage, "mask")
        positives, _ = select_foreground_proposals(sampled, self.num_classes)
        pooled = self.mask_pooler(
            [features[name] for name in self.mask_in_features],
            [image.proposal_boxes for image in positives],
        )
        return self.mask_head.losses(pooled, positives, stage)


def _are_among(boxes: Boxes, others: Boxes) -> Tensor:
    return (boxes.tensor[:, None] == others.tensor[None]).all(dim=-1).any(dim=1)
