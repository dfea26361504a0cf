"""Targets of the mask loss: polygons one by one against bitmaps cropped in one batched operation.

Compared are detectron2's PolygonMasks.crop_and_resize, which the paper's rows are trained with, its
BitMasks.crop_and_resize (RoIAlign on a bitmap for each RoI), and RoIAlign on each object's bitmap
once. On drawn shapes at the demo's size, and on photographs resized to 800/1333 px where
a folder in COCO's layout is given, or lies where the tests look for one. One thread, its CPU time,
interleaved image by image; peak memory in a process of its own.
"""

import itertools
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from harness.grid import NO_LOSS, Setting, finetune
from harness.losses import contour_loss
from harness.shapes import write_shapes

with warnings.catch_warnings(action="ignore"):  # detectron2's imports warn
    from detectron2.layers import ROIAlign
    from detectron2.structures import BitMasks, PolygonMasks

    from harness.detection.datasets import load_split
    from harness.detection.images import train_mapper
    from harness.detection.seeding import seeded

COCO_MINI = Path(__file__).parents[3] / "shared" / "data" / "coco-mini"
SIDE = 28  # px
# A quarter of the RoIs of an image, as many as are positive at most.
POSITIVES = {"demo": 16, "paper": 128}
PASSES = {"demo": 10, "paper": 3}
POLYGONS, BITMAPS, ONCE = "polygons", "bitmaps, one a RoI", "bitmaps, one an object"


@dataclass(frozen=True)
class Image:
    """The ground truth of an image twice, and positive RoIs on it.

    Attributes:
        polygons, bitmaps: of its M objects.
        boxes: the RoIs in px, (N, 4), each an object's box with its corners moved by up to a tenth.
        objects: the object of each RoI, (N,), from 0.
        making_s: CPU time that the bitmaps took; a loader would spend it.
    """

    polygons: PolygonMasks
    bitmaps: BitMasks
    boxes: Tensor
    objects: Tensor
    making_s: float


def images(scale: str, folder: Path) -> Iterator[Image]:
    """Each training image of `folder` that has polygons, at the size that `scale` trains at."""
    mapper = train_mapper(finetune(Setting(scale="paper"), "mask_rcnn_R50_FPN", NO_LOSS))
    sized = train_mapper(finetune(Setting(scale=scale), "mask_rcnn_R50_FPN", NO_LOSS))
    mapper.augmentations = sized.augmentations  # and polygons at either scale
    for number, record in enumerate(load_split("own_train", str(folder)).records):
        objects = [
            one
            for one in record["annotations"]
            if not one["iscrowd"] and isinstance(one["segmentation"], list)
        ]
        if objects:
            with seeded(0, "targets", number):
                truth = mapper(record | {"annotations": objects})["instances"]
                yield _image(truth, POSITIVES[scale])


def _image(truth: Any, positives: int) -> Image:
    height, width = truth.image_size
    object_N = torch.randint(len(truth), (positives,))
    boxes_N4 = truth.gt_boxes.tensor[object_N]
    sides_N2 = boxes_N4[:, 2:] - boxes_N4[:, :2]
    boxes_N4 = boxes_N4 + (torch.rand(positives, 4) - 0.5) / 5 * sides_N2.repeat(1, 2)
    boxes_N4 = torch.minimum(boxes_N4.clamp(min=0), torch.tensor([width, height, width, height]))
    begun = time.process_time()
    bitmaps = BitMasks.from_polygon_masks(truth.gt_masks, height, width)
    return Image(truth.gt_masks, bitmaps, boxes_N4, object_N, time.process_time() - begun)


def soft_crops(image: Image) -> Tensor:
    """How much of each pixel the object covers, (N, SIDE, SIDE), from one bitmap an object."""
    rois_N5 = torch.cat([image.objects[:, None].float(), image.boxes], dim=1)
    bitmaps_M1HW = image.bitmaps.tensor.float()[:, None]
    align = ROIAlign((SIDE, SIDE), spatial_scale=1.0, sampling_ratio=0, aligned=True)
    return align(bitmaps_M1HW, rois_N5).squeeze(1)


