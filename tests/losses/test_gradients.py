import pytest
import torch
from torch.autograd import gradcheck

from harness.losses import contour_loss, contour_response, ksdt, mse_contour_loss, mse_edge_loss

LOSSES = [contour_loss, mse_edge_loss, mse_contour_loss]
VARIANTS = ["paper", "sound"]
each_loss = pytest.mark.parametrize("loss", LOSSES)
each_variant = pytest.mark.parametrize("variant", VARIANTS)


def roi(kind):
    masks = torch.zeros(1, 28, 28)
    masks[{"empty": (0, slice(0)), "full": 0, "pixel": (0, 9, 9)}[kind]] = 1
    return masks


def random_pair(dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 6, 7, generator=generator, dtype=dtype)
    gt_masks = (torch.rand(2, 6, 7, generator=generator) < 0.5).to(dtype)
    return logits.requires_grad_(), gt_masks


@each_variant
@each_loss
def test_gradients_of_the_losses_are_their_finite_differences(loss, variant):
    logits, gt_masks = random_pair()
    assert gradcheck(lambda x: loss(x, gt_masks, variant=variant), (logits,))


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_gradients_of_the_images_are_their_finite_differences(padding):
    image, _ = random_pair()
    assert gradcheck(lambda x: contour_response(x, padding=padding), (image,))
    # Sparse, so that there are means on both sides of the dilation's threshold.
    sparse = (2 * (image.detach() - 1).relu()).requires_grad_()
    assert sparse.min() == 0
    assert sparse.max() > 1
    sound = padding == "replicate"
    assert gradcheck(lambda x: ksdt(x, 2, padding=padding, clamp=sound, rebase=sound), (sparse,))


@each_variant
@each_loss
@pytest.mark.parametrize("truth", ["empty", "full", "pixel"])
@pytest.mark.parametrize("predicted", ["empty", "full", "pixel"])
@pytest.mark.parametrize("confidence", [0.0, 2.0, 100.0])
def test_degenerate_masks_have_a_finite_value_and_gradient(
    loss, variant, truth, predicted, confidence
):
    logits = (confidence * (2 * roi(predicted) - 1)).requires_grad_()
    value = loss(logits, roi(truth), variant=variant)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


@each_variant
@each_loss
def test_without_positives_the_loss_is_a_differentiable_0(loss, variant):
    logits = torch.zeros(0, 28, 28, requires_grad=True)
    value = loss(logits, torch.zeros(0, 28, 28), variant=variant)
    value.backward()
    assert value.item() == 0
    assert value.shape == ()
    assert logits.grad.shape == (0, 28, 28)


@each_variant
@each_loss
def test_only_the_prediction_gets_a_gradient(loss, variant):
    logits, gt_masks = random_pair()
    gt_masks.requires_grad_()
    loss(logits, gt_masks, variant=variant).backward()
    assert gt_masks.grad is None
    assert logits.grad.abs().max() > 0


@each_variant
def test_the_gradient_moves_the_predicted_edge_towards_the_true_one(variant):
    # The object is predicted from column 8 on and begins at column 5: the pixels of column 7 must
    # rise, so their gradient is negative. The frame is left out: "paper" sees a contour there.
    logits = torch.full((1, 28, 28), -1.0)
    logits[:, :, 8:] = 1
    logits.requires_grad_()
    gt_masks = torch.zeros(1, 28, 28)
    gt_masks[:, :, 5:] = 1
    contour_loss(logits, gt_masks, variant=variant).backward()
    assert logits.grad[0, 5:-5, 7].max() < 0
