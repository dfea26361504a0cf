import pytest
import torch

from harness.illustrate.made_up import blobs, disc, disc_logits, unsure_logits
from harness.illustrate.measures import effect_of_k, share_drawn_by_the_border

KS = range(1, 7)


@pytest.fixture(scope="module")
def masks() -> torch.Tensor:
    return blobs(32)


def test_a_disc_is_where_its_logits_are_positive():
    for radius, shift in ((6, 0), (8, 2), (14, 0)):
        assert torch.equal(disc(radius, shift), (disc_logits(radius, shift) >= 0).double())
    # π 8² is 201 px; to the right of its centre there are as many as to the left.
    assert disc(8).sum() == pytest.approx(201, abs=8)
    assert torch.equal(disc(8), disc(8).flip(-1))


def test_blobs_fill_their_boxes_and_come_back_for_the_same_seed(masks):
    assert masks.shape == (32, 28, 28)
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    for edge in (masks[:, 0], masks[:, -1], masks[..., 0], masks[..., -1]):
        assert (edge.sum(dim=1) > 0).all()
    assert torch.equal(blobs(32), masks)
    assert not torch.equal(blobs(32, seed=1), masks)


def test_as_printed_k_of_3_and_more_is_k_of_2(masks):
    effect = effect_of_k(unsure_logits(masks), masks, KS)
    # An empty background reads k + 1 minus its dilations 0.119, 0.595, 1, 1, ...: 2 - 0.119 = 1.881
    # at k = 1, and 3 - 0.119 - 0.595 = 2.286 at every larger k.
    assert list(effect["background"]) == pytest.approx([1.881, *[2.286] * 5], abs=1e-3)
    assert effect.loc[3:, "cosine"].min() > 0.9999
    assert list(effect.loc[3:, "norm"]) == pytest.approx([1] * 4, abs=1e-3)
    assert effect.loc[1, "cosine"] > 0.99


def test_repaired_the_background_counts_pixels_and_k_matters(masks):
    effect = effect_of_k(unsure_logits(masks), masks, KS, variant="sound")
    assert list(effect["background"]) == pytest.approx([k + 1 for k in KS], abs=0.02)
    assert effect.loc[2, ["cosine", "norm"]].tolist() == pytest.approx([1, 1])
    assert effect.loc[6, "cosine"] < 0.9
    assert effect["loss"].is_monotonic_increasing  # distances are cut later


def test_the_border_draws_only_where_a_mask_touches_it():
    assert share_drawn_by_the_border(disc(8)) == 0
    assert share_drawn_by_the_border(disc(28)) == 1  # all pixels are 1: the frame is all there is
    # Left half. The edge within reads 2 on 2 columns of 28 px: 112. The frame reads 2 on 28 px at
    # the left, 14 at the top and 14 at the bottom: 112 again, but for a few in the corners.
    half = torch.zeros(1, 28, 28)
    half[..., :14] = 1
    assert share_drawn_by_the_border(half) == pytest.approx(0.5, abs=0.02)
