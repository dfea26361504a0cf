"""Hybrid Task Cascade at paper scale against what is published with it."""

from dataclasses import replace

import pytest
import torch

from harness.detection.mask_heads import ContourMaskHead
from harness.detection.models import build_model
from harness.grid import NO_LOSS, Setting, contour, finetune

CLASSES = 80


def build(loss=NO_LOSS, semantic_branch=True):
    spec = finetune(Setting(scale="paper"), "htc_R50_FPN", loss)
    with torch.device("meta"):  # shapes without memory
        return build_model(replace(spec, semantic_branch=semantic_branch), CLASSES)


@pytest.fixture(scope="module")
def model():
    return build()


def test_three_stages_match_and_code_boxes_as_in_cascade_rcnn(model):
    heads = model.roi_heads
    assert [matcher.thresholds[1] for matcher in heads.proposal_matchers] == [0.5, 0.6, 0.7]
    # The reciprocals of the published deviations 0.1, 0.05, 0.033 and 0.2, 0.1, 0.067.
    weights = [predictor.box2box_transform.weights for predictor in heads.box_predictor]
    assert weights == [(10, 10, 5, 5), (20, 20, 10, 10), (30, 30, 15, 15)]


def test_boxes_are_class_agnostic_and_losses_weigh_1_a_half_and_a_quarter(model):
    heads = model.roi_heads
    for predictor, mask_head, weight in zip(
        heads.box_predictor, heads.mask_head.heads, (1.0, 0.5, 0.25), strict=True
    ):
        assert predictor.bbox_pred.out_features == 4
        assert set(predictor.loss_weight.values()) == {weight}
        assert predictor.smooth_l1_beta == 1.0
        assert mask_head.loss_weight == weight


def test_the_semantic_branch_reads_five_levels_and_knows_183_classes(model):
    branch = model.roi_heads.semantic_branch
    assert branch.in_features == ["p2", "p3", "p4", "p5", "p6"]
    assert (branch.fused_at, branch.stride, branch.loss_weight) == ("p3", 8, 0.2)
    assert branch.predictor.out_channels == 183
    assert len(branch.convs) == 4


def test_pooling_is_adaptive_and_context_comes_at_14_by_14_from_stride_8(model):
    for pooler, side in ((model.roi_heads.box_pooler, 7), (model.roi_heads.mask_pooler, 14)):
        assert pooler.pyramid.output_size == (side, side)
        assert pooler.pyramid.level_poolers[0].sampling_ratio == 0
        (context,) = pooler.semantic.level_poolers
        assert pooler.semantic.output_size == (14, 14)
        assert (context.spatial_scale, context.sampling_ratio) == (1 / 8, 0)


def test_proposals_and_scores_are_the_published_ones(model):
    # 2,000 proposals in training, 1,000 at test; detections from a score of 0.001 on.
    assert model.proposal_generator.post_nms_topk == {True: 2000, False: 1000}
    assert {p.test_score_thresh for p in model.roi_heads.box_predictor} == {0.001}
    assert {p.test_topk_per_image for p in model.roi_heads.box_predictor} == {100}


def test_without_the_branch_only_the_branch_is_gone(model):
    without = build(semantic_branch=False)
    assert {name for name, _ in model.named_parameters()} - {
        name for name, _ in without.named_parameters()
    } == {
        f"roi_heads.semantic_branch.{n}"
        for n, _ in model.roi_heads.semantic_branch.named_parameters()
    }


def test_a_contour_term_is_on_the_mask_head_of_every_stage():
    with_term = build(contour(k=2))
    heads = with_term.roi_heads.mask_head.heads
    assert [type(head) for head in heads] == [ContourMaskHead] * 3
    assert {head.contour_term for head in heads} == {contour(k=2)}


def test_a_fine_tune_has_exactly_the_parameters_of_its_base(model):
    with_term = build(contour()).state_dict()
    shapes = {name: value.shape for name, value in with_term.items()}
    assert shapes == {name: value.shape for name, value in model.state_dict().items()}