# As in detectron2's heads: the masks are first indexed by the objects of the RoIs.
METHODS: dict[str, Callable[[Image], Tensor]] = {
    POLYGONS: lambda image: image.polygons[image.objects].crop_and_resize(image.boxes, SIDE),
    BITMAPS: lambda image: image.bitmaps[image.objects].crop_and_resize(image.boxes, SIDE),
    ONCE: lambda image: soft_crops(image) >= 0.5,
}


def timed(method: Callable[[Image], Tensor], image: Image) -> float:
    """CPU seconds of the targets of one image."""
    begun = time.process_time()
    method(image)
    return time.process_time() - begun


def peak_mb(method: Callable[[Image], Tensor], image: Image) -> float:
    """How far the targets of one image push the memory of a process of their own, in MB."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        method(image)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(writing, str((after - before) / 1024).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        return float(told.read())


def costs(cases: list[Image], passes: int) -> Iterator[str]:
    """A line for each method: time, its ratio to the polygons' on the same image, memory."""
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    for number, image in enumerate(itertools.chain.from_iterable([cases] * passes)):
        names = list(METHODS)
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(timed(METHODS[name], image))
    for name, own in seconds.items():
        ratios = [a / b for a, b in zip(own, seconds[POLYGONS], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        peaks = [peak_mb(METHODS[name], image) for image in cases]
        yield (
            f"  {name:24} {statistics.mean(own) * 1000:8.1f} ms   "
            f"{middle:.2f} ({low:.2f} to {high:.2f})   "
            f"{statistics.median(peaks):6.0f} MB, at most {max(peaks):.0f}"
        )
    making = statistics.mean(image.making_s for image in cases)
    yield f"  {'making the bitmaps':24} {making * 1000:8.1f} ms   in the loader"


def differences(cases: list[Image]) -> Iterator[str]:
    """How far the targets differ, and both losses of one blurred prediction."""
    polygons_NHW, bitmaps_NHW = (
        torch.cat([METHODS[name](image) for image in cases]) for name in (POLYGONS, BITMAPS)
    )
    once_NHW = torch.cat([METHODS[ONCE](image) for image in cases])
    differ_NHW = polygons_NHW != bitmaps_NHW
    share = differ_NHW.any(dim=(1, 2)).float().mean()
    area = polygons_NHW.sum() / bitmaps_NHW.sum() - 1
    yield (
        f"  {differ_NHW.float().mean():.2%} of all pixels differ, some in {share:.1%} of "
        f"{len(differ_NHW)} targets; polygons cover {area:+.2%}"
    )
    same = (bitmaps_NHW == once_NHW).float().mean()
    yield f"  the two kinds of bitmap targets agree in {same:.2%} of the pixels"
    soft_NHW = torch.cat([soft_crops(image) for image in cases])
    blurred_NHW = functional.avg_pool2d(soft_NHW, 3, stride=1, padding=1)
    logits_NHW = torch.logit(blurred_NHW.clamp(0.02, 0.98))
    for name, targets_NHW in ((POLYGONS, polygons_NHW), (BITMAPS, bitmaps_NHW)):
        truth_NHW = targets_NHW.float()
        mask = functional.binary_cross_entropy_with_logits(logits_NHW, truth_NHW)
        contour = contour_loss(logits_NHW, truth_NHW, k=2)
        yield f"  losses on {name:24} mask {mask:.4f}, contour k=2 {contour:.4f}"


def main(folder: Path | None) -> None:
    """Print costs and differences for both data sets."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        write_shapes(Path(temporary) / "shapes", train_images=60, val_images=1)
        places = {"demo": Path(temporary) / "shapes", "paper": folder}
        for scale, place in places.items():
            if place is None:
                print("No photographs: give a folder in COCO's layout.")
                continue
            cases = list(images(scale, place))
            print(
                f"{scale} size, {len(cases)} images, {POSITIVES[scale]} RoIs on each, "
                f"{PASSES[scale]} passes: mean of an image, ratio (quartiles), peak memory"
            )
            for lines in (costs(cases, PASSES[scale]), differences(cases)):
                for line in lines:
                    print(line, flush=True)


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else COCO_MINI
    main(given if given.is_dir() else None)
