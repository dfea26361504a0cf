"""Training-step time with each loss against plain detectron2, on one batch, interleaved.

Aim: a ratio of at most 1.01 at 128 positives. Timed is the mask head at its published size, which
is all that differs: of a whole training step, backbone included, the ratio is smaller still.
"""

import statistics
import time
from collections.abc import Callable

import torch
from detectron2.layers import ShapeSpec
from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage

from harness.detection.mask_heads import ContourMaskHead
from harness.grid import contour, mse_contour, mse_edge

ROUNDS = 15
POSITIVES = 128
HEAD = {"input_shape": ShapeSpec(channels=256, height=14, width=14), "num_classes": 80}
LOSSES = {"contour k=2": contour(), "MSE edge": mse_edge(), "MSE contour k=2": mse_contour()}


def instances() -> list[Instances]:
    """Two images whose positives are 64 RoIs each."""
    torch.manual_seed(0)
    corner = torch.rand(POSITIVES // 2, 2) * 400
    boxes = Boxes(torch.cat([corner, corner + 50 + torch.rand(POSITIVES // 2, 2) * 300], dim=1))
    masks = BitMasks(torch.rand(POSITIVES // 2, 800, 800) > 0.5)
    classes = torch.randint(80, (POSITIVES // 2,))
    image = Instances((800, 800), gt_masks=masks, proposal_boxes=boxes, gt_classes=classes)
    return [image, image]


def step(head: torch.nn.Module, features: torch.Tensor, images: list[Instances]) -> float:
    """Seconds of one forward and backward of the mask head."""
    begun = time.perf_counter()
    with EventStorage():
        sum(head(features, images).values()).backward()
    return time.perf_counter() - begun


def interleaved(steps: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Seconds of each, one of each kind in turn, after a warm-up."""
    for run in steps.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, run in steps.items():
            seconds[name].append(run())
    return seconds


def main() -> None:
    torch.set_num_threads(1)
    images = instances()
    features = torch.randn(POSITIVES, 256, 14, 14)
    heads = {"plain detectron2": MaskRCNNConvUpsampleHead(conv_dims=[256] * 5, **HEAD)} | {
        name: ContourMaskHead(conv_dims=[256] * 5, contour_term=loss, **HEAD)
        for name, loss in LOSSES.items()
    }
    seconds = interleaved(
        {name: lambda head=head: step(head, features, images) for name, head in heads.items()}
    )
    plain = seconds["plain detectron2"]
    print(f"mask head, forward and backward, {POSITIVES} positives, one thread   median   ratio")
    for name, own in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(own, plain, strict=True))
        print(f"  {name:62} {statistics.median(own) * 1000:6.0f} ms  {ratio:.3f}")


if __name__ == "__main__":
    main()
