import numpy as np
import pytest
import torch

from harness.losses import (
    contour_loss,
    contour_response,
    ksdt,
    mse_contour_loss,
    mse_edge_loss,
    soft_binarize,
)

IMAGES = torch.zeros(2, 8, 8)
LOSSES = [contour_loss, mse_edge_loss, mse_contour_loss]
each_loss = pytest.mark.parametrize("loss", LOSSES)


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "2", None])
@pytest.mark.parametrize("positives", [0, 2])
def test_k_must_be_an_int_of_at_least_1(k, positives):
    images = IMAGES[:positives]
    for call in (
        lambda: ksdt(images, k),
        lambda: contour_loss(images, images, k=k),
        lambda: mse_contour_loss(images, images, k=k),
    ):
        with pytest.raises(ValueError, match=rf"^k must be an int of at least 1, got {k!r}$"):
            call()


@pytest.mark.parametrize("padding", ["reflect", None])
def test_an_unknown_padding_is_refused_with_the_choices(padding):
    message = rf"^padding must be one of 'zeros', 'replicate', got {padding!r}$"
    with pytest.raises(ValueError, match=message):
        contour_response(IMAGES, padding=padding)
    with pytest.raises(ValueError, match=message):
        ksdt(IMAGES, 1, padding=padding)


@each_loss
@pytest.mark.parametrize("variant", ["Paper", "", None])
def test_an_unknown_variant_is_refused_with_the_choices(loss, variant):
    with pytest.raises(
        ValueError, match=rf"^variant must be one of 'paper', 'sound', got {variant!r}$"
    ):
        loss(IMAGES, IMAGES, variant=variant)


@pytest.mark.parametrize("shape", [(8, 8), (2, 1, 8, 8), (2, 0, 8), (2, 8, 0)])
def test_images_must_be_a_stack(shape):
    wrong = torch.zeros(shape)
    message = r"{} must have shape \(N, H, W\), got \(" + ", ".join(map(str, shape)) + r"\)"
    with pytest.raises(ValueError, match=message.format("masks")):
        contour_response(wrong)
    with pytest.raises(ValueError, match=message.format("response")):
        ksdt(wrong, 1)
    for loss in LOSSES:
        with pytest.raises(ValueError, match=message.format("mask_logits")):
            loss(wrong, IMAGES)
        with pytest.raises(ValueError, match=message.format("gt_masks")):
            loss(IMAGES, wrong)


@each_loss
@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 7)])
def test_prediction_and_truth_must_have_the_same_shape(loss, shape):
    # (1, 8, 8) would broadcast silently.
    with pytest.raises(ValueError, match=rf"same shape, got \({shape[0]}, .* and \(2, 8, 8\)$"):
        loss(IMAGES, torch.zeros(shape))


@each_loss
def test_logits_must_be_floating_point(loss):
    with pytest.raises(
        ValueError, match=r"^mask_logits must be floating point, got dtype torch.int64$"
    ):
        loss(IMAGES.long(), IMAGES)


@each_loss
@pytest.mark.parametrize(("wrong", "kind"), [(np.zeros((2, 8, 8)), "ndarray"), (None, "NoneType")])
def test_both_sides_must_be_tensors(loss, wrong, kind):
    with pytest.raises(ValueError, match=rf"^mask_logits must be a tensor, got {kind}$"):
        loss(wrong, IMAGES)
    with pytest.raises(ValueError, match=rf"^gt_masks must be a tensor, got {kind}$"):
        loss(IMAGES, wrong)


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match=r"^x must hold real numbers, got dtype torch.complex64$"):
        soft_binarize(torch.zeros(3, dtype=torch.complex64))
