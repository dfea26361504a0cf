"""Made-up masks of the size that a mask head sees: what the losses are measured on.

All are float64 and of shape (N, 28, 28), as the positive RoIs of Mask R-CNN.
"""

from typing import TYPE_CHECKING

from harness.illustrate.rois import SIDE

if TYPE_CHECKING:
    from torch import Tensor

CENTRE = (SIDE - 1) / 2
OUTLINE_WAVES = 4  # of a blob: more of them make its outline busier


def disc(radius: float = 8.0, shift: float = 0.0) -> "Tensor":
    """The 0/1 mask of a disc, shape (1, 28, 28).

    Args:
        radius: in px; from 14 on it touches the frame.
        shift: of its centre, to the right, in px.
    """
    return (_depth(radius, shift) >= 0).double()


def disc_logits(radius: float = 8.0, shift: float = 0.0, *, sharpness: float = 2.0) -> "Tensor":
    """What a mask head may say of that disc, shape (1, 28, 28).

    Args:
        radius: in px.
        shift: of its centre, to the right, in px.
        sharpness: by how much the logit rises from one px to the next on the way in.
    """
    return sharpness * _depth(radius, shift)


def blobs(count: int, seed: int = 0) -> "Tensor":
    """0/1 masks of random smooth outlines, each cut to its box as ground truth is, (count, 28, 28).

    Args:
        count: how many.
        seed: of the generator that draws them.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    angle = torch.linspace(0, 2 * torch.pi, 721, dtype=torch.float64)[:-1]
    waves = torch.arange(1, OUTLINE_WAVES + 1, dtype=torch.float64)
    size = torch.rand(count, OUTLINE_WAVES, 1, generator=generator, dtype=torch.float64) / 2
    phase = torch.rand(count, OUTLINE_WAVES, 1, generator=generator, dtype=torch.float64)
    wavy = torch.cos(waves[:, None] * angle + 2 * torch.pi * phase)
    radius = (1 + (size / waves[:, None] * wavy).sum(dim=1)).clamp(min=0.2)  # (count, angles)
    return torch.stack([_within(one, angle) for one in radius])


def unsure_logits(
    gt_masks: "Tensor", *, shift: int = 2, certainty: float = 4.0, seed: int = 0
) -> "Tensor":
    """What a mask head may say of these masks early on: moved and noisy, shape (N, 28, 28).

    Args:
        gt_masks: 0/1 masks, shape (N, 28, 28).
        shift: to the left, in px; what leaves there comes in on the right.
        certainty: logit inside, and minus that outside, before noise of deviation 1.
        seed: of the generator of the noise.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(gt_masks.shape, generator=generator, dtype=gt_masks.dtype)
    return certainty * (2 * gt_masks.roll(-shift, dims=-1) - 1) + noise


def _depth(radius: float, shift: float) -> "Tensor":
    """How far inside of the disc each pixel lies, in px; negative outside."""
    import torch

    offset = torch.arange(SIDE, dtype=torch.float64) - CENTRE
    return (radius - torch.hypot(offset[:, None], offset - shift))[None]


def _within(radius: "Tensor", angle: "Tensor") -> "Tensor":
    """The pixels inside of an outline in polar coordinates, whose box becomes the whole image."""
    import torch

    x, y = radius * torch.cos(angle), radius * torch.sin(angle)
    steps = (torch.arange(SIDE, dtype=torch.float64) + 0.5) / SIDE
    across = x.min() + steps * (x.max() - x.min())
    down = (y.min() + steps * (y.max() - y.min()))[:, None]
    direction = torch.atan2(down, across).remainder(2 * torch.pi)
    nearest = (direction / (2 * torch.pi) * len(angle)).round().long() % len(angle)
    return (torch.sqrt(across**2 + down**2) <= radius[nearest]).double()
