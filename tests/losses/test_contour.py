import pytest
import torch

from harness.losses import contour_response


def test_a_straight_edge_reads_2_on_both_of_its_sides():
    # Columns 3.. are 1. Sobel_x sees (1 + 2 + 1) · (1 - 0) = 4 at columns 2 and 3, Sobel_y nothing.
    masks = torch.zeros(1, 5, 6)
    masks[:, :, 3:] = 1
    expected_row = torch.tensor([0.0, 0.0, 2.0, 2.0, 0.0, 0.0])
    for mask in (masks, masks.flip(2), 1 - masks):
        response = contour_response(mask, padding="replicate")
        assert torch.equal(response, contour_response(mask.mT, padding="replicate").mT)
        assert torch.equal(response, expected_row.expand(1, 5, 6))


def test_the_corner_of_a_square_reads_3_inside_and_1_outside():
    # Inside, both kernels see 1 + 2 = 3: (3 + 3) / 2. Outside, both see 1: (1 + 1) / 2.
    masks = torch.zeros(1, 8, 8)
    masks[:, 3:, 3:] = 1
    response = contour_response(masks, padding="replicate")[0]
    assert response[3, 3].item() == 3
    assert response[2, 2].item() == 1


def test_a_single_pixel_reads_0_on_itself_and_1_around():
    # Centre: both differences cancel. Beside it: one kernel sees 2, the other 0. Diagonally: both
    # see 1.
    masks = torch.zeros(1, 5, 5)
    masks[0, 2, 2] = 1
    expected = torch.zeros(1, 5, 5)
    expected[0, 1:4, 1:4] = 1
    expected[0, 2, 2] = 0
    assert torch.equal(contour_response(masks), expected)


def test_zero_padding_draws_a_contour_on_the_frame_and_replicate_does_not():
    full = torch.ones(1, 4, 5)
    expected = torch.tensor(
        # On the frame one side of a kernel is missing, (1 + 2 + 1) / 2; in a corner (3 + 3) / 2.
        [[[3.0, 2, 2, 2, 3], [2, 0, 0, 0, 2], [2, 0, 0, 0, 2], [3, 2, 2, 2, 3]]]
    )
    assert torch.equal(contour_response(full), expected)
    assert torch.equal(contour_response(full, padding="replicate"), torch.zeros(1, 4, 5))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16])
def test_masks_of_any_dtype_give_the_float32_response(dtype):
    masks = torch.zeros(1, 6, 6)
    masks[:, 2:5, 1:4] = 1
    response = contour_response(masks.to(dtype))
    assert response.dtype == torch.float32
    assert torch.equal(response, contour_response(masks))


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("shape", [(0, 28, 28), (2, 1, 1), (1, 1, 7)])
def test_stacks_without_masks_and_masks_of_one_pixel_keep_their_shape(shape, padding):
    assert contour_response(torch.ones(shape), padding=padding).shape == shape
