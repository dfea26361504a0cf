import copy

import pytest
import torch
from detectron2.layers import ShapeSpec
from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage

from harness.detection.mask_heads import ContourMaskHead, mask_term
from harness.grid import NO_LOSS, Loss, contour, mse_contour, mse_edge
from harness.grid.losses import LOSS_TERMS
from harness.losses import contour_loss, mse_contour_loss, mse_edge_loss

CLASSES = 3


class CountedMasks(BitMasks):
    """Masks that count how often they are rasterized."""

    calls = 0

    def crop_and_resize(self, boxes, mask_size):
        CountedMasks.calls += 1
        return super().crop_and_resize(boxes, mask_size)


def image_with(objects: int) -> Instances:
    generator = torch.Generator().manual_seed(objects)
    masks = torch.rand(objects, 64, 64, generator=generator) > 0.5
    boxes = torch.tensor([[4.0, 4.0, 40.0, 50.0]]).repeat(objects, 1)
    return Instances(
        (64, 64),
        gt_masks=CountedMasks(masks),
        proposal_boxes=Boxes(boxes),
        gt_classes=torch.arange(objects) % CLASSES,
    )


@pytest.fixture
def instances() -> list[Instances]:
    # Two images with objects, and one of which no proposal is positive: it has no masks at all.
    empty = Instances(
        (64, 64), proposal_boxes=Boxes(torch.zeros(0, 4)), gt_classes=torch.zeros(0).long()
    )
    return [image_with(3), empty, image_with(2)]


def head_with(loss, num_classes=CLASSES) -> ContourMaskHead:
    torch.manual_seed(0)
    return ContourMaskHead(
        input_shape=ShapeSpec(channels=8, height=14, width=14),
        num_classes=num_classes,
        conv_dims=[8, 8],
        contour_term=loss,
    )


def losses_of(head, features, instances):
    with EventStorage():
        return head(features, instances)


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(5, 8, 14, 14, generator=torch.Generator().manual_seed(0))


def test_the_mask_loss_is_bit_for_bit_detectron2s_own(features, instances):
    ours = head_with(contour())
    theirs = MaskRCNNConvUpsampleHead(ShapeSpec(channels=8), num_classes=CLASSES, conv_dims=[8, 8])
    theirs.load_state_dict(ours.state_dict())
    expected = losses_of(theirs, features, instances)["loss_mask"]
    found = losses_of(ours, features, instances)["loss_mask"]
    assert torch.equal(found, expected)
    for a, b in zip(
        torch.autograd.grad(found, ours.parameters()),
        torch.autograd.grad(expected, theirs.parameters()),
        strict=True,
    ):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (contour(k=3), lambda x, y: contour_loss(x, y, k=3)),
        (contour(k=1, variant="sound"), lambda x, y: contour_loss(x, y, k=1, variant="sound")),
        (mse_edge(), lambda x, y: mse_edge_loss(x, y)),
        (mse_contour(k=2), lambda x, y: mse_contour_loss(x, y, k=2)),
    ],
)
def test_the_term_reads_the_ground_truth_class_and_the_same_masks(
    features, instances, loss, expected
):
    head = head_with(loss)
    logits = head.layers(features)[torch.arange(5), torch.tensor([0, 1, 2, 0, 1])]
    masks = torch.cat(
        [
            image.gt_masks.crop_and_resize(image.proposal_boxes.tensor, 28)
            for image in instances
            if len(image)
        ]
    )
    found = losses_of(head, features, instances)
    assert set(found) == {"loss_mask", f"loss_{loss.name}"}
    assert torch.equal(found[f"loss_{loss.name}"], expected(logits, masks))


def test_the_ground_truth_is_rasterized_once_for_both_losses(features, instances):
    CountedMasks.calls = 0
    losses_of(head_with(contour()), features, instances)
    assert CountedMasks.calls == 2  # once for each image that has positives


def test_the_class_channel_is_gathered_once_for_both_losses(features, instances):
    # Each gather of a channel leaves an index node in the graph of the total loss.
    losses = losses_of(head_with(contour()), features, instances)
    gathers, nodes, seen = 0, [sum(losses.values()).grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        gathers += node.name() == "IndexBackward0"
        nodes += [parent for parent, _ in node.next_functions]
    assert gathers == 1


def test_a_class_agnostic_head_has_one_channel_for_all_classes(features, instances):
    found = losses_of(head_with(contour(), num_classes=1), features, instances)
    assert all(torch.isfinite(value) for value in found.values())


def test_the_weight_scales_the_term_and_leaves_the_mask_loss(features, instances):
    from dataclasses import replace

    one = losses_of(head_with(contour()), features, instances)
    three = losses_of(head_with(replace(contour(), weight=3.0)), features, instances)
    assert torch.equal(three["loss_mask"], one["loss_mask"])
    assert three["loss_contour"].item() == pytest.approx(3 * one["loss_contour"].item())


def test_a_stage_weight_of_a_cascade_scales_both(features, instances):
    head = head_with(contour())
    whole = losses_of(head, features, instances)
    head.loss_weight = 0.5
    half = losses_of(head, features, instances)
    for name in whole:
        assert half[name].item() == pytest.approx(whole[name].item() / 2)


def test_without_positives_both_losses_are_zero_and_differentiable(instances):
    head = head_with(contour())
    losses = losses_of(head, torch.zeros(0, 8, 14, 14), [instances[1]])
    sum(losses.values()).backward()
    assert [value.item() for value in losses.values()] == [0.0, 0.0]
    assert all((weight.grad == 0).all() for weight in head.parameters())


def test_prediction_is_detectron2s(features):
    head = head_with(contour()).eval()
    predicted = Instances((64, 64), pred_classes=torch.tensor([0, 1, 2, 0, 1]))
    theirs = MaskRCNNConvUpsampleHead(ShapeSpec(channels=8), num_classes=CLASSES, conv_dims=[8, 8])
    theirs.load_state_dict(head.state_dict())
    expected = theirs.eval()(features, [copy.deepcopy(predicted)])
    found = head(features, [predicted])
    assert torch.equal(found[0].pred_masks, expected[0].pred_masks)


def test_the_baseline_has_no_term_and_so_no_head_of_ours():
    with pytest.raises(ValueError, match="loss='none' adds no term"):
        head_with(NO_LOSS)


@pytest.mark.parametrize("name", LOSS_TERMS)
def test_the_function_of_every_loss_takes_the_options_that_the_table_names(name):
    options = {"k": 2, "variant": "sound"}
    loss = Loss(name=name, **{option: options[option] for option in LOSS_TERMS[name].options})
    logits = torch.zeros(2, 28, 28, requires_grad=True)
    value = mask_term(loss)(logits, torch.ones(2, 28, 28))
    value.backward()
    assert value.shape == ()
    assert torch.isfinite(logits.grad).all()
