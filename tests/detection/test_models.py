import re
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from detectron2 import model_zoo
from omegaconf import OmegaConf

from harness.detection.images import SIDES, train_mapper
from harness.detection.mask_heads import ContourMaskHead
from harness.detection.models import build_model, model_config
from harness.detection.train import build_optimizer
from harness.grid import NO_LOSS, Setting, contour, finetune

RECIPE = Path(__file__).parents[2] / "experiments" / "README.md"
DETECTRON2 = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.py"

# Bottleneck blocks of res2 to res5.
BLOCKS = {
    "mask_rcnn_R50_FPN": [3, 4, 6, 3],
    "mask_rcnn_R101_FPN": [3, 4, 23, 3],
    "mask_rcnn_X101_FPN": [3, 4, 23, 3],
    "htc_R50_FPN": [3, 4, 6, 3],
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


# maskrcnn-benchmark's config/defaults.py and configs/e2e_mask_rcnn_R_50_FPN_1x.yaml, under the
# names that detectron2 has for them.
CODE_BASE = {
    "pixel_mean": [102.9801, 115.9465, 122.7717],
    "pixel_std": [1, 1, 1],
    "input_format": "BGR",
    "backbone.bottom_up.freeze_at": 2,
    "backbone.out_channels": 256,
    "proposal_generator.anchor_generator.sizes": [[32], [64], [128], [256], [512]],
    "proposal_generator.anchor_generator.aspect_ratios": [0.5, 1, 2],
    "proposal_generator.anchor_generator.strides": [4, 8, 16, 32, 64],
    "proposal_generator.anchor_matcher.thresholds": [0.3, 0.7],
    "proposal_generator.anchor_boundary_thresh": 0,
    "proposal_generator.batch_size_per_image": 256,
    "proposal_generator.positive_fraction": 0.5,
    "proposal_generator.pre_nms_topk": [2000, 1000],
    "proposal_generator.post_nms_topk": [2000, 1000],
    "proposal_generator.nms_thresh": 0.7,
    "proposal_generator.smooth_l1_beta": 1 / 9,
    "roi_heads.batch_size_per_image": 512,
    "roi_heads.positive_fraction": 0.25,
    "roi_heads.proposal_matcher.thresholds": [0.5],
    "roi_heads.box_pooler.output_size": 7,
    "roi_heads.box_pooler.pooler_type": "ROIAlign",
    "roi_heads.box_pooler.sampling_ratio": 2,
    "roi_heads.box_pooler.scales": [0.25, 0.125, 0.0625, 0.03125],
    "roi_heads.box_head.fc_dims": [1024, 1024],
    "roi_heads.box_predictor.box2box_transform.weights": [10, 10, 5, 5],
    "roi_heads.box_predictor.smooth_l1_beta": 1,
    "roi_heads.box_predictor.test_score_thresh": 0.05,
    "roi_heads.box_predictor.test_nms_thresh": 0.5,
    "roi_heads.box_predictor.test_topk_per_image": 100,
    "roi_heads.mask_pooler.output_size": 14,
    "roi_heads.mask_pooler.pooler_type": "ROIAlign",
    "roi_heads.mask_pooler.sampling_ratio": 2,
    "roi_heads.mask_pooler.scales": [0.25, 0.125, 0.0625, 0.03125],
    "roi_heads.mask_head.conv_dims": [256] * 5,  # its four, and the one that doubles the side
}
# What detectron2's functions take where a configuration is silent.
SILENT = {
    "proposal_generator.smooth_l1_beta": 0,
    "proposal_generator.anchor_boundary_thresh": -1,
    "roi_heads.box_predictor.smooth_l1_beta": 0,
    "roi_heads.box_predictor.test_nms_thresh": 0.5,
    "roi_heads.box_predictor.test_topk_per_image": 100,
}


def settings(name, value):
    """Each value of a nested configuration by its dotted name."""
    if isinstance(value, dict):
        return {k: v for key in value for k, v in settings(f"{name}.{key}", value[key]).items()}
    return {name.removeprefix("."): list(value) if isinstance(value, tuple) else value}


def said(cell):
    """What a cell of the table says: a number, several, or a word; remarks in brackets are none."""
    words = re.sub(r" \(.*\)", "", cell).split(", ")
    try:
        numbers = [float(Fraction(word)) for word in words]
    except ValueError:
        return cell.partition(" (")[0]
    return numbers if len(numbers) > 1 else numbers[0]


def test_the_recipes_table_holds_each_setting_in_which_the_three_differ():
    # The stages are built by another function, for R50 to the same blocks: see the tests above.
    theirs = SILENT | settings("", OmegaConf.to_container(model_zoo.get_config(DETECTRON2).model))
    spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS)
    ours = SILENT | settings("", OmegaConf.to_container(model_config(spec, 80)))
    assert CODE_BASE.keys() <= ours.keys()
    differing = {
        name: (theirs.get(name), CODE_BASE.get(name), ours.get(name))
        for name in theirs.keys() | ours.keys()
        if not name.startswith("backbone.bottom_up.stages.")
        and not theirs.get(name) == ours.get(name) == CODE_BASE.get(name, ours.get(name))
    }
    row = re.compile(
        r"^\| `([a-z_.0-9]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE
    )
    told = {
        name: tuple(map(said, cells)) for name, *cells in row.findall(RECIPE.read_text("utf-8"))
    }
    assert told == differing


