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

each_loss = pytest.mark.parametrize("loss", [contour_loss, mse_edge_loss, mse_contour_loss])
each_variant = pytest.mark.parametrize("variant", ["paper", "sound"])
each_half = pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(11)
    gt_masks = torch.zeros(3, 28, 28)
    gt_masks[0, 4:20, 6:] = 1
    gt_masks[1, 9:, :13] = 1
    gt_masks[2, 11:14, 12:15] = 1
    return gt_masks * 4 - 2 + torch.randn(3, 28, 28, generator=generator), gt_masks


@each_half
@each_variant
@each_loss
def test_half_precision_logits_are_computed_in_float32(loss, variant, half, pair):
    logits, gt_masks = pair[0].to(half).requires_grad_(), pair[1]
    upcast = logits.detach().float().requires_grad_()
    value, expected = (loss(x, gt_masks, variant=variant) for x in (logits, upcast))
    value.backward()
    expected.backward()
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)
    # The gradient is rounded once, at the very end.
    assert torch.equal(logits.grad, upcast.grad.to(half))


@each_half
@pytest.mark.parametrize("function", [soft_binarize, contour_response, lambda x: ksdt(x, 2)])
def test_half_precision_images_are_computed_in_float32(function, half, pair):
    image = pair[0].to(half)
    assert function(image).dtype == torch.float32
    assert torch.equal(function(image), function(image.float()))


@each_variant
@each_loss
def test_autocast_changes_nothing(loss, variant, pair):
    outside = loss(*pair, variant=variant)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(*pair, variant=variant)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, outside)


@each_variant
@each_loss
def test_float64_logits_give_a_float64_loss(loss, variant, pair):
    # That no constant of float32 hides on the way shows in test_equations.py, to nine digits.
    logits, gt_masks = (x.double() for x in pair)
    value = loss(logits, gt_masks, variant=variant)
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(loss(*pair, variant=variant).item(), abs=1e-5)


@each_variant
@each_loss
@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.float64]
)
def test_ground_truth_of_any_dtype_follows_the_logits(loss, variant, dtype, pair):
    logits, gt_masks = pair
    value = loss(logits, gt_masks.to(dtype), variant=variant)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss(logits, gt_masks, variant=variant))
