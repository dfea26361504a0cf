import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_cdt

from harness.losses import contour_response, ksdt
from harness.losses.ksdt import dilations, smooth

SOUND = {"padding": "replicate", "clamp": True, "rebase": True}


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("side", [1, 2, 9, 14])
def test_sound_ksdt_is_the_truncated_chessboard_distance_to_a_straight_contour(k, side):
    masks = torch.zeros(2, 28, 28, dtype=torch.float64)
    masks[0, :side] = 1
    masks[1, :, side:] = 1
    response = contour_response(masks, padding="replicate")
    distance = ksdt(response, k, **SOUND)
    for contour, image in zip(response.numpy() > 0, distance.numpy(), strict=True):
        exact = np.minimum(distance_transform_cdt(~contour, metric="chessboard"), k + 1)
        np.testing.assert_allclose(image, exact, atol=0.02)


def test_sound_ksdt_of_a_single_pixel():
    # One pixel in nine is 1: B(1/9) = 0.5553, rebased (0.5553 - 0.1192) / 0.8808 = 0.495, which is
    # what the 3x3 block holds after one dilation. At 0, 1 and 2 px along its row the next mean
    # takes in 9, 6 and 3 of its pixels: 0.495, 0.330 and 0.165 dilate to 0.9996, 0.989 and 0.757.
    # Outward: 3 - (1 + 0.495 + 0.9996), 3 - (0.495 + 0.989), 3 - 0.757, 3 where nothing arrives.
    response = torch.zeros(1, 9, 9, dtype=torch.float64)
    response[0, 4, 4] = 1
    outward = ksdt(response, 2, **SOUND)[0, 4, 4:8]
    assert outward.tolist() == pytest.approx([0.505, 1.516, 2.243, 3.0], abs=5e-4)


@pytest.mark.parametrize("k", [1, 2, 6])
def test_sound_ksdt_of_no_contour_is_the_truncation_value(k):
    assert torch.allclose(ksdt(torch.zeros(1, 9, 9), k, **SOUND), torch.tensor(k + 1.0))


@pytest.mark.parametrize(("k", "background"), [(1, 1.8808), (2, 2.2859), (3, 2.2860), (6, 2.2860)])
def test_paper_ksdt_of_an_empty_background_stops_short_of_the_truncation_value(k, background):
    # An empty background dilates to B(0) = 0.1192, then B(0.1192) = 0.5949, 0.99995, 1, 1, ...
    # k + 1 minus their sum: 2 - 0.1192, 3 - 0.7141, 4 - 1.7140, ...
    distance = ksdt(torch.zeros(1, 15, 15, dtype=torch.float64), k)
    assert distance[0, 7, 7].item() == pytest.approx(background, abs=1e-4)


def test_paper_ksdt_beyond_2_steps_changes_nothing_but_the_outermost_ring():
    masks = torch.zeros(2, 28, 28, dtype=torch.float64)
    masks[0, 8:19, 5:17] = 1
    masks[1, 10:, 10:] = 1
    response = contour_response(masks)
    two_steps = ksdt(response, 2)
    for k in (3, 4, 5, 6):
        change = (ksdt(response, k) - two_steps).abs()
        assert change[:, 1:-1, 1:-1].max() < 1e-3
        assert 0.1 < change.max() < 0.16
    assert (ksdt(response, 1) - two_steps)[:, 1:-1, 1:-1].abs().max() > 0.4


def test_paper_ksdt_is_negative_on_a_straight_contour():
    # Response 2, and both dilations give 1: 3 - (2 + 1 + 1) = -1.
    masks = torch.zeros(1, 15, 15)
    masks[:, :, 7:] = 1
    distance = ksdt(contour_response(masks), 2)
    assert distance[0, 7, 6:8].tolist() == pytest.approx([-1, -1], abs=1e-4)


def test_the_clamp_alone_lifts_a_straight_contour_to_0():
    response = torch.full((1, 9, 9), 2.0)
    assert torch.allclose(ksdt(response, 1, padding="replicate"), torch.tensor(-1.0))
    assert torch.allclose(
        ksdt(response, 1, padding="replicate", clamp=True), torch.tensor(0.0), atol=1e-6
    )


def test_a_stack_without_images_stays_one():
    assert ksdt(torch.zeros(0, 28, 28), 2, **SOUND).shape == (0, 28, 28)


def test_the_dilations_of_an_empty_background_are_those_of_the_paper_and_none_in_sound():
    # B(0) = 1 / (1 + e^2) = 0.1192 and B(0.1192) = 0.5949; rebased, 0 stays 0.
    empty = torch.zeros(1, 9, 9, dtype=torch.float64)
    background = [mask[0, 4, 4].item() for mask in dilations(empty, 2)]
    assert background == pytest.approx([0, 0.1192, 0.5949], abs=1e-4)
    assert [mask.abs().max().item() for mask in dilations(empty, 2, **SOUND)] == [0, 0, 0]


@pytest.mark.parametrize("settings", [{}, SOUND])
def test_the_dilations_begin_with_the_response_and_add_up_to_what_ksdt_takes_away(settings):
    response = torch.rand(2, 9, 9, dtype=torch.float64)
    masks = dilations(response, 3, **settings)
    assert len(masks) == 4
    assert torch.equal(masks[0], response)
    assert torch.equal(
        4 - (masks[0] + masks[1] + masks[2] + masks[3]), ksdt(response, 3, **settings)
    )


def test_a_single_pixel_is_smoothed_to_a_ninth_in_its_3x3_block():
    # At a corner of the image replicate padding puts 4 of the 9 pixels of the window at 1.
    pixel = torch.zeros(1, 5, 5, dtype=torch.float64)
    pixel[0, 0, 0] = 1
    assert smooth(pixel)[0, :2, :2].flatten().tolist() == pytest.approx([1 / 9] * 4)
    assert smooth(pixel, padding="replicate")[0, 0, 0].item() == pytest.approx(4 / 9)
    assert smooth(pixel)[0, 2:].abs().max() == 0
