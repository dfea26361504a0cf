"""The heads of Hybrid Task Cascade on proposals whose way through the stages is known."""

from dataclasses import dataclass, field, replace

import pytest
import torch
from detectron2.structures import BitMasks, Boxes, ImageList, Instances
from detectron2.utils.events import EventStorage

from harness.detection.models import build_model
from harness.detection.semantic_branch import UNLABELED
from harness.grid import Setting, contour, finetune

SIDE = 128
OBJECT = [20.0, 20.0, 60.0, 60.0]
# Each is as high as the object and this share of its width further right. With a shift s two such
# boxes overlap in 1 - s of 1 + s: IoU 0.67, 0.54 and 0.43.
SHIFTS = (0.2, 0.3, 0.4)


def shifted(share: float) -> list[float]:
    return [OBJECT[0] + 40 * share, OBJECT[1], OBJECT[2] + 40 * share, OBJECT[3]]


@pytest.fixture(params=[True, False], ids=["with stuff maps", "without"])
def model(request):
    spec = finetune(Setting(scale="demo"), "htc_R50_FPN", contour())
    torch.manual_seed(0)
    model = build_model(replace(spec, semantic_branch=request.param), num_classes=3)
    for predictor in model.roi_heads.box_predictor:
        torch.nn.init.zeros_(predictor.bbox_pred.weight)
    return model


@pytest.fixture
def features() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        f"p{level}": torch.randn(1, 64, SIDE >> level, SIDE >> level, generator=generator)
        for level in range(2, 7)
    }


def proposals() -> list[Instances]:
    boxes = Boxes(torch.tensor([shifted(share) for share in SHIFTS]))
    return [Instances((SIDE, SIDE), proposal_boxes=boxes, objectness_logits=torch.zeros(3))]


def targets() -> list[Instances]:
    mask = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[0, 20:60, 20:60] = True
    return [
        Instances(
            (SIDE, SIDE),
            gt_boxes=Boxes(torch.tensor([OBJECT])),
            gt_classes=torch.tensor([1]),
            gt_masks=BitMasks(mask),
        )
    ]


@dataclass
class Pooled:
    """The boxes that the box and the mask heads read, by stage, without the ground truth's."""

    boxes: list[list[list[float]]] = field(default_factory=list)
    masks: list[list[list[float]]] = field(default_factory=list)


def watch(heads, pooled: Pooled) -> None:
    def record(place):
        def hook(module, arguments):
            (boxes,) = arguments[1]
            rows = [[round(x, 3) for x in row] for row in boxes.tensor.tolist()]
            place.append(sorted(row for row in rows if row != OBJECT))

        return hook

    heads.box_pooler.register_forward_pre_hook(record(pooled.boxes))
    heads.mask_pooler.register_forward_pre_hook(record(pooled.masks))


def train_once(model, features) -> dict[str, torch.Tensor]:
    images = ImageList(torch.zeros(1, 3, SIDE, SIDE), [(SIDE, SIDE)])
    images.stuff_NHW = torch.full((1, SIDE, SIDE), 7)
    with EventStorage():
        _, losses = model.roi_heads(images, features, proposals(), targets())
    return losses


def test_each_stage_matches_more_strictly(model, features):
    pooled = Pooled()
    watch(model.roi_heads, pooled)
    train_once(model, features)
    # No box moves. Masks learn where the IoU is 0.5, 0.6 and 0.7 or more: from two, one and none.
    assert [len(boxes) for boxes in pooled.masks] == [2, 1, 0]
    assert pooled.masks[1] == [shifted(0.2)]


def test_masks_of_a_stage_learn_on_boxes_that_its_box_head_has_moved(model, features):
    # Deltas of stage 0 are in tenths of the width, of stage 1 in twentieths: all move to the left
    # by 0.1 widths, then to the right by 0.025.
    first, second, _ = model.roi_heads.box_predictor
    first.bbox_pred.bias.data[0] = -1.0
    second.bbox_pred.bias.data[0] = 0.5
    pooled = Pooled()
    watch(model.roi_heads, pooled)
    train_once(model, features)
    assert pooled.boxes[0] == at(0.2, 0.3, 0.4)
    assert pooled.masks[0] == pooled.boxes[1] == at(0.1, 0.2, 0.3)  # IoU 0.82, 0.67, 0.54
    assert pooled.boxes[2] == at(0.125, 0.225, 0.325)
    assert pooled.masks[1] == at(0.125, 0.225)  # IoU 0.78, 0.63; 0.51 is below 0.6


def at(*shares: float) -> list:
    return [pytest.approx(shifted(share), abs=1e-3) for share in shares]


def test_the_ground_truth_is_among_the_boxes_of_each_stage_once(model, features):
    counts = []

    def count(module, arguments):
        (boxes,) = arguments[1]
        counts.append(boxes.tensor.tolist().count(OBJECT))

    model.roi_heads.box_pooler.register_forward_pre_hook(count)
    model.roi_heads.mask_pooler.register_forward_pre_hook(count)
    train_once(model, features)
    assert counts == [1] * 6


def test_every_stage_has_its_losses_and_the_branch_its_own(model, features):
    losses = train_once(model, features)
    of_stages = {
        f"loss_{name}_stage{stage}"
        for name in ("cls", "box_reg", "mask", "contour")
        for stage in range(3)
    }
    branch = set() if model.roi_heads.semantic_branch is None else {"loss_semantic"}
    assert set(losses) == of_stages | branch
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_box_losses_weigh_1_a_half_and_a_quarter(model, features):
    # With equal logits for all classes each cross-entropy is ln 4 (three classes, background).
    for predictor in model.roi_heads.box_predictor:
        torch.nn.init.zeros_(predictor.cls_score.weight)
        torch.nn.init.zeros_(predictor.cls_score.bias)
    losses = train_once(model, features)
    found = [losses[f"loss_cls_stage{stage}"].item() for stage in range(3)]
    assert found == pytest.approx([1.386294, 0.693147, 0.346574], rel=1e-5)


def test_heads_learn_from_context_and_teach_the_branch(model, features):
    branch = model.roi_heads.semantic_branch
    losses = train_once(model, features)
    if branch is None:
        assert "semantic" not in str([name for name, _ in model.named_parameters()])
        return
    for name in ("loss_cls_stage2", "loss_mask_stage2"):
        (gradient,) = torch.autograd.grad(
            losses[name], [branch.embedding.weight], retain_graph=True
        )
        assert gradient.abs().sum() > 0


def test_stuff_maps_of_a_batch_are_padded_as_unlabeled(model):
    def image(height, width, label):
        return {
            "image": torch.zeros(3, height, width),
            "sem_seg": torch.full((height, width), label),
        }

    images = model.train().preprocess_image([image(64, 32, 4), image(32, 64, 5)])
    if model.roi_heads.semantic_branch is None:
        assert not hasattr(images, "stuff_NHW")
        return
    assert images.tensor.shape[-2:] == images.stuff_NHW.shape[-2:] == (64, 64)
    assert images.stuff_NHW[0, :, :32].unique().tolist() == [4]
    assert images.stuff_NHW[0, :, 32:].unique().tolist() == [UNLABELED]
    assert images.stuff_NHW[1, :32].unique().tolist() == [5]


def test_a_picture_alone_is_enough_to_predict(model):
    picture = torch.randint(0, 255, (3, 96, 96), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        (output,) = model.eval()([{"image": picture.float(), "height": 48, "width": 48}])
    instances = output["instances"]
    assert instances.pred_masks.shape == (len(instances), 48, 48)
    # Of 0.001 or more, as is published: an untrained network is that sure of any class.
    assert len(instances) == 100
