import pytest
import torch

from harness.detection.mask_heads import ContourMaskHead
from harness.detection.models import build_model, model_config
from harness.grid import NO_LOSS, Setting, contour, finetune

# Bottleneck blocks of res2 to res5.
BLOCKS = {
    "mask_rcnn_R50_FPN": [3, 4, 6, 3],
    "mask_rcnn_R101_FPN": [3, 4, 23, 3],
    "mask_rcnn_X101_FPN": [3, 4, 23, 3],
}


def build(scale, architecture, loss=NO_LOSS):
    spec = finetune(Setting(scale=scale), architecture, loss)
    with torch.device("meta"):  # shapes without memory
        return build_model(spec, num_classes=80)


@pytest.mark.parametrize("scale", ["paper", "demo"])
@pytest.mark.parametrize("architecture", BLOCKS)
def test_both_scales_have_the_architectures_depth(scale, architecture):
    stages = build(scale, architecture).backbone.bottom_up.stages
    assert [len(stage) for stage in stages] == BLOCKS[architecture]


@pytest.mark.parametrize(
    ("architecture", "groups", "bottleneck"),
    [
        ("mask_rcnn_R50_FPN", 1, 64),
        ("mask_rcnn_R101_FPN", 1, 64),
        ("mask_rcnn_X101_FPN", 32, 256),  # 32x8d
    ],
)
def test_the_paper_scale_has_the_published_widths(architecture, groups, bottleneck):
    block = build("paper", architecture).backbone.bottom_up.res2[0].conv2
    assert (block.groups, block.in_channels) == (groups, bottleneck)


def test_the_thin_resnext_is_still_grouped():
    assert build("demo", "mask_rcnn_X101_FPN").backbone.bottom_up.res2[0].conv2.groups == 4


def test_the_paper_scale_has_as_many_parameters_as_is_known_of_mask_rcnn_r50():
    # 44.4 million with 80 classes, frozen stem and norms' constants not counted among parameters.
    model = build("paper", "mask_rcnn_R50_FPN")
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(44.4e6, rel=0.005)


def test_paper_scale_freezes_the_stem_and_res2_and_the_demo_nothing():
    paper = build("paper", "mask_rcnn_R50_FPN").backbone.bottom_up
    frozen = {n.split(".")[0] for n, p in paper.named_parameters() if not p.requires_grad}
    assert frozen == {"stem", "res2"}
    demo = build("demo", "mask_rcnn_R50_FPN")
    assert all(p.requires_grad for p in demo.parameters())


def test_pooling_and_box_losses_are_the_code_bases():
    # maskrcnn-benchmark: sampling ratio 2, smooth-L1 beta 1/9 (RPN) and 1 (boxes).
    model = build("paper", "mask_rcnn_R50_FPN")
    assert model.roi_heads.box_pooler.level_poolers[0].sampling_ratio == 2
    assert model.roi_heads.mask_pooler.level_poolers[0].sampling_ratio == 2
    assert model.proposal_generator.smooth_l1_beta == pytest.approx(1 / 9)
    assert model.roi_heads.box_predictor.smooth_l1_beta == 1.0


def test_a_loss_brings_our_mask_head_and_the_baseline_keeps_detectron2s():
    assert (
        type(build("demo", "mask_rcnn_R50_FPN", contour()).roi_heads.mask_head) is ContourMaskHead
    )
    assert type(build("demo", "mask_rcnn_R50_FPN").roi_heads.mask_head) is not ContourMaskHead


def test_a_fine_tune_has_exactly_the_parameters_of_its_base():
    with_term = build("demo", "mask_rcnn_R50_FPN", contour()).state_dict()
    without = build("demo", "mask_rcnn_R50_FPN").state_dict()
    assert {n: t.shape for n, t in with_term.items()} == {n: t.shape for n, t in without.items()}


def test_the_loss_and_its_options_reach_the_head():
    spec = finetune(Setting(scale="demo"), "mask_rcnn_R50_FPN", contour(k=5, variant="sound"))
    assert model_config(spec, 3).roi_heads.mask_head.contour_term == spec.loss
