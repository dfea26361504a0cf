import math

import pytest
import torch
from detectron2.modeling.poolers import ROIPooler
from detectron2.structures import Boxes

from harness.detection.semantic_branch import UNLABELED, ContextPooler, SemanticBranch

CHANNELS, CLASSES = 4, 5


@pytest.fixture
def branch() -> SemanticBranch:
    torch.manual_seed(0)
    return SemanticBranch(
        in_features=["p2", "p3", "p4"],
        fused_at="p3",
        channels=CHANNELS,
        num_convs=2,
        num_classes=CLASSES,
        stride=8,
        loss_weight=0.2,
    )


@pytest.fixture
def pyramid() -> dict[str, torch.Tensor]:
    """Levels of two images of 64 x 32 px at strides 4, 8 and 16."""
    generator = torch.Generator().manual_seed(0)
    sizes = {"p2": (16, 8), "p3": (8, 4), "p4": (4, 2)}
    return {
        name: torch.randn(2, CHANNELS, *size, generator=generator) for name, size in sizes.items()
    }


def test_classes_and_features_have_the_size_of_the_fused_level(branch, pyramid):
    logits, features = branch(pyramid)
    assert logits.shape == (2, CLASSES, 8, 4)
    assert features.shape == (2, CHANNELS, 8, 4)


@pytest.mark.parametrize("name", ["p2", "p3", "p4"])
def test_each_level_is_heard(branch, pyramid, name):
    before = branch(pyramid)[1]
    pyramid[name] = pyramid[name] + 1
    assert not torch.allclose(branch(pyramid)[1], before)


def test_the_loss_is_the_weighted_mean_over_labeled_pixels(branch):
    logits = torch.zeros(1, CLASSES, 2, 2)
    logits[0, 3] = 2.0
    stuff = torch.full((1, 16, 16), UNLABELED)
    # The level's four pixels stand for image rows and columns 0 and 8: three are labeled.
    stuff[0, 0, 0], stuff[0, 0, 8], stuff[0, 8, 0] = 3, 3, 1
    normalizer = math.log(4 + math.e**2)  # of each pixel: logits 0, 0, 0, 2, 0
    right, wrong = normalizer - 2, normalizer
    expected = 0.2 * (2 * right + wrong) / 3
    assert branch.loss(logits, stuff).item() == pytest.approx(expected, rel=1e-6)


def test_a_batch_without_a_labeled_pixel_costs_nothing(branch, pyramid):
    logits, _ = branch(pyramid)
    loss = branch.loss(logits, torch.full((2, 64, 32), UNLABELED))
    loss.backward()
    assert loss.item() == 0
    gradients = [p.grad for p in branch.parameters() if p.grad is not None]
    assert all(torch.equal(gradient, torch.zeros_like(gradient)) for gradient in gradients)


@pytest.fixture
def pooler() -> ContextPooler:
    def at(side, *scales):
        return ROIPooler(side, scales=scales, sampling_ratio=2, pooler_type="ROIAlignV2")

    return ContextPooler(at(7, 1 / 4, 1 / 8), at(14, 1 / 8))


def test_context_is_added_to_what_is_pooled_from_the_pyramid(pooler):
    levels = [torch.full((1, 3, 16, 16), 5.0), torch.full((1, 3, 8, 8), 5.0)]
    # The context rises by 1 with each of its columns, which are 8 px wide.
    context = torch.arange(8.0).expand(1, 3, 8, 8)
    box = Boxes(torch.tensor([[16.0, 16.0, 44.0, 44.0]]))
    pooled = pooler([*levels, context], [box])
    assert pooled.shape == (1, 3, 7, 7)
    # Pooled columns are 4 px wide, the first centered on x = 18 px. A context column i is centered
    # on 8 i + 4 px, so at x it is (x - 4) / 8.
    centers = 18 + 4 * torch.arange(7)
    torch.testing.assert_close(pooled[0, 0, 3], 5 + (centers - 4) / 8)


def test_no_boxes_pool_to_nothing(pooler):
    levels = [torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)]
    assert pooler(levels, [Boxes(torch.zeros(0, 4))]).shape == (0, 3, 7, 7)
