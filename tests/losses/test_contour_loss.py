import pytest
import torch

from harness.losses import contour_loss

CONFIDENT = 20.0


def logits_of(masks):
    return CONFIDENT * (2 * masks - 1)


def half_plane(edge, side=28):
    """Columns from `edge` on are 1."""
    return (torch.arange(side, dtype=torch.float64) >= edge).double().expand(1, side, side)


def square(start, stop, side=28):
    masks = torch.zeros(1, side, side, dtype=torch.float64)
    masks[:, start:stop, start:stop] = 1
    return masks


def disc(radius, side=28):
    offset = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    return (offset[:, None] ** 2 + offset**2 <= radius**2).double()[None]


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("masks", [half_plane(12), square(8, 20), square(0, 15), disc(9)])
def test_sound_loss_of_a_perfect_mask_is_0(masks, k):
    # Not exactly: logits of ±20 still binarize to 4.5e-5 and 1 - 4.5e-5, and ε adds about 5e-6.
    loss = contour_loss(logits_of(masks), masks, k=k, variant="sound")
    assert 0 <= loss.item() < 1e-4


@pytest.mark.parametrize(
    ("shift", "expected"), [(0, 0), (1, 0.5), (2, 1.5), (3, 2.5), (4, 3.5), (5, 4.5), (9, 5)]
)
def test_sound_loss_of_a_shifted_edge_is_the_mean_distance_to_it(shift, expected):
    # Both contours are two columns wide. Shifted by s, the nearer column lies s - 1 from the other
    # contour, the farther one s: s - 1/2 both ways (0 and 1 for s = 1), truncated at k + 1 = 5.
    loss = contour_loss(logits_of(half_plane(8 + shift)), half_plane(8), k=4, variant="sound")
    assert loss.item() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_paper_loss_of_a_perfect_square_is_below_minus_1(k):
    # Around a square of side s the response is 3 on 4 inner corners, 2 on 4 (s - 2) inner and on
    # 4 s outer pixels, 1 on 4 outer corners: 16 s in all. Every dilation there is 1, so that
    # kSDT = 1 - response, and response · kSDT sums to 4·3·(-2) + (8 s - 8)·2·(-1) + 0 = -16 s - 8.
    # Loss: (-16 s - 8) / 16 s = -1 - 1 / (2 s), at s = 10 -1.05.
    masks = square(9, 19)
    assert contour_loss(logits_of(masks), masks, k=k).item() == pytest.approx(-1.05, abs=1e-3)


def test_paper_loss_of_a_perfect_disc_is_about_minus_1_3():
    # The staircase of a disc is all corners, which read 3: further below 0 than the square's -1.05.
    masks = disc(6)
    assert contour_loss(logits_of(masks), masks).item() == pytest.approx(-1.29, abs=5e-3)


@pytest.mark.parametrize("full", [False, True])
def test_sound_loss_without_any_contour_is_epsilon_over_epsilon(full):
    masks = torch.full((1, 28, 28), float(full))
    assert contour_loss(logits_of(masks), masks, variant="sound").item() == pytest.approx(1.0)


def test_sound_loss_of_an_empty_prediction_is_half_of_the_worst_plus_half_of_nothing():
    # No predicted contour: ε / ε = 1 one way. The other way all of the true contour is k + 1 = 3
    # away.
    loss = contour_loss(logits_of(square(0, 0)), disc(8), k=2, variant="sound")
    assert loss.item() == pytest.approx((1 + 3) / 2, abs=1e-4)


def test_sound_loss_is_the_same_whichever_side_is_the_prediction():
    a, b = disc(6), square(4, 21)
    there = contour_loss(logits_of(a), b, variant="sound")
    back = contour_loss(logits_of(b), a, variant="sound")
    assert there.item() == pytest.approx(back.item(), abs=1e-3)


@pytest.mark.parametrize("variant", ["paper", "sound"])
def test_the_loss_of_a_batch_is_the_mean_over_its_masks(variant):
    gt_masks = torch.cat([disc(5), square(3, 20), half_plane(14)])
    logits = logits_of(torch.cat([disc(8), square(5, 20), half_plane(11)])) / 10
    one_by_one = [
        contour_loss(logits[i : i + 1], gt_masks[i : i + 1], variant=variant) for i in range(3)
    ]
    together = contour_loss(logits, gt_masks, variant=variant)
    assert together.item() == pytest.approx(sum(one_by_one).item() / 3, rel=1e-12)


def test_the_default_is_the_paper_variant_with_2_steps():
    logits, masks = logits_of(disc(5)), disc(8)
    default = contour_loss(logits, masks)
    assert default == contour_loss(logits, masks, k=2, variant="paper")
    assert default != contour_loss(logits, masks, k=1, variant="paper")
    assert default != contour_loss(logits, masks, k=2, variant="sound")
