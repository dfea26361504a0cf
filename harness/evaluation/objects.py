"""Objects and detections in columns, sorted into the groups that are matched with each other.

A group is what one image has of one category. Sorted by category, then image, then score, with ties
in the order of the file: as pycocotools has them, so that ties are broken alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pycocotools import mask as rle

from harness.data.fields import Item
from harness.data.run_lengths import decompressed
from harness.evaluation.run_lengths import DAMAGED, Ints, Spans, read_masks

MOST_DETECTIONS = 100  # of one category in one image

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Objects(NamedTuple):
    """Objects of the ground truth, or detections, in the order of their groups.

    A named tuple, which compiled code can read.

    Attributes:
        group: of each, its category's place times the number of images, plus its image's place.
        score: of each detection; 0 for an object.
        crowd: of each object; False for a detection.
        area: in pixels; an object's as the ground truth says, a detection's of its mask or box.
        boxes: x, y, width, height, shape (N, 4), where boxes are compared, else (N, 0).
        spans: the masks, where those are compared, else of no mask.
        position: of each, its place in the list that it was read from.
    """

    group: Ints
    score: Floats
    crowd: Bools
    area: Floats
    boxes: Floats
    spans: Spans
    position: Ints


@dataclass(frozen=True)
class Places:
    """The images and categories of a ground truth by their places, sorted by id.

    Attributes:
        images, categories: place by id.
        sizes: height and width of each image, shape (images, 2).
    """

    images: Mapping[int, int]
    categories: Mapping[int, int]
    sizes: Ints

    def lists(self, item: Item) -> bool:
        """Whether the ground truth lists the image and the category of an annotation."""
        return item["image_id"] in self.images and item["category_id"] in self.categories

    def group(self, item: Item) -> int:
        """The group of an annotation or a result."""
        category = self.categories[item["category_id"]]
        return category * len(self.images) + self.images[item["image_id"]]


def places(ground_truth: Item) -> Places:
    """The places of the images and categories of a ground truth."""
    images = {image["id"]: image for image in ground_truth["images"]}
    categories = sorted({category["id"] for category in ground_truth["categories"]})
    sizes = [[images[id]["height"], images[id]["width"]] for id in sorted(images)]
    return Places(
        {id: place for place, id in enumerate(sorted(images))},
        {id: place for place, id in enumerate(categories)},
        np.array(sizes, np.int64).reshape(-1, 2),
    )


def objects_of(ground_truth: Item, at: Places, task: str) -> Objects:
    """The objects of `ground_truth`; those of images or categories that it does not list are none.

    Args:
        ground_truth: from `read_ground_truth`.
        at: its places.
        task: "segm" or "bbox".
    """
    # Of two annotations with one id pycocotools counts the last one twice.
    annotations = ground_truth["annotations"]
    last = {annotation["id"]: place for place, annotation in enumerate(annotations)}
    listed = [
        last[annotation["id"]]
        for annotation in annotations
        if at.lists(annotation) and at.lists(annotations[last[annotation["id"]]])
    ]
    group = np.array([at.group(annotations[place]) for place in listed], np.int64)
    order = np.argsort(group, kind="stable")
    position = np.array(listed, np.int64)[order]
    found = [annotations[place] for place in position]
    size_of = at.sizes[group[order] % max(len(at.images), 1)].tolist()
    return Objects(
        group=group[order],
        score=np.zeros(len(found)),
        crowd=np.array([bool(one["iscrowd"]) for one in found], np.bool_),
        area=np.array([one["area"] for one in found], np.float64),
        boxes=_boxes(found, task),
        spans=_spans(found, size_of) if task == "segm" else read_masks([]),
        position=position,
    )


def detections_of(results: Sequence[Item], at: Places, task: str) -> Objects:
    """The best `MOST_DETECTIONS` of each group of `results`.

    Args:
        results: from `read_results`.
        at: the places of their ground truth.
        task: "segm" or "bbox".
    """
    group = np.array([at.group(result) for result in results], np.int64)
    score = np.array([result["score"] for result in results], np.float64)
    order = np.lexsort((-score, group))  # keeps the order of the file where both are equal
    begins = np.searchsorted(group[order], group[order])
    order = order[np.arange(len(order)) - begins < MOST_DETECTIONS]
    found = [results[i] for i in order]
    boxes = _boxes(found, task)
    spans = read_masks([one["segmentation"]["counts"] for one in found] if task == "segm" else [])
    return Objects(
        group=group[order],
        score=score[order],
        crowd=np.zeros(len(found), np.bool_),
        area=boxes[:, 2] * boxes[:, 3] if task == "bbox" else spans.areas.astype(np.float64),
        boxes=boxes,
        spans=spans,
        position=order,
    )


def _boxes(items: Sequence[Item], task: str) -> Floats:
    if task != "bbox":
        return np.empty((len(items), 0))
    return np.array([item["bbox"] for item in items], np.float64).reshape(-1, 4)


def _spans(annotations: Sequence[Item], sizes: Sequence[list[int]]) -> Spans:
    counts = [
        _counts(annotation["segmentation"], *size)
        for annotation, size in zip(annotations, sizes, strict=True)
    ]
    spans = read_masks(counts)
    # The ground truth has passed its checks: these have numbers with more characters than needed.
    padded = np.flatnonzero(spans.pixels == DAMAGED).tolist()
    for mask in padded:
        runs = decompressed(str(annotations[mask]["segmentation"]["counts"]))
        counts[mask] = _counts({"size": sizes[mask], "counts": runs}, *sizes[mask])
    return read_masks(counts) if padded else spans


def _counts(segmentation: Item | list[list[float]], height: int, width: int) -> str | bytes:
    """The compressed run lengths of an annotation's mask, drawn as pycocotools draws polygons."""
    if isinstance(segmentation, dict):
        if isinstance(segmentation["counts"], str):
            return segmentation["counts"]
        encoded: Item = rle.frPyObjects(segmentation, height, width)
    else:
        encoded = rle.merge(rle.frPyObjects(segmentation, height, width))
    counts: bytes = encoded["counts"]
    return counts
