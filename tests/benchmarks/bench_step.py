"""Training-step time of plain detectron2 against ours: baseline and each loss, interleaved.

Aim: a ratio of at most 1.00 for the baseline and 1.01 with each loss. Timed are
* the mask head alone at 128 positives, which is all that the losses change;
* the whole step of the published R50 on two images of 400 px with 128 positives;
* the whole step of each architecture at demo scale, on batches of the demo's drawn shapes. Hybrid
  Task Cascade stands against detectron2's Cascade Mask R-CNN with the same sizes and box heads.
A whole step is forward, backward, metrics and optimizer: `run_step` of detectron2's SimpleTrainer,
or ours with its seeding. Batches are at hand, and what is done every so many iterations (writing,
saving) is left out of both. All start from the same weights and draw the same RoIs. One thread, and
its CPU time, which neighbours move less; some minutes. Name parts of the table to have only those:
`bench_step.py demo`.
"""

import itertools
import logging
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.grid import NO_LOSS, Loss, RunSpec, Setting, contour, finetune, mse_contour, mse_edge
from harness.shapes import write_shapes

with warnings.catch_warnings(action="ignore"):  # detectron2's imports warn
    from detectron2.config import instantiate
    from detectron2.engine import SimpleTrainer
    from detectron2.layers import ShapeSpec
    from detectron2.modeling import GeneralizedRCNN
    from detectron2.modeling.roi_heads import CascadeROIHeads, MaskRCNNConvUpsampleHead
    from detectron2.structures import BitMasks, Boxes, Instances
    from detectron2.utils.events import EventStorage

    from harness.detection.datasets import load_split, with_objects, with_stuff_maps
    from harness.detection.images import train_mapper
    from harness.detection.loader import IterationBatches, spec_order
    from harness.detection.mask_heads import ContourMaskHead
    from harness.detection.models import build_model, model_config
    from harness.detection.seeding import seed_generators
    from harness.detection.train import build_optimizer
    from harness.detection.trainer import SeedStep, Trainer

POSITIVES = 128
SIDE = 400  # px
PLAIN = "plain detectron2"
LOSSES = {
    "baseline": NO_LOSS,
    "contour k=2": contour(),
    "MSE edge": mse_edge(),
    "MSE contour k=2": mse_contour(),
}


def cascade_mask_rcnn(spec: RunSpec, classes: int) -> nn.Module:
    """Detectron2's Cascade Mask R-CNN with the sizes of our Hybrid Task Cascade."""
    model = model_config(replace(spec, semantic_branch=False), classes)
    model._target_ = GeneralizedRCNN
    heads = model.roi_heads
    heads._target_ = CascadeROIHeads
    heads.pop("semantic_branch")
    heads.mask_head = heads.mask_head.heads[0]
    return instantiate(model)


# What detectron2 has to set against each of our models, and the rounds of it at demo scale. Our
# baseline Mask R-CNN is made of detectron2's own classes, so there the two are the same.
ModelOf = Callable[[RunSpec, int], nn.Module]
DEMO: Mapping[str, tuple[ModelOf, int]] = {
    "mask_rcnn_R50_FPN": (build_model, 60),
    "mask_rcnn_R101_FPN": (build_model, 40),
    "mask_rcnn_X101_FPN": (build_model, 40),
    "htc_R50_FPN": (cascade_mask_rcnn, 15),
}

Step = Callable[[], float]
Batch = list[dict[str, Any]]


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


def mask_head_steps() -> dict[str, Step]:
    """A step of the mask head alone for each loss; the baseline's is detectron2's own."""
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

    return {PLAIN if loss == NO_LOSS else name: timed(loss) for name, loss in LOSSES.items()}


def training_steps(
    spec: RunSpec, classes: int, plain: ModelOf, batches: list[Batch]
) -> dict[str, Step]:
    """A whole step of plain detectron2, and of ours for each loss, on the same batches in turn."""

    def of(trainer: SimpleTrainer, seeds: list[SeedStep]) -> Step:
        trainer.iter, trainer.storage = 0, EventStorage()
        # A learning rate of almost nothing keeps the weights, and so the RoIs, of all alike.
        for group in trainer.optimizer.param_groups:
            group["lr"] = 1e-12
        trainer.register_hooks(seeds)

        def step() -> float:
            seed_generators(spec.seed, "model", trainer.iter)
            with trainer.storage:
                begun = time.process_time()
                trainer.before_step()
                trainer.run_step()
                spent = time.process_time() - begun
            trainer.iter += 1
            trainer.storage.step()
            return spent

        return step

    def parts(model_of: ModelOf, loss: Loss) -> tuple[Any, ...]:
        torch.manual_seed(0)
        own = finetune(Setting(scale=spec.scale), spec.architecture, loss)
        model = model_of(own, classes).train()
        return model, itertools.cycle(batches), build_optimizer(own, model)

    steps = {PLAIN: of(SimpleTrainer(*parts(plain, NO_LOSS)), [])}
    for name, loss in LOSSES.items():
        trainer = Trainer(*parts(build_model, loss), spec.run_id)
        steps[name] = of(trainer, [SeedStep(spec.seed)])
    return steps


def paper_steps() -> dict[str, Step]:
    """Whole steps of the published R50 on two images that have 64 objects each."""
    torch.manual_seed(0)
    batch = [
        {"image": torch.rand(3, SIDE, SIDE) * 255, "instances": image} for image in instances(SIDE)
    ]
    spec = finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS)
    return training_steps(spec, 80, build_model, [batch])


def demo_steps(architecture: str) -> dict[str, Step]:
    """Whole steps of `architecture` at demo scale, on the first 20 batches of its training."""
    with tempfile.TemporaryDirectory() as folder:
        write_shapes(Path(folder), train_images=80, val_images=1)
        spec = finetune(Setting(scale="demo", shapes_dir=Path(folder)), architecture, NO_LOSS)
        split = load_split(spec.train_split, spec.data_dir)
        records = with_objects(split)
        if spec.semantic_branch:
            records = with_stuff_maps(records)
        order = spec_order(spec, records)[:, 0]
        dataset = IterationBatches(records, order, train_mapper(spec), spec.seed, rank=0)
        batches = [dataset[iteration] for iteration in range(20)]
    return training_steps(spec, len(split.categories), DEMO[architecture][0], batches)


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


def lines(part: str, seconds: dict[str, list[float]]) -> Iterable[str]:
    """A line for each step: its median time, the ratios to plain detectron2 in the same round."""
    for name, own in seconds.items():
        ratios = [a / b for a, b in zip(own, seconds[PLAIN], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        yield (
            f"{part:24} {name:18} {len(own):6} {statistics.median(own) * 1000:8.0f} ms"
            f"   {middle:.3f} ({low:.3f} to {high:.3f})"
        )


def main(wanted: list[str]) -> None:
    """Print one table, part by part."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    parts: dict[str, tuple[Callable[[], dict[str, Step]], int]] = {
        "mask head": (mask_head_steps, 15),
        "paper R50, 400 px": (paper_steps, 9),
    }
    for architecture, (_, rounds) in DEMO.items():
        name = f"demo {architecture.removeprefix('mask_rcnn_').removesuffix('_FPN')}"
        parts[name] = (lambda architecture=architecture: demo_steps(architecture), rounds)
    print(f"{'part':24} {'step':18} {'rounds':>6} {'median':>11}   ratio (quartiles)")
    for part, (prepared, rounds) in parts.items():
        if not wanted or any(part.startswith(word) for word in wanted):
            for line in lines(part, interleaved(prepared(), rounds)):
                print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
