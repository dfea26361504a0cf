import numpy as np
import pytest
import torch

from harness.grid.losses import VARIANTS
from harness.illustrate.examples import drawn_examples
from harness.illustrate.transforms import (
    binarized,
    contour,
    distance,
    empty_steps,
    one_step_dilation,
    steps,
)
from harness.losses import contour_response, ksdt, soft_binarize
from harness.losses.variants import VARIANTS as LOSS_VARIANTS

MASK = drawn_examples()[0].mask
STACK = torch.from_numpy(MASK)[None]


def test_the_variants_shown_are_those_of_the_losses():
    assert list(VARIANTS) == list(LOSS_VARIANTS)


@pytest.mark.parametrize(
    ("variant", "padding", "repaired"), [("paper", "zeros", False), ("sound", "replicate", True)]
)
@pytest.mark.parametrize("k", [1, 2, 4])
def test_contours_and_distances_are_those_of_the_losses(variant, padding, repaired, k):
    response = contour_response(STACK, padding=padding)
    assert np.array_equal(contour(MASK, variant), response[0].numpy())
    image = ksdt(response, k, padding=padding, clamp=repaired, rebase=repaired)
    assert np.array_equal(distance(MASK, k, variant), image[0].numpy())


def test_binarized_is_the_losses_b_of_probabilities():
    response = drawn_examples()[1].response
    assert np.array_equal(binarized(response), soft_binarize(torch.from_numpy(response)).numpy())


@pytest.mark.parametrize("variant", VARIANTS)
def test_steps_lead_from_the_contour_to_the_distance(variant):
    made = steps(MASK, 3, variant)
    assert len(made.masks) == len(made.sums) == 4
    start = contour(MASK, variant)
    assert np.array_equal(made.masks[0], np.minimum(start, 1) if variant == "sound" else start)
    assert np.array_equal(made.sums[-1], sum(made.masks))
    assert np.array_equal(made.distance, 4 - made.sums[-1])
    assert np.array_equal(made.distance, distance(MASK, 3, variant))


def test_a_dilation_of_the_paper_is_b_of_the_mean_with_slope_20_and_threshold_a_tenth():
    made = one_step_dilation(MASK, "paper")
    # Pixel (14, 14): the mean of its 3x3 window, and B of that.
    mean = made.mask[13:16, 13:16].mean()
    assert made.smoothed[14, 14] == pytest.approx(mean)
    assert made.dilated == pytest.approx(1 / (1 + np.exp(-20 * (made.smoothed - 0.1))))


def test_a_sound_dilation_leaves_0_and_1_as_they_are():
    made = one_step_dilation(np.zeros((9, 9)), "sound")
    assert np.array_equal(made.dilated, np.zeros((9, 9)))
    made = one_step_dilation(np.tile([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], (6, 1)), "sound")
    assert made.smoothed[3, 2:4] == pytest.approx([2 / 3, 2 / 3])  # two of three columns are 1
    assert made.dilated[3, 2:4] == pytest.approx([1, 1], abs=1e-4)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_far_from_any_contour_sound_reads_k_plus_1_and_paper_no_more_than_2_286(k):
    # Paper: k = 1 reads 2 - B(0) = 2 - 0.1192; from k = 2 on 3 - 0.1192 - 0.5949 = 2.2859.
    assert empty_steps(k, "sound") == ([0] * (k + 1), [0] * (k + 1), k + 1)
    masks, sums, background = empty_steps(k, "paper")
    assert background == pytest.approx(1.8808 if k == 1 else 2.2859, abs=2e-4)
    assert masks[:2] == pytest.approx([0, 0.1192], abs=1e-4)
    assert sums[-1] == pytest.approx(k + 1 - background)


def test_a_k_or_variant_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="k must be an int of at least 1, got 0"):
        steps(MASK, 0)
    with pytest.raises(ValueError, match="variant must be one of 'paper', 'sound', got 'soud'"):
        contour(MASK, "soud")
