"""Hybrid Task Cascade's configuration, out of a Mask R-CNN's.

Its own settings are those of the configuration `htc_r50_fpn_1x` of mmdetection, which the authors
of Hybrid Task Cascade (Chen et al. 2019) wrote.
"""

from copy import deepcopy

from detectron2 import model_zoo
from detectron2.config import LazyCall
from detectron2.modeling.poolers import ROIPooler
from omegaconf import DictConfig

from harness.data import stuff_maps
from harness.detection.htc import SEMANTIC, HybridTaskCascade, HybridTaskCascadeHeads
from harness.detection.mask_cascade import MaskCascade
from harness.detection.semantic_branch import ContextPooler, SemanticBranch

STAGE_WEIGHTS = (1.0, 0.5, 0.25)
ADAPTIVE = 0  # sampling ratio: as many points as a box is large


def as_cascade(model: DictConfig, *, semantic_branch: bool) -> None:
    """Make a Mask R-CNN's configuration that of the Hybrid Task Cascade on the same backbone.

    Args:
        model: of a Mask R-CNN with an FPN; its heads become those of each stage.
        semantic_branch: whether there is one.
    """
    model._target_ = HybridTaskCascade
    model.proposal_generator.post_nms_topk = (
        2 * model.proposal_generator.post_nms_topk[0],
        model.proposal_generator.post_nms_topk[1],
    )
    heads = model.roi_heads
    for pooler in (heads.box_pooler, heads.mask_pooler):
        pooler.sampling_ratio = ADAPTIVE
    _repeat_box_heads(heads)
    _repeat_mask_head(heads)
    heads._target_ = HybridTaskCascadeHeads
    heads.semantic_branch = None
    if semantic_branch:
        _add_semantic_branch(model)


def _repeat_box_heads(heads: DictConfig) -> None:
    """A box head and predictor for each stage, boxes coded and matched as in Cascade R-CNN."""
    cascade = model_zoo.get_config("common/models/cascade_rcnn.py").model.roi_heads
    predictor = heads.pop("box_predictor")
    predictor.test_score_thresh = 0.001
    predictor.cls_agnostic_bbox_reg = True
    predictor.num_classes = heads.num_classes
    head = heads.pop("box_head")
    heads.pop("proposal_matcher")
    heads.proposal_matchers = cascade.proposal_matchers
    heads.box_heads = [deepcopy(head) for _ in STAGE_WEIGHTS]
    heads.box_predictors = [
        _with(predictor, box2box_transform=theirs.box2box_transform, loss_weight=weight)
        for theirs, weight in zip(cascade.box_predictors, STAGE_WEIGHTS, strict=True)
    ]


def _repeat_mask_head(heads: DictConfig) -> None:
    head = heads.mask_head
    head.num_classes = heads.num_classes
    heads.mask_head = LazyCall(MaskCascade)(
        heads=[_with(head, loss_weight=weight) for weight in STAGE_WEIGHTS],
        channels=head.conv_dims[0],
    )


def _with(config: DictConfig, **changed: object) -> DictConfig:
    copy = deepcopy(config)
    copy.update(changed)
    return copy


def _add_semantic_branch(model: DictConfig) -> None:
    heads = model.roi_heads
    channels = model.backbone.out_channels
    heads.semantic_branch = LazyCall(SemanticBranch)(
        in_features=list(model.proposal_generator.in_features),
        fused_at="p3",
        channels=channels,
        num_convs=4,
        num_classes=stuff_maps.CLASSES,
        stride=8,
        loss_weight=0.2,
    )
    heads.box_in_features = [*heads.box_in_features, SEMANTIC]
    heads.mask_in_features = [*heads.mask_in_features, SEMANTIC]
    for name in ("box_pooler", "mask_pooler"):
        heads[name] = LazyCall(ContextPooler)(
            pyramid=heads[name],
            semantic=LazyCall(ROIPooler)(
                output_size=14,
                scales=(1 / 8,),
                sampling_ratio=ADAPTIVE,
                pooler_type="ROIAlignV2",
            ),
        )
