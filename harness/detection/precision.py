"""What `precision` of a spec means on a device: autocast in training, and a scaler of its loss.

In "amp" matrix products and convolutions are computed in 16 bits; weights, momenta, checkpoints and
predictions stay in float32. float16 ends at 65,504 and loses gradients below 6e-8, so the loss is
multiplied before the backward pass and the gradients divided after it; bfloat16 reaches as far as
float32 and needs none of that, and CPUs compute it faster than float16.
"""

import torch
from torch.amp import GradScaler

from harness.grid.spec import RunSpec

AMP_DTYPES = {"cuda": torch.float16, "cpu": torch.bfloat16}


def autocast(spec: RunSpec, device: str) -> torch.autocast:
    """The context of a forward pass of `spec`; it changes nothing in float32.

    Args:
        spec: its precision is read.
        device: "cuda" or "cpu".
    """
    return torch.autocast(device, dtype=AMP_DTYPES[device], enabled=spec.precision == "amp")


def grad_scaler(spec: RunSpec, device: str) -> GradScaler:
    """The scaler of the loss of `spec`; it does nothing but for float16.

    Args:
        spec: its precision is read.
        device: "cuda" or "cpu".
    """
    in_half = spec.precision == "amp" and AMP_DTYPES[device] == torch.float16
    return GradScaler(device, enabled=in_half)
