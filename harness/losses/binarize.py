"""Soft binarization: a threshold that lets gradients through (III-A, eqs 1-2)."""

import torch
from torch import Tensor

from harness.losses.arguments import as_float


def soft_binarize(x: Tensor, *, slope: float = 20.0, threshold: float = 0.5) -> Tensor:
    """B(x): near 0 below the threshold, near 1 above it, 0.5 on it.

    Args:
        x: any shape; for eq 2 the mask probabilities.
        slope: γ of eq 1; the larger, the closer to a step.
        threshold: T of eq 1.

    Returns:
        Values from 0 to 1, shape of `x`, float32 (float64 where `x` is).

    Raises:
        ValueError: `x` is not a tensor of real numbers.
    """
    # eq 1. Written out as 1 / (1 + exp(..)) its gradient is NaN in float32 where x is below about
    # -3.9: exp overflows, and the chain rule multiplies infinity by zero.
    return torch.sigmoid(slope * (as_float("x", x) - threshold))
