"""Every run of the three tables at full size, without a GPU: on the meta device nothing has memory.

Expected numbers are worked out from the papers' architectures, not read off the models. What only
Hybrid Task Cascade has is in `test_htc_config.py`.
"""

import math
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import torch
from detectron2.config import instantiate
from detectron2.layers import FrozenBatchNorm2d
from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
from torch.optim.lr_scheduler import LambdaLR

from harness.detection.images import test_mapper as mapper_of_tests
from harness.detection.images import train_mapper
from harness.detection.mask_heads import ContourMaskHead
from harness.detection.models import build_model, model_config
from harness.detection.train import build_optimizer
from harness.grid import NO_LOSS, Setting
from harness.grid.experiments import load_grid

GRID = load_grid((), Setting(scale="paper"), Path(__file__).parents[2] / "experiments")
HTC = "htc_R50_FPN"
MASK_RCNNS = [run for run, spec in GRID.runs.items() if spec.architecture != HTC]
every_run = pytest.mark.parametrize("run", GRID.runs, ids=GRID.name_of)
every_mask_rcnn = pytest.mark.parametrize("run", MASK_RCNNS, ids=GRID.name_of)

CONV = 256 * 256 * 3 * 3 + 256  # 590,080: a 3x3 convolution of 256 channels with its biases


def stage(blocks, before, width, after, groups=1):
    """Parameters of bottleneck blocks. All norms are frozen, so constants; there are no biases."""
    inner = 9 * width * width // groups  # the 3x3 convolution
    shortcut = before * after
    first = before * width + inner + width * after + shortcut
    return first + (blocks - 1) * (after * width + inner + width * after)


# 3, 4, 6 or 23, and 3 blocks. R50's res2: 73,728 + 2 x 69,632 = 212,992 parameters.
STEM = 3 * 64 * 7 * 7
RESNET = {
    "res2": stage(3, 64, 64, 256),
    "res3": stage(4, 256, 128, 512),
    "res4": stage(6, 512, 256, 1024),
    "res5": stage(3, 1024, 512, 2048),
}
BODIES = {
    "mask_rcnn_R50_FPN": RESNET,
    "mask_rcnn_R101_FPN": RESNET | {"res4": stage(23, 512, 256, 1024)},
    # 32x8d: 32 groups of 8 channels in res2, twice as many from stage to stage.
    "mask_rcnn_X101_FPN": {
        "res2": stage(3, 64, 32 * 8, 256, groups=32),
        "res3": stage(4, 256, 32 * 16, 512, groups=32),
        "res4": stage(23, 512, 32 * 32, 1024, groups=32),
        "res5": stage(3, 1024, 32 * 64, 2048, groups=32),
    },
    HTC: RESNET,
}
HEADS = {
    # FPN: four 1x1 convolutions from 256, 512, 1024 and 2048 channels, four 3x3.
    "fpn": (256 + 512 + 1024 + 2048) * 256 + 4 * 256 + 4 * CONV,
    # RPN: a 3x3 convolution; per place 3 anchors' scores, and 4 numbers for each.
    "rpn": CONV + 3 * (256 + 1) + 12 * (256 + 1),
    # Two fully connected layers of 1,024 on 7 x 7 x 256.
    "box head": (7 * 7 * 256 + 1) * 1024 + (1024 + 1) * 1024,
    # 80 classes and the background; 4 numbers for each class.
    "box predictor": (1024 + 1) * 81 + (1024 + 1) * 320,
    # Four 3x3 convolutions, a 2x2 that doubles the side, a mask for each class.
    "mask head": 4 * CONV + (256 * 256 * 2 * 2 + 256) + 80 * (256 + 1),
}
HTC_HEADS = HEADS | {
    "box head": 3 * HEADS["box head"],
    "box predictor": 3 * (1024 + 1) * (81 + 4),  # one box for all classes
    # Between the three a 1x1 convolution each.
    "mask head": 3 * HEADS["mask head"] + 2 * (256 + 1) * 256,
    # Five 1x1 convolutions, four 3x3, one 1x1, 183 classes.
    "semantic branch": 6 * (256 + 1) * 256 + 4 * CONV + 183 * (256 + 1),
}
# Stem, stages and heads together.
TOTALS = {
    "mask_rcnn_R50_FPN": 44_343_216,
    "mask_rcnn_R101_FPN": 63_283_120,
    "mask_rcnn_X101_FPN": 107_427_760,
    HTC: 80_205_173,
}


@cache
def built(run):
    with torch.device("meta"):
        return build_model(GRID.runs[run], num_classes=80)


def count(module, trained=False):
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trained)


def test_every_architecture_of_the_tables_is_pinned_here():
    assert {spec.architecture for spec in GRID.runs.values()} == BODIES.keys()
    # 9 + 2 + 2 + 2 fine-tunes and a base each.
    assert len(GRID.runs) == 19


