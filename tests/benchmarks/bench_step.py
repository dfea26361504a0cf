"""Training-step time with each loss against plain detectron2, on one batch, interleaved.

Aim: a ratio of at most 1.01 at 128 positives. Timed are the mask head alone, which is all that
differs, and the whole step of the published R50 on two images of 400 px: forward, backward and
optimizer. All start from the same weights, and each forward from the same seed, so that they train
on the same RoIs. One thread, and its CPU time, which neighbours move less; some minutes.
"""

import logging
import statistics
import time
import warnings
from collections.abc import Callable

import torch

from harness.grid import NO_LOSS, Loss, Setting, contour, finetune, mse_contour, mse_edge

with warnings.catch_warnings(action="ignore"):  # detectron2's imports warn
    from detectron2.layers import ShapeSpec
    from detectron2.modeling.roi_heads import MaskRCNNConvUpsampleHead
    from detectron2.structures import BitMasks, Boxes, Instances
    from detectron2.utils.events import EventStorage

    from harness.detection.mask_heads import ContourMaskHead
    from harness.detection.models import build_model
    from harness.detection.train import build_optimizer

ROUNDS = {"mask head": 15, "training step": 9}
POSITIVES = 128
SIDE = 400  # px
LOSSES = {
    "plain detectron2": NO_LOSS,
    "contour k=2": contour(),
    "MSE edge": mse_edge(),
    "MSE contour k=2": mse_contour(),
}

Step = Callable[[], float]


def instances(side: int) -> list[Instances]:
    """The ground truth of two images: 64 boxes each, at least a tenth of `side` wide and high."""
    torch.manual_seed(0)
    images = []
    for _ in range(2):
        corner = torch.rand(POSITIVES // 2, 2) * side / 2
        size = side / 10 + torch.rand(POSITIVES // 2, 2) * side * 0.35
        images.append(
            Instances(
                (side, side),
                gt_boxes=Boxes(torch.cat([corner, corner + size], dim=1)),
                gt_masks=BitMasks(torch.rand(POSITIVES // 2, side, side) > 0.5),
                gt_classes=torch.randint(80, (POSITIVES // 2,)),
            )
        )
    return images


def mask_head_steps() -> tuple[dict[str, Step], int]:
    """A step of the mask head for each loss, and the positives in it."""
    images = instances(800)
    for image in images:
        image.proposal_boxes = image.gt_boxes
    features = torch.randn(POSITIVES, 256, 14, 14)

    def timed(loss: Loss) -> Step:
        options = {
            "input_shape": ShapeSpec(channels=256, height=14, width=14),
            "num_classes": 80,
            "conv_dims": [256] * 5,
        }
        torch.manual_seed(0)
        if loss == NO_LOSS:
            head = MaskRCNNConvUpsampleHead(**options)
        else:
            head = ContourMaskHead(contour_term=loss, **options)

        def step() -> float:
            begun = time.process_time()
            with EventStorage():
                sum(head(features, images).values()).backward()
            return time.process_time() - begun

        return step

    return {name: timed(loss) for name, loss in LOSSES.items()}, POSITIVES


def training_steps() -> tuple[dict[str, Step], int]:
    """A whole training step for each loss, and the positives in the first of them."""
    torch.manual_seed(0)
    batch = [
        {"image": torch.rand(3, SIDE, SIDE) * 255, "instances": image} for image in instances(SIDE)
    ]
    positives = []

    def timed(loss: Loss) -> Step:
        spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", loss)
        torch.manual_seed(0)
        model = build_model(spec, num_classes=80)
        # A learning rate of almost nothing keeps the weights, and so the RoIs, of all models alike.
        optimizer = build_optimizer(spec, model)
        for group in optimizer.param_groups:
            group["lr"] = 1e-12
        model.roi_heads.mask_head.register_forward_pre_hook(
            lambda head, inputs: positives.append(len(inputs[0]))
        )

        def step() -> float:
            torch.manual_seed(0)
            begun = time.process_time()
            with EventStorage():
                losses = model(batch)
            optimizer.zero_grad()
            sum(losses.values()).backward()
            optimizer.step()
            return time.process_time() - begun

        return step

    steps = {name: timed(loss) for name, loss in LOSSES.items()}
    steps["plain detectron2"]()
    return steps, positives[0]


def interleaved(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each, one of each kind in turn after a warm-up; rounds begin one later."""
    for run in steps.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(steps[name]())
    return seconds


def main() -> None:
    """Print median times, and the median of the ratios to plain detectron2 in the same round."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    for what, prepared in {"mask head": mask_head_steps, "training step": training_steps}.items():
        steps, positives = prepared()
        seconds = interleaved(steps, ROUNDS[what])
        print(
            f"{what}, {positives} positives, {ROUNDS[what]} rounds     median   ratio (quartiles)"
        )
        for name, own in seconds.items():
            ratios = [a / b for a, b in zip(own, seconds["plain detectron2"], strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            print(
                f"  {name:40} {statistics.median(own) * 1000:7.0f} ms"
                f"   {middle:.3f} ({low:.3f} to {high:.3f})"
            )


if __name__ == "__main__":
    main()
