import numpy as np
import pytest

from harness.illustrate.loss_view import distance_profile, loss_view
from harness.illustrate.made_up import disc, disc_logits
from harness.losses import contour_loss


def shown(figure) -> dict[str, np.ndarray]:
    titled = {axes.get_title(loc="left"): axes for axes in figure.get_axes() if axes.get_images()}
    return {
        title.splitlines()[0]: axes.get_images()[0].get_array() for title, axes in titled.items()
    }


def test_every_step_of_both_sides_is_shown_but_the_truth_is_not_binarized():
    steps = ("mask", "contour response", "3-step distance")
    expected = {f"{who}: {step}" for who in ("predicted", "true") for step in steps}
    images = shown(loss_view(k=3))
    assert set(images) == expected | {"predicted: soft binarization"}
    assert np.array_equal(images["true: mask"], disc(8)[0])
    # As printed, a response of 3 in a corner makes the distance 1 - 3 there.
    assert images["true: contour response"].max() == 3
    assert images["true: 3-step distance"].min() == pytest.approx(-2, abs=1e-6)


def test_the_losses_of_the_choice_are_told():
    loss = contour_loss(disc_logits(6, 4), disc(6), k=3, variant="sound").item()
    title = loss_view(k=3, variant="sound", shift=4, radius=6).get_suptitle()
    assert title.startswith(f'k = 3, variant "sound":  contour loss {loss:.3f},  MSE edge loss')


def test_a_loss_below_0_has_a_minus_sign():
    assert "contour loss −1." in loss_view(shift=0).get_suptitle()


@pytest.mark.parametrize("k", [1, 2, 4])
def test_beside_a_straight_edge_the_sound_distance_is_the_distance(k):
    axes = distance_profile(k=k).get_axes()[0]
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.get_lines()}
    assert lines['variant "sound"'] == pytest.approx(lines["distance, cut"], abs=0.02)
    paper = lines['variant "paper"']
    assert paper[0] == pytest.approx(-1, abs=1e-3)  # the response is 2 there, and a dilation 1
    assert paper[-1] == pytest.approx(1.881 if k == 1 else 2.286, abs=1e-3)
