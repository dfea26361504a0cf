import re
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


def settings(name, value):
    """Each value of a nested configuration by its dotted name."""
    if isinstance(value, dict):
        return {k: v for key in value for k, v in settings(f"{name}.{key}", value[key]).items()}
    return {name.removeprefix("."): value}


def test_the_recipes_table_holds_each_setting_in_which_the_model_differs_from_detectron2():
    # The stages are built by another function, for R50 to the same blocks: see the tests above.
    theirs = settings("", OmegaConf.to_container(model_zoo.get_config(DETECTRON2).model))
    spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS)
    ours = settings("", OmegaConf.to_container(model_config(spec, 80)))
    differing = {
        name: (theirs.get(name, 0), ours.get(name))  # a beta that is left out is 0 in detectron2
        for name in theirs.keys() | ours.keys()
        if theirs.get(name) != ours.get(name) and not name.startswith("backbone.bottom_up.stages.")
    }
    row = re.compile(r"^\| `([a-z_.0-9]+)` \| (\d)[^|]* \| ([^|]+) \| code base \|$", re.MULTILINE)
    told = {
        name: (float(theirs), 1 / 9 if ours == "1/9" else float(ours))
        for name, theirs, ours in row.findall(RECIPE.read_text(encoding="utf-8"))
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
    for line in (
        f"| 16 | {spec.total_batch_size}, on {spec.num_gpus} GPUs |",
        f"| 0.02 | {spec.schedule.base_lr} |",
        "| 60K and 80K of 90K | {}K and {}K of {}K |".format(
            *(n // 1000 for n in (*spec.schedule.steps, spec.schedule.max_iter))
        ),
        f"| {spec.schedule.warmup_iters} from 1/3, linear |".removeprefix("| "),
        f"| {SIDES['paper'][0]} px |",
    ):
        assert line in RECIPE.read_text(encoding="utf-8")
    assert spec.schedule.warmup_factor == pytest.approx(1 / 3)


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