@every_run
def test_every_part_has_the_parameters_of_its_architecture(run):
    model, architecture = built(run), GRID.runs[run].architecture
    bottom_up, heads = model.backbone.bottom_up, model.roi_heads
    assert count(bottom_up.stem) == STEM
    assert {name: count(getattr(bottom_up, name)) for name in BODIES[architecture]} == BODIES[
        architecture
    ]
    expected = HTC_HEADS if architecture == HTC else HEADS
    found = {
        "fpn": count(model.backbone) - count(bottom_up),
        "rpn": count(model.proposal_generator),
        "box head": count(heads.box_head),
        "box predictor": count(heads.box_predictor),
        "mask head": count(heads.mask_head),
    }
    if architecture == HTC:
        found["semantic branch"] = count(heads.semantic_branch)
    assert found == expected
    parts = STEM + sum(BODIES[architecture].values()) + sum(expected.values())
    assert count(model) == parts == TOTALS[architecture]


@every_run
def test_the_first_blocks_have_the_published_shapes_and_strides(run):
    bottom_up = built(run).backbone.bottom_up
    assert bottom_up.stem.conv1.weight.shape == (64, 3, 7, 7)
    # res3 halves the side once: MSRA's ResNets in the 1x1 convolution, ResNeXts in the 3x3.
    grouped = GRID.runs[run].architecture == "mask_rcnn_X101_FPN"
    first = bottom_up.res3[0]
    strides = [conv.stride[0] for conv in (first.conv1, first.conv2, first.conv3, first.shortcut)]
    assert strides == ([1, 2, 1, 2] if grouped else [2, 1, 1, 2])
    # 32 groups of 8 channels in res2, of 16 in res3; one of 64 and 128.
    width = 512 if grouped else 128
    assert first.conv1.weight.shape == (width, 256, 1, 1)
    assert first.conv2.weight.shape == (width, 16 if grouped else 128, 3, 3)
    assert first.conv2.groups == (32 if grouped else 1)
    assert first.conv3.weight.shape == (512, width, 1, 1)


@every_mask_rcnn
def test_the_heads_have_the_published_shapes(run):
    heads = built(run).roi_heads
    shapes = {name: tuple(p.shape) for name, p in heads.named_parameters() if "weight" in name}
    assert shapes == {
        "box_head.fc1.weight": (1024, 12_544),
        "box_head.fc2.weight": (1024, 1024),
        "box_predictor.cls_score.weight": (81, 1024),
        "box_predictor.bbox_pred.weight": (320, 1024),
        **{f"mask_head.mask_fcn{n}.weight": (256, 256, 3, 3) for n in (1, 2, 3, 4)},
        "mask_head.deconv.weight": (256, 256, 2, 2),
        "mask_head.predictor.weight": (80, 256, 1, 1),
    }


@every_run
def test_each_level_has_one_anchor_size_in_three_ratios(run):
    rpn = built(run).proposal_generator
    assert rpn.anchor_generator.strides == [4, 8, 16, 32, 64]
    assert rpn.anchor_generator.num_anchors == [3] * 5
    # Once more on the CPU, for their values: 32 px at p2 to 512 px at p6. As high as wide times
    # 0.5, 1 and 2 at the same area: at 0.5 sqrt(2) times as wide and sqrt(1/2) times as high.
    generator = instantiate(
        model_config(GRID.runs[run], num_classes=80).proposal_generator.anchor_generator
    )
    for size, anchors in zip((32, 64, 128, 256, 512), generator.cell_anchors, strict=True):
        long, short = size * math.sqrt(2) / 2, size / math.sqrt(2) / 2
        half = [[long, short], [size / 2, size / 2], [short, long]]
        expected = torch.tensor([[-w, -h, w, h] for w, h in half])
        torch.testing.assert_close(anchors, expected)


@every_run
def test_the_stem_and_res2_are_frozen_and_so_is_every_norm(run):
    model, architecture = built(run), GRID.runs[run].architecture
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert {name.split(".")[2] for name in frozen} == {"stem", "res2"}
    assert count(model) - count(model, trained=True) == STEM + BODIES[architecture]["res2"]
    norms = [type(m) for m in model.modules() if "Norm" in type(m).__name__]
    # One in the stem, three in each block, one in each stage's shortcut; none in FPN and heads.
    blocks = 3 + 4 + (6 if "R50" in architecture else 23) + 3
    assert norms == [FrozenBatchNorm2d] * (1 + 3 * blocks + 4)


@every_mask_rcnn
def test_rois_are_pooled_and_boxes_coded_as_in_the_code_base(run):
    heads, rpn = built(run).roi_heads, built(run).proposal_generator
    for pooler, side in ((heads.box_pooler, 7), (heads.mask_pooler, 14)):
        levels = list(pooler.level_poolers)
        assert [level.output_size for level in levels] == [(side, side)] * 4
        assert [level.spatial_scale for level in levels] == [1 / 4, 1 / 8, 1 / 16, 1 / 32]
        assert {level.sampling_ratio for level in levels} == {2}
        # A box whose root of area is 224 px is pooled from p4.
        assert (pooler.canonical_box_size, pooler.canonical_level) == (224, 4)
    assert heads.box_predictor.box2box_transform.weights == [10, 10, 5, 5]
    assert list(rpn.box2box_transform.weights) == [1, 1, 1, 1]
    assert rpn.smooth_l1_beta == pytest.approx(1 / 9)
    assert heads.box_predictor.smooth_l1_beta == 1


