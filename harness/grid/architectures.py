"""Which networks there are: all that is known of one stands in one entry.

`harness.detection.models` builds them. Seconds and parameters are what `harness plan` reckons with
until `harness benchmark` has measured.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.data.weights import R50, R101, X101, Weights


@dataclass(frozen=True)
class Cost:
    """Figures of one architecture at one scale.

    Attributes:
        seconds_per_image: of one GPU, forward and backward (one CPU thread at demo scale).
        parameters: a checkpoint holds each and its momentum, 4 bytes both.
    """

    seconds_per_image: float
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Mask R-CNN with an FPN on a ResNet or ResNeXt, or Hybrid Task Cascade on the same.

    Attributes:
        depth: of the backbone, 50 or 101.
        groups: of its 3x3 convolutions; more than one makes it a ResNeXt.
        width: channels of each group in its first stage; it doubles from stage to stage.
        stride_in_1x1: whether its 1x1 convolution strides, as in MSRA's ResNets.
        pixel_std: per channel, as in the training of its ImageNet weights.
        weights: its ImageNet weights, from which a base starts at paper scale.
        cascade: whether it is a Hybrid Task Cascade.
        paper, demo: what it costs at each scale.
    """

    depth: int
    groups: int = 1
    width: int = 64
    stride_in_1x1: bool = True
    pixel_std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    weights: Weights
    cascade: bool = False
    paper: Cost
    demo: Cost


# Paper scale, from zoos on 8 V100s. maskrcnn-benchmark: 0.454, 0.567 s per iteration with 2 images
# per GPU, X101 0.756 with 1. HTC, with its semantic branch: 0.936 with 2, mmdetection 1.x, whose
# Mask R-CNN R50 takes 0.453. Demo scale: measured on one thread each of a busy two-core machine.
ARCHITECTURES: Mapping[str, Architecture] = {
    "mask_rcnn_R50_FPN": Architecture(
        depth=50, weights=R50, paper=Cost(0.227, 44_300_000), demo=Cost(0.080, 2_240_000)
    ),
    "mask_rcnn_R101_FPN": Architecture(
        depth=101, weights=R101, paper=Cost(0.284, 63_300_000), demo=Cost(0.090, 3_440_000)
    ),
    "mask_rcnn_X101_FPN": Architecture(
        depth=101,
        groups=32,
        width=8,
        stride_in_1x1=False,
        pixel_std=(57.375, 57.120, 58.395),
        weights=X101,
        paper=Cost(0.756, 107_400_000),
        demo=Cost(0.090, 2_440_000),
    ),
    "htc_R50_FPN": Architecture(
        depth=50,
        weights=R50,
        cascade=True,
        paper=Cost(0.468, 80_200_000),
        demo=Cost(0.345, 3_500_000),
    ),
}


def cost_of(architecture: str, scale: str) -> Cost:
    """What `architecture` costs at `scale`, "paper" or "demo"."""
    known = ARCHITECTURES[architecture]
    return {"paper": known.paper, "demo": known.demo}[scale]


def weights_of(architectures: Iterable[str]) -> tuple[Weights, ...]:
    """The ImageNet weights of these architectures, each once."""
    return tuple(dict.fromkeys(ARCHITECTURES[one].weights for one in architectures))
