"""Everything again in float64 NumPy, pixel by pixel from the printed equations, and compared."""

import numpy as np
import pytest
import torch

from harness import losses

SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SOBEL_Y = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
SMOOTH = np.ones((3, 3)) / 9
EPSILON = 1e-6
EXACT = {"rtol": 1e-9, "atol": 1e-12}


def binarize(x, gamma, t):
    return 1 / (1 + np.exp(-gamma * (x - t)))  # eq 1


def convolve(image, kernel, padding):
    padded = np.pad(image, 1, mode={"zeros": "constant", "replicate": "edge"}[padding])
    result = np.zeros_like(image)
    for i, j in np.ndindex(image.shape):
        result[i, j] = (padded[i : i + 3, j : j + 3] * kernel).sum()
    return result


def response_of(mask, padding):
    x, y = convolve(mask, SOBEL_X, padding), convolve(mask, SOBEL_Y, padding)
    return 0.5 * (abs(x) + abs(y))  # eqs 4-5


def distance_of(response, k, sound):
    def dilate(image):
        dilated = binarize(convolve(image, SMOOTH, "replicate" if sound else "zeros"), 20, 0.1)
        low, high = binarize(0, 20, 0.1), binarize(1, 20, 0.1)
        return (dilated - low) / (high - low) if sound else dilated

    image = np.minimum(response, 1) if sound else response
    total = image  # Algorithm 1
    for _ in range(k):
        image = dilate(image)
        total = total + image
    return k + 1 - total


def losses_of(logits, gt_mask, k, sound):
    """Contour loss, MSE edge loss and MSE contour loss of one mask (Algorithm 2)."""
    padding = "replicate" if sound else "zeros"
    predicted = response_of(binarize(1 / (1 + np.exp(-logits)), 20, 0.5), padding)
    true = response_of(gt_mask, padding)
    predicted_dt, true_dt = distance_of(predicted, k, sound), distance_of(true, k, sound)
    pixels = gt_mask.size
    there = ((predicted * true_dt).sum() / pixels + EPSILON) / (predicted.sum() / pixels + EPSILON)
    back = ((true * predicted_dt).sum() / pixels + EPSILON) / (true.sum() / pixels + EPSILON)
    edge = ((predicted - true) ** 2).sum() / pixels
    return 0.5 * (there + back), edge, ((predicted_dt - true_dt) ** 2).sum() / pixels


def batch():
    """Logits and masks: blobs, boxes on the frame, noise, nothing and everything; not square."""
    random = np.random.default_rng(7)
    rows, columns = np.mgrid[:13, :11]
    blob = (rows - 5) ** 2 + (columns - 6) ** 2 < 17
    box = (rows > 6) & (columns < 5)
    noise = random.random((13, 11)) < 0.5
    nothing = np.zeros((13, 11), dtype=bool)
    gt_masks = np.stack([blob, box, noise, nothing, ~nothing, blob, box]).astype(float)
    logits = 3 * (2 * np.roll(gt_masks, 1, axis=2) - 1) + random.normal(size=gt_masks.shape)
    logits[5] = -9  # an empty prediction
    logits[6] = 9 * (2 * gt_masks[6] - 1)  # a perfect one
    return logits, gt_masks


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_contour_response_follows_equations_3_to_5(padding):
    for masks in batch():
        ours = losses.contour_response(torch.from_numpy(masks), padding=padding)
        np.testing.assert_allclose(ours, [response_of(mask, padding) for mask in masks], **EXACT)


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_ksdt_follows_equations_9_to_12(k, sound):
    responses = np.random.default_rng(k).gamma(0.4, size=(4, 13, 11))
    padding = "replicate" if sound else "zeros"
    ours = losses.ksdt(torch.from_numpy(responses), k, padding=padding, clamp=sound, rebase=sound)
    np.testing.assert_allclose(ours, [distance_of(r, k, sound) for r in responses], **EXACT)


@pytest.mark.parametrize("variant", ["paper", "sound"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_losses_follow_equations_16_to_19(k, variant):
    logits, gt_masks = batch()
    pairs = zip(logits, gt_masks, strict=True)
    expected = np.mean([losses_of(*pair, k, variant == "sound") for pair in pairs], axis=0)
    tensors = torch.from_numpy(logits), torch.from_numpy(gt_masks)
    ours = [
        losses.contour_loss(*tensors, k=k, variant=variant),
        losses.mse_edge_loss(*tensors, variant=variant),
        losses.mse_contour_loss(*tensors, k=k, variant=variant),
    ]
    np.testing.assert_allclose(ours, expected, **EXACT)
