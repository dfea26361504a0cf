"""What became of each object from one run to another: its mask IoU and its Boundary IoU in both.

An object's detection is the one that COCO's evaluation matches with it at IoU 0.5: of the best 100
detections of its category in its image, the surest first, each taking the object of highest mask
IoU that is still free. So a detection counts however low its score, as it does for AP; the score
stands beside it. An object that a run misses has IoU 0 there. Crowds are no objects.

IoUs are in percent points, changes are b minus a. Boundary IoU is that of the two boundaries alone
(Boundary AP takes the lower of it and mask IoU).

Source: Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation" (2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.data.fields import Item, printable
from harness.evaluation.boundary_overlap import DILATION_RATIO, boundary_iou
from harness.evaluation.evaluation import category_names
from harness.evaluation.groups import groups_of
from harness.evaluation.matching import matched
from harness.evaluation.objects import Objects, Places, detections_of, objects_of, places
from harness.evaluation.overlap import overlaps

MATCHING_IOU = 0.5
NOTHING = 0.0  # the IoU of an object that is missed


@dataclass(frozen=True)
class Found:
    """The detection that a run matched with an object.

    Attributes:
        position: its place among the run's results.
        score: of the detection.
        mask_iou, boundary_iou: of the detection and the object, in percent points.
    """

    position: int
    score: float
    mask_iou: float
    boundary_iou: float


@dataclass(frozen=True)
class ObjectChange:
    """An object, and what two runs found of it.

    Attributes:
        annotation_id: of the object.
        category: its name, as `harness score` prints it.
        position: its place among the annotations.
        a, b: what each run found; None where it missed the object.
    """

    annotation_id: int
    category: str
    position: int
    a: Found | None
    b: Found | None

    @property
    def by_both(self) -> bool:
        return self.a is not None and self.b is not None

    @property
    def mask_iou(self) -> tuple[float, float]:
        """Mask IoU in a and in b, in percent points."""
        a, b = (found.mask_iou if found else NOTHING for found in (self.a, self.b))
        return a, b

    @property
    def boundary_iou(self) -> tuple[float, float]:
        """Boundary IoU in a and in b, in percent points."""
        a, b = (found.boundary_iou if found else NOTHING for found in (self.a, self.b))
        return a, b

    @property
    def boundary_change(self) -> float:
        """Boundary IoU in b minus that in a."""
        a, b = self.boundary_iou
        return b - a


@dataclass(frozen=True)
class ImageChange:
    """An image, and what became of its objects.

    Attributes:
        image_id: of the image.
        file_name: as the ground truth says; "" where it says none.
        objects: in the order of their annotations.
    """

    image_id: int
    file_name: str
    objects: tuple[ObjectChange, ...]

    @property
    def title(self) -> str:
        """What people read: "Image 42 (cat.jpg)"."""
        return f"Image {self.image_id}" + (f" ({self.file_name})" if self.file_name else "")

    @property
    def size(self) -> float:
        """How much the runs differ, in either direction: the mean of |change in Boundary IoU|."""
        return _mean([abs(one.boundary_change) for one in self.objects])

    @property
    def change(self) -> float:
        """The mean change in Boundary IoU, in which gains and losses cancel out."""
        return _mean([one.boundary_change for one in self.objects])

    @property
    def size_by_both(self) -> float:
        """`size` over the objects that both runs found: it tells of contours alone; 0 for none."""
        return _mean([abs(one.boundary_change) for one in self.objects if one.by_both])


def image_changes(
    ground_truth: Item, results_a: Sequence[Item], results_b: Sequence[Item]
) -> tuple[ImageChange, ...]:
    """The changes in each image that has an object, in ascending order of the ids.

    Args:
        ground_truth: from `harness.evaluation.ground_truth.read_ground_truth`, with masks.
        results_a: from `harness.evaluation.results_file.read_results`, with masks.
        results_b: the same of what is compared with it.
    """
    at = places(ground_truth)
    objects = objects_of(ground_truth, at, "segm")
    of_a, of_b = (_found(results, objects, at) for results in (results_a, results_b))
    names = [printable(name) for name in category_names(ground_truth)]
    annotations = ground_truth["annotations"]
    by_image: dict[int, list[ObjectChange]] = {}
    for row in np.argsort(objects.position, kind="stable").tolist():
        if objects.crowd[row]:
            continue
        position = int(objects.position[row])
        annotation = annotations[position]
        category = names[at.categories[annotation["category_id"]]]
        one = ObjectChange(annotation["id"], category, position, of_a.get(row), of_b.get(row))
        by_image.setdefault(annotation["image_id"], []).append(one)
    files = {image["id"]: file_name_of(image) for image in ground_truth["images"]}
    return tuple(
        ImageChange(image_id, files[image_id], tuple(by_image[image_id]))
        for image_id in sorted(by_image)
    )


def file_name_of(image: Item) -> str:
    """The file name of an image of the ground truth, which need have none, as people read it."""
    return printable(str(image.get("file_name", "")))


def most_changed(images: Sequence[ImageChange], most: int) -> tuple[ImageChange, ...]:
    """The images with the largest `size`, that of the lower id first where two are equal.

    Images in which nothing changed are left out, so there may be fewer than `most`.
    """
    changed = [one for one in images if one.size > 0]
    return tuple(sorted(changed, key=lambda one: (-one.size, one.image_id))[:most])


def most_moved(images: Sequence[ImageChange], most: int) -> tuple[ImageChange, ...]:
    """As `most_changed`, by `size_by_both`: where contours moved, not where objects were lost."""
    moved = [one for one in images if one.size_by_both > 0]
    return tuple(sorted(moved, key=lambda one: (-one.size_by_both, one.image_id))[:most])


def signed(points: float) -> str:
    """A change in percent points, with its sign: "+1.2", "−0.4", "0.0"."""
    text = f"{points:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def _found(results: Sequence[Item], objects: Objects, at: Places) -> dict[int, Found]:
    """What was found of `objects`, by their rows."""
    detections = detections_of(results, at, "segm")
    groups = groups_of(detections, objects)
    iou = overlaps(detections, objects, groups)
    pair = matched(detections, objects, groups, iou, MATCHING_IOU)
    rows = np.flatnonzero(pair >= 0)
    group = np.searchsorted(groups.pairs, pair[rows], side="right") - 1
    in_group = (pair[rows] - groups.pairs[group]) // np.ptp(groups.objects[group], axis=1)
    detection = groups.detections[group, 0] + in_group
    pairs = np.stack([detection, rows], axis=1)
    boundary = boundary_iou(detections, objects, pairs, at.sizes, DILATION_RATIO)
    columns = (
        detections.position[detection].tolist(),
        detections.score[detection].tolist(),
        (100 * iou[pair[rows]]).tolist(),
        (100 * boundary).tolist(),
    )
    return {row: Found(*one) for row, *one in zip(rows.tolist(), *columns, strict=True)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