def test_the_recipes_table_holds_the_numbers_of_training():
    spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS)
    theirs = model_zoo.get_config(DETECTRON2)
    warmup = theirs.lr_multiplier
    assert (theirs.dataloader.train.total_batch_size, theirs.optimizer.lr) == (16, 0.02)
    assert warmup.scheduler.milestones == [60_000, 80_000, 90_000]
    assert warmup.warmup_length * 90_000 == pytest.approx(1000)
    assert warmup.warmup_factor == 0.001
    steps = "{}K and {}K of {}K".format(
        *(n // 1000 for n in (*spec.schedule.steps, spec.schedule.max_iter))
    )
    # maskrcnn-benchmark's configs/e2e_mask_rcnn_X_101_32x8d_FPN_1x.yaml has batch 8.
    for line in (
        f"| 16 | 16; its X101: 8 | {spec.total_batch_size}, on {spec.num_gpus} GPUs |",
        f"| 0.02 | 0.02; its X101: 0.01 | {spec.schedule.base_lr} |",
        f"| 60K and 80K of 90K | the same; its X101: {steps} | {steps} |",
        f"| 1,000 iterations from 0.001 | 500 from 1/3, linear | {spec.schedule.warmup_iters} from "
        "1/3, linear |",
        f"| 800 px | {SIDES['paper'][0]} px |",
    ):
        assert line in RECIPE.read_text(encoding="utf-8")
    assert spec.schedule.warmup_factor == pytest.approx(1 / 3)


def test_the_recipes_table_holds_what_differs_in_x101():
    spec = finetune(Setting(scale="paper"), "mask_rcnn_X101_FPN", NO_LOSS)
    std = ", ".join(f"{value:g}" for value in model_config(spec, 80).pixel_std)
    assert f"| X101's `pixel_std` | {std} | 1 | {std} |" in RECIPE.read_text(encoding="utf-8")


def test_biases_learn_twice_as_fast_and_do_not_decay():
    spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS)
    model = build("paper", "mask_rcnn_R50_FPN")
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for group in build_optimizer(spec, model).param_groups:
        for parameter in group["params"]:
            is_bias = names[id(parameter)].endswith(".bias")
            options = (group["lr"], group["weight_decay"], group["momentum"])
            assert options == ((0.02, 0.0, 0.9) if is_bias else (0.01, 1e-4, 0.9))


def test_the_paper_scale_has_one_size_800_and_1333():
    spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS)
    resize, flip = train_mapper(spec).augmentations.augs
    assert (resize.short_edge_length, resize.max_size) == ((800, 800), 1333)
    assert (flip.horizontal, flip.prob) == (True, 0.5)
