import pytest
import torch
from detectron2.layers import ShapeSpec
from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage
from torch.nn.functional import conv2d

from harness.detection.mask_cascade import MaskCascade
from harness.detection.mask_heads import ContourMaskHead
from harness.grid import contour
from harness.losses import contour_loss

CHANNELS, CLASSES = 6, 3
WEIGHTS = (1.0, 0.5, 0.25)


def cascade_of(kind=MaskRCNNConvUpsampleHead, weights=WEIGHTS, **options) -> MaskCascade:
    torch.manual_seed(0)
    heads = [
        kind(
            ShapeSpec(channels=CHANNELS, height=14, width=14),
            num_classes=CLASSES,
            conv_dims=[CHANNELS] * 3,
            loss_weight=weight,
            **options,
        )
        for weight in weights
    ]
    return MaskCascade(heads, CHANNELS)


@pytest.fixture
def pooled() -> torch.Tensor:
    return torch.randn(3, CHANNELS, 14, 14, generator=torch.Generator().manual_seed(1))


def truth(count: int) -> Instances:
    masks = torch.rand(count, 64, 64, generator=torch.Generator().manual_seed(2)) > 0.5
    return Instances(
        (64, 64),
        gt_masks=BitMasks(masks),
        gt_classes=torch.arange(count) % CLASSES,
        proposal_boxes=Boxes(torch.tensor([[4.0, 4.0, 40.0, 50.0]]).repeat(count, 1)),
    )


def losses_of(cascade, pooled, instances, stage):
    with EventStorage():
        return cascade.losses(pooled, instances, stage)


def detections(*counts: int) -> list[Instances]:
    return [
        Instances(
            (64, 64),
            pred_boxes=Boxes(torch.zeros(count, 4)),
            pred_classes=torch.arange(count) % CLASSES,
        )
        for count in counts
    ]


def test_a_stage_reads_the_boxes_and_what_flows_from_all_stages_before(pooled):
    cascade = cascade_of().eval()
    first, second, third = cascade.heads

    def through(head, x):
        for conv in (head.mask_fcn1, head.mask_fcn2):
            x = conv2d(x, conv.weight, conv.bias, padding=1).relu()
        return x

    def flowing(flow, features):
        return conv2d(features, flow.weight, flow.bias).relu()

    features = through(first, pooled)
    features = through(second, pooled + flowing(cascade.flows[0], features))
    third_reads = pooled + flowing(cascade.flows[1], features)
    *_, logits = cascade._logits(pooled)
    torch.testing.assert_close(logits, third.layers(third_reads))


def test_the_loss_of_a_stage_teaches_the_convolutions_before_it_and_not_their_masks(pooled):
    cascade = cascade_of()
    sum(losses_of(cascade, pooled, [truth(3)], stage=2).values()).backward()

    def taught(module):
        return all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())

    for head, flow in zip(cascade.heads, cascade.flows, strict=False):
        assert taught(head.mask_fcn2)
        assert taught(flow)
        assert head.deconv.weight.grad is None
        assert head.predictor.weight.grad is None
    assert taught(cascade.heads[2])


def test_predicted_masks_are_the_mean_of_the_probabilities_of_all_stages(pooled):
    cascade = cascade_of().eval()
    images = cascade(pooled, detections(1, 2))
    # The classes are 0 in the first image, 0 and 1 in the second.
    stages = [logits[[0, 1, 2], [0, 0, 1]].sigmoid() for logits in cascade._logits(pooled)]
    mean = sum(stages) / 3
    found = torch.cat([image.pred_masks[:, 0] for image in images])
    torch.testing.assert_close(found, mean)
    assert [len(image.pred_masks) for image in images] == [1, 2]
    assert not torch.allclose(stages[0], stages[2])


def test_no_detections_have_no_masks():
    (image,) = cascade_of().eval()(torch.zeros(0, CHANNELS, 14, 14), detections(0))
    assert image.pred_masks.shape == (0, 1, 28, 28)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_mask_loss_and_contour_term_of_a_stage_are_scaled_by_its_weight(pooled, stage):
    term = {"kind": ContourMaskHead, "contour_term": contour(k=2)}
    weighted = losses_of(cascade_of(**term), pooled, [truth(3)], stage)
    plain = losses_of(cascade_of(weights=(1.0, 1.0, 1.0), **term), pooled, [truth(3)], stage)
    assert set(weighted) == {f"loss_mask_stage{stage}", f"loss_contour_stage{stage}"}
    for name, loss in weighted.items():
        torch.testing.assert_close(loss, plain[name] * WEIGHTS[stage])


def test_the_contour_term_of_a_stage_is_that_of_its_own_logits(pooled):
    cascade = cascade_of(kind=ContourMaskHead, contour_term=contour(k=2))
    found = losses_of(cascade, pooled, [truth(3)], stage=1)["loss_contour_stage1"]
    _, logits, _ = cascade._logits(pooled)
    image = truth(3)
    masks = image.gt_masks.crop_and_resize(image.proposal_boxes.tensor, 28)
    expected = contour_loss(logits[[0, 1, 2], image.gt_classes], masks, k=2)
    torch.testing.assert_close(found, expected * 0.5)


def test_a_stage_without_positives_costs_nothing():
    cascade = cascade_of(kind=ContourMaskHead, contour_term=contour(k=2))
    losses = losses_of(cascade, torch.zeros(0, CHANNELS, 14, 14), [truth(0)], stage=2)
    sum(losses.values()).backward()
    assert [loss.item() for loss in losses.values()] == [0, 0]
