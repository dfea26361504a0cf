import pytest
import torch

from harness.losses import mse_contour_loss, mse_edge_loss

SIDE = 16


def half_plane(edge):
    """Columns from `edge` on are 1."""
    return (torch.arange(SIDE) >= edge).double().expand(1, SIDE, SIDE)


def logits_of(masks):
    return 20 * (2 * masks - 1)


def test_edge_loss_counts_the_pixels_whose_response_differs():
    # One column off: responses of 2 on columns 6, 7 and on 7, 8. Columns 6 and 8 differ by 2, so
    # 2 · 2² in every row of 16 pixels: 0.5.
    loss = mse_edge_loss(logits_of(half_plane(8)), half_plane(7), variant="sound")
    assert loss.item() == pytest.approx(0.5, abs=1e-3)


def test_contour_loss_counts_the_pixels_whose_distance_differs():
    # One column off, k = 1: distances 2 1 0 0 1 2 2 and, one further, 2 2 1 0 0 1 2. Four columns
    # of 16 differ by 1: 0.25.
    loss = mse_contour_loss(logits_of(half_plane(8)), half_plane(7), k=1, variant="sound")
    assert loss.item() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("variant", ["paper", "sound"])
@pytest.mark.parametrize("loss", [mse_edge_loss, mse_contour_loss])
def test_a_perfect_mask_scores_0_in_both_variants(loss, variant):
    masks = torch.zeros(1, 28, 28)
    masks[:, 5:20, 0:9] = 1
    assert 0 <= loss(logits_of(masks), masks, variant=variant).item() < 1e-6


@pytest.mark.parametrize("loss", [mse_edge_loss, mse_contour_loss])
def test_only_the_paper_variant_sees_the_frame(loss):
    # An empty prediction of a full mask: with "sound" neither side has a contour, with "paper" the
    # ground truth has a false one along the frame.
    full = torch.ones(1, 28, 28)
    assert loss(-20 * full, full, variant="sound").item() == 0
    assert loss(-20 * full, full, variant="paper").item() > 0.1


@pytest.mark.parametrize("loss", [mse_edge_loss, mse_contour_loss])
def test_a_batch_is_averaged_over_its_masks(loss):
    gt_masks = torch.cat([half_plane(7), half_plane(7)])
    logits = logits_of(torch.cat([half_plane(7), half_plane(9)]))
    together = loss(logits, gt_masks, variant="sound")
    wrong = loss(logits[1:], gt_masks[1:], variant="sound")
    assert together.item() == pytest.approx(wrong.item() / 2, abs=1e-6)


def test_more_steps_see_further():
    # Contours 4 columns apart: with k = 1 a distance stops at 2, with k = 3 at 4.
    logits, gt_masks = logits_of(half_plane(10)), half_plane(6)
    near = mse_contour_loss(logits, gt_masks, k=1, variant="sound")
    far = mse_contour_loss(logits, gt_masks, k=3, variant="sound")
    assert far > 2 * near
