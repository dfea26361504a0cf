"""A training step of Hybrid Task Cascade against detectron2's Cascade Mask R-CNN, interleaved.

Both at demo scale, from the same weights where they have the same layers, on the same batches of
drawn shapes. Cascade Mask R-CNN is detectron2's own, with the sizes, poolers and box heads of ours
and one mask head. One thread and its CPU time; two minutes.
"""

import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from harness.grid import NO_LOSS, RunSpec, Setting, contour, finetune
from harness.shapes import write_shapes

with warnings.catch_warnings(action="ignore"):  # detectron2's imports warn
    from detectron2.config import instantiate
    from detectron2.modeling import GeneralizedRCNN
    from detectron2.modeling.roi_heads import CascadeROIHeads
    from detectron2.utils.events import EventStorage

    from harness.detection.datasets import load_split, with_objects, with_stuff_maps
    from harness.detection.images import train_mapper
    from harness.detection.loader import IterationBatches, spec_order
    from harness.detection.models import model_config
    from harness.detection.train import build_optimizer

ROUNDS = 15
BATCHES = 5
CLASSES = 6
CASCADE = "Cascade Mask R-CNN"

Step = Callable[[int], float]


def cascade_config(spec: RunSpec):
    """Detectron2's Cascade Mask R-CNN with the sizes of our Hybrid Task Cascade."""
    model = model_config(replace(spec, semantic_branch=False, loss=NO_LOSS), CLASSES)
    model._target_ = GeneralizedRCNN
    heads = model.roi_heads
    heads._target_ = CascadeROIHeads
    heads.pop("semantic_branch")
    heads.mask_head = heads.mask_head.heads[0]
    return model


def step_of(config, spec: RunSpec, batches: list) -> Step:
    """Forward, backward and optimizer on one of the batches; returns CPU seconds."""
    torch.manual_seed(0)
    model = instantiate(config)
    optimizer = build_optimizer(spec, model)
    for group in optimizer.param_groups:
        group["lr"] = 1e-12  # the boxes of all rounds are those of the first weights

    def step(number: int) -> float:
        torch.manual_seed(number)
        begun = time.process_time()
        with EventStorage():
            losses = model(batches[number % len(batches)])
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        return time.process_time() - begun

    return step


def main() -> None:
    """Print median times, and the ratios to Cascade Mask R-CNN in the same round."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        shapes = Path(folder) / "shapes"
        write_shapes(shapes, train_images=40, val_images=1)
        spec = finetune(Setting(scale="demo", shapes_dir=shapes), "htc_R50_FPN", NO_LOSS)
        records = with_stuff_maps(with_objects(load_split(spec.train_split, spec.data_dir)))
        order = spec_order(spec, records)[:, 0]
        dataset = IterationBatches(records, order, train_mapper(spec), spec.seed, 0)
        batches = [dataset[number] for number in range(BATCHES)]
    steps = {
        CASCADE: step_of(cascade_config(spec), spec, batches),
        "Mask R-CNN": step_of(
            model_config(replace(spec, architecture="mask_rcnn_R50_FPN", semantic_branch=False), 6),
            spec,
            batches,
        ),
    }
    for name, variant in {
        "HTC without semantic branch": replace(spec, semantic_branch=False),
        "HTC": spec,
        "HTC, contour k=2": replace(spec, loss=contour()),
    }.items():
        steps[name] = step_of(model_config(variant, CLASSES), spec, batches)
    for step in steps.values():
        step(0)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    for number in range(ROUNDS):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(steps[name](number))
    print(f"training step at demo scale, {ROUNDS} rounds      median   ratio (quartiles)")
    for name, own in seconds.items():
        ratios = [a / b for a, b in zip(own, seconds[CASCADE], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"  {name:36} {statistics.median(own) * 1000:7.0f} ms"
            f"   {middle:.3f} ({low:.3f} to {high:.3f})"
        )


if __name__ == "__main__":
    main()
