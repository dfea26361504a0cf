"""RunSpec -> detectron2 LazyConfig, for every architecture at both scales.

All derive from detectron2's `mask_rcnn_R_50_FPN_1x.py` by override: `_like_the_code_base` holds
what the paper's code base (maskrcnn-benchmark) does otherwise, `_thin` what makes the demo small,
`htc_config` what makes a Mask R-CNN a Hybrid Task Cascade.
"""

from detectron2 import model_zoo
from detectron2.config import LazyCall, instantiate
from detectron2.layers import ShapeSpec
from detectron2.modeling import GeneralizedRCNN
from detectron2.modeling.backbone import ResNet
from detectron2.modeling.backbone.resnet import BottleneckBlock
from omegaconf import DictConfig
from torch import nn

from harness.detection.htc_config import as_cascade
from harness.detection.mask_heads import ContourMaskHead
from harness.grid.architectures import ARCHITECTURES, Architecture
from harness.grid.losses import NO_LOSS
from harness.grid.spec import RunSpec

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def model_config(spec: RunSpec, num_classes: int) -> DictConfig:
    """The LazyConfig of the model that `spec` trains.

    Args:
        spec: its architecture, scale and loss are read.
        num_classes: foreground classes.
    """
    model = model_zoo.get_config("COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.py").model
    architecture = ARCHITECTURES[spec.architecture]
    model.pixel_std = list(architecture.pixel_std)
    model.roi_heads.num_classes = num_classes
    model.backbone.bottom_up.stages = LazyCall(resnet_stages)(
        depth=architecture.depth,
        groups=architecture.groups,
        width=architecture.width,
        res2_channels=256,
        stem_channels=64,
        norm="FrozenBN",
        stride_in_1x1=architecture.stride_in_1x1,
    )
    _like_the_code_base(model)
    if spec.scale == "demo":
        _thin(model, architecture)
    if spec.loss != NO_LOSS:
        model.roi_heads.mask_head._target_ = ContourMaskHead
        model.roi_heads.mask_head.contour_term = spec.loss
    if architecture.cascade:
        as_cascade(model, semantic_branch=spec.semantic_branch)
    return model


def build_model(spec: RunSpec, num_classes: int) -> GeneralizedRCNN:
    """The model of `spec` with weights from torch's global generator."""
    return instantiate(model_config(spec, num_classes))


def resnet_stages(
    *,
    depth: int,
    groups: int,
    width: int,
    res2_channels: int,
    stem_channels: int,
    norm: str,
    stride_in_1x1: bool,
) -> list[list[nn.Module]]:
    """The four stages res2 to res5 of a ResNet or ResNeXt, channels doubling from each to the next.

    detectron2's `make_default_stages` knows neither groups nor other channel counts.
    """
    stages, in_channels = [], stem_channels
    for stage, blocks in enumerate(BLOCKS[depth]):
        out_channels = res2_channels * 2**stage
        stages.append(
            ResNet.make_stage(
                BottleneckBlock,
                blocks,
                in_channels=in_channels,
                out_channels=out_channels,
                bottleneck_channels=groups * width * 2**stage,
                num_groups=groups,
                stride_per_block=[1 if stage == 0 else 2] + [1] * (blocks - 1),
                norm=norm,
                stride_in_1x1=stride_in_1x1,
            )
        )
        in_channels = out_channels
    return stages


def _like_the_code_base(model: DictConfig) -> None:
    model.roi_heads.box_pooler.sampling_ratio = 2
    model.roi_heads.mask_pooler.sampling_ratio = 2
    model.proposal_generator.smooth_l1_beta = 1 / 9
    model.roi_heads.box_predictor.smooth_l1_beta = 1.0
    model.backbone.bottom_up.freeze_at = 2


def _thin(model: DictConfig, architecture: Architecture) -> None:
    """The same architecture at the same depth, a quarter as wide or less, for 128 px images."""
    bottom_up = model.backbone.bottom_up
    bottom_up.freeze_at = 0
    bottom_up.stem.out_channels = 16
    bottom_up.stem.norm = "BN"
    bottom_up.stages.stem_channels = 16
    bottom_up.stages.res2_channels = 64
    bottom_up.stages.norm = "BN"
    bottom_up.stages.groups = min(architecture.groups, 4)
    bottom_up.stages.width = 16 // bottom_up.stages.groups
    model.backbone.out_channels = 64
    model.backbone.norm = "BN"  # without it 400 iterations from scratch reach a fifth of the AP
    model.pixel_std = [57.375, 57.120, 58.395]  # no ImageNet weights to agree with

    rpn = model.proposal_generator
    rpn.head.in_channels = 64
    rpn.anchor_generator.sizes = [[12], [24], [48], [80], [112]]
    rpn.pre_nms_topk = (400, 200)
    rpn.post_nms_topk = (200, 100)
    rpn.batch_size_per_image = 64

    heads = model.roi_heads
    heads.batch_size_per_image = 64
    heads.box_head.input_shape = ShapeSpec(channels=64, height=7, width=7)
    heads.box_head.fc_dims = [128, 128]
    heads.box_predictor.input_shape = ShapeSpec(channels=128)
    heads.mask_head.input_shape = ShapeSpec(channels=64, height=14, width=14)
    heads.mask_head.conv_dims = [64, 64, 64]