@every_mask_rcnn
def test_as_many_boxes_are_proposed_and_sampled_as_in_the_code_base(run):
    heads, rpn = built(run).roi_heads, built(run).proposal_generator
    # By whether it is in training. After NMS: see the last table of experiments/README.md.
    assert rpn.pre_nms_topk == {True: 2000, False: 1000}
    assert rpn.post_nms_topk == {True: 1000, False: 1000}
    assert rpn.nms_thresh == 0.7
    assert (rpn.batch_size_per_image, rpn.positive_fraction) == (256, 0.5)
    assert rpn.anchor_matcher.thresholds[1:-1] == [0.3, 0.7]
    assert (heads.batch_size_per_image, heads.positive_fraction) == (512, 0.25)
    assert heads.proposal_matcher.thresholds[1:-1] == [0.5]
    predictor = heads.box_predictor
    assert (predictor.test_score_thresh, predictor.test_nms_thresh) == (0.05, 0.5)
    assert predictor.test_topk_per_image == 100


@every_mask_rcnn
def test_only_a_fine_tune_with_a_term_has_another_mask_head(run):
    spec, head = GRID.runs[run], built(run).roi_heads.mask_head
    assert type(head) is (MaskRCNNConvUpsampleHead if spec.loss == NO_LOSS else ContourMaskHead)
    assert head.loss_weight == 1
    if spec.loss != NO_LOSS:
        assert (head.contour_term, spec.loss.weight) == (spec.loss, 1)


@every_run
def test_the_optimizer_is_sgd_without_clipping_and_spares_biases_the_decay(run):
    optimizer = build_optimizer(GRID.runs[run], built(run))
    assert type(optimizer) is torch.optim.SGD  # detectron2's clipping would be a subclass
    options = Counter(
        (group["lr"], group["weight_decay"], group["momentum"], group["nesterov"])
        for group in optimizer.param_groups
        for _ in group["params"]
    )
    # Weights: 53 of R50's convolutions but the stem's and res2's 10, FPN 8, RPN 3, boxes 4, masks
    # 6, so 63; R101 and X101 have 17 blocks of 3 more. Biases: 8 + 3 + 4 + 6.
    # HTC has two more box and mask heads, so 20, two flows, and 11 in its semantic branch, of both.
    weights, biases = {
        "mask_rcnn_R50_FPN": (63, 21),
        HTC: (63 + 33, 21 + 33),
    }.get(GRID.runs[run].architecture, (63 + 17 * 3, 21))
    assert options == {(0.01, 1e-4, 0.9, False): weights, (0.02, 0.0, 0.9, False): biases}


@pytest.mark.parametrize(
    ("iteration", "rate"),
    [
        (0, 0.01 / 3),  # the code base's warm-up begins at a third
        (500, 0.01),  # and is over
        (119_999, 0.01),  # the base's last
        (120_000, 0.001),  # the fine-tunes' first
        (159_999, 0.001),
        (160_000, 0.0001),
        (179_999, 0.0001),  # the last of all
    ],
)
@every_run
def test_the_learning_rate_is_the_papers_at_every_turn(run, iteration, rate):
    spec = GRID.runs[run]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=spec.schedule.base_lr)
    optimizer.param_groups[0]["initial_lr"] = spec.schedule.base_lr
    # A scheduler that begins after the iteration before.
    LambdaLR(optimizer, spec.schedule.lr_factor, last_epoch=iteration - 1)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-12)


@every_run
def test_batch_precision_and_images_are_the_recipes(run):
    spec = GRID.runs[run]
    assert (spec.total_batch_size, spec.num_gpus, spec.precision) == (8, 4, "float32")
    year = 2017 if spec.architecture == HTC else 2014
    assert (spec.train_split, spec.mask_format) == (f"coco_{year}_train", "polygon")
    iterations = (spec.first_iteration, spec.last_iteration)
    assert iterations == ((0, 120_000) if spec.stage == "base" else (120_000, 180_000))
    for mapper in (train_mapper(spec), mapper_of_tests(spec)):
        resize = mapper.augmentations.augs[0]
        assert (resize.short_edge_length, resize.max_size) == ((800, 800), 1333)
        assert mapper.image_format == "BGR"
    x101 = spec.architecture == "mask_rcnn_X101_FPN"
    config = model_config(spec, num_classes=80)
    assert config.pixel_mean == [103.53, 116.28, 123.675]
    assert config.pixel_std == ([57.375, 57.12, 58.395] if x101 else [1, 1, 1])
