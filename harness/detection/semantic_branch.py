"""Hybrid Task Cascade's semantic branch (Chen et al. 2019, section 3.3, Fig. 3)."""

import torch
from detectron2.layers import Conv2d
from detectron2.modeling.poolers import ROIPooler
from detectron2.structures import Boxes
from fvcore.nn.weight_init import c2_msra_fill
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, interpolate

from harness.data.stuff_maps import UNLABELED


class SemanticBranch(nn.Module):
    """Segments all pixels, and gives features of context to the box and mask heads.

    The levels of the pyramid, each through a 1x1 convolution, are brought to the size of one of
    them and added up; 3x3 convolutions follow; from these come the class of each pixel and the
    features.
    """

    def __init__(
        self,
        *,
        in_features: list[str],
        fused_at: str,
        channels: int,
        num_convs: int,
        num_classes: int,
        stride: int,
        loss_weight: float,
    ):
        """Args:
        in_features: names of the levels of the pyramid.
        fused_at: that of the level whose size the others are brought to.
        channels: of each level, and of the features.
        num_convs: 3x3 convolutions after the sum.
        num_classes: of the stuff maps; `UNLABELED` is ignored.
        stride: of the level `fused_at`, in px.
        loss_weight: factor of the loss.
        """
        super().__init__()
        self.in_features = in_features
        self.fused_at = fused_at
        self.stride = stride
        self.loss_weight = loss_weight
        self.laterals = nn.ModuleList(_conv(channels, 1) for _ in in_features)
        self.convs = nn.Sequential(*(_conv(channels, 3) for _ in range(num_convs)))
        self.embedding = _conv(channels, 1)
        self.predictor = Conv2d(channels, num_classes, kernel_size=1)
        c2_msra_fill(self.predictor)

    def forward(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Logits of the classes (N, classes, h, w), and the features (N, channels, h, w).

        Args:
            features: of each level of the pyramid, (N, channels, height, width).
        """
        size = features[self.fused_at].shape[-2:]
        levels = (features[name] for name in self.in_features)
        fused = sum(
            lateral(_resized(level, size))
            for lateral, level in zip(self.laterals, levels, strict=True)
        )
        hidden = self.convs(fused)
        return self.predictor(hidden), self.embedding(hidden)

    def loss(self, logits_NChw: Tensor, stuff_NHW: Tensor) -> Tensor:
        """Mean cross-entropy over the labeled pixels, weighted; 0 where there is none.

        Args:
            logits_NChw: from `forward`.
            stuff_NHW: class of each pixel of the images, padded with `UNLABELED`.
        """
        # The nearest pixel to each position of the level, as a map's classes have no mean.
        labels_Nhw = stuff_NHW[:, :: self.stride, :: self.stride]
        total = cross_entropy(
            logits_NChw.float(), labels_Nhw, ignore_index=UNLABELED, reduction="sum"
        )
        labeled = (labels_Nhw != UNLABELED).sum().clamp(min=1)
        return total / labeled * self.loss_weight


class ContextPooler(nn.Module):
    """Pools boxes from the pyramid, and adds what the semantic features say there.

    Stands where detectron2's heads expect a ROIPooler: the semantic features are the last of the
    maps that it is given. Where they are pooled finer, by a whole factor, they are averaged.
    """

    def __init__(self, pyramid: ROIPooler, semantic: ROIPooler):
        super().__init__()
        self.pyramid = pyramid
        self.semantic = semantic

    def forward(self, features: list[Tensor], boxes: list[Boxes]) -> Tensor:
        """Features of each box, (R, channels, side, side)."""
        *levels, context = features
        pooled, around = self.pyramid(levels, boxes), self.semantic([context], boxes)
        times = around.shape[-1] // pooled.shape[-1]
        return pooled + (avg_pool2d(around, times) if times > 1 else around)


def _conv(channels: int, side: int) -> Conv2d:
    conv = Conv2d(channels, channels, side, padding=side // 2, activation=nn.ReLU())
    c2_msra_fill(conv)
    return conv


def _resized(level: Tensor, size: torch.Size) -> Tensor:
    if level.shape[-2:] == size:
        return level
    return interpolate(level, size=size, mode="bilinear", align_corners=True)
