import math

import pytest
import torch

from harness.losses import soft_binarize


def test_the_threshold_is_the_middle():
    # 1 / (1 + e^0) = 1/2, whatever the slope.
    assert soft_binarize(torch.tensor(0.5)).item() == 0.5
    assert soft_binarize(torch.tensor(0.1), slope=7.0, threshold=0.1).item() == 0.5


def test_probabilities_away_from_the_threshold_are_nearly_0_or_1():
    # 20 · (0 - 0.5) = -10 and 20 · (1 - 0.5) = 10: 1 / (1 + e^10) = 4.54e-5 and its complement.
    low, high = soft_binarize(torch.tensor([0.0, 1.0], dtype=torch.float64)).tolist()
    assert low == pytest.approx(1 / (1 + math.exp(10)), rel=1e-12)
    assert high == pytest.approx(1 - low, rel=1e-12)


def test_the_gradient_is_steepest_at_the_threshold():
    # B' = slope · B · (1 - B): 20/4 = 5 at the threshold.
    x = torch.tensor([0.4, 0.5, 0.6], requires_grad=True)
    soft_binarize(x).sum().backward()
    before, at, after = x.grad.tolist()
    assert at == pytest.approx(5.0)
    assert before < at > after


@pytest.mark.parametrize("x", [-6.0, -1e4, 1e4])
def test_values_far_from_the_threshold_have_a_finite_gradient(x):
    # Equation 1 as printed overflows at -6 in float32: e^130 = inf, and inf · 0 = NaN on the way
    # back.
    values = torch.tensor([x], requires_grad=True)
    soft_binarize(values).sum().backward()
    assert torch.isfinite(values.grad).all()


def test_any_shape_is_kept():
    assert soft_binarize(torch.zeros(2, 3, 4, 5)).shape == (2, 3, 4, 5)
    assert soft_binarize(torch.tensor(0.0)).shape == ()
