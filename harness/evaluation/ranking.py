"""From two files to ranked matches: by mask IoU, by box IoU, or by boundary IoU."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.data.fields import Item
from harness.evaluation.accumulate import Ranked, rank
from harness.evaluation.boundary_overlap import DILATION_RATIO, boundary_overlaps
from harness.evaluation.groups import groups_of
from harness.evaluation.matching import match
from harness.evaluation.objects import Objects, Places, detections_of, objects_of, places
from harness.evaluation.overlap import overlaps

# What each task compares; "boundary" is masks again, by another overlap.
COMPARES = {"segm": "segm", "bbox": "bbox", "boundary": "segm"}


@dataclass(frozen=True)
class Truth:
    """A ground truth, read for one kind of geometry and ready to be matched with many results.

    Attributes:
        at: places of its images and categories.
        objects: what is to be found.
        geometry: "segm" or "bbox".
    """

    at: Places
    objects: Objects
    geometry: str

    @property
    def images(self) -> int:
        return len(self.at.images)


def read_truth(ground_truth: Item, geometry: str) -> Truth:
    """What `harness.evaluation.ground_truth.read_ground_truth` returned, for "segm" or "bbox"."""
    at = places(ground_truth)
    return Truth(at, objects_of(ground_truth, at, geometry), geometry)


def rankings(
    truth: Truth,
    results: Sequence[Item],
    tasks: Sequence[str],
    *,
    dilation_ratio: float = DILATION_RATIO,
) -> dict[str, tuple[Ranked, ...]]:
    """The ranked matches of `results` by each of `tasks`.

    Args:
        truth: their ground truth.
        results: from `harness.evaluation.results_file.read_results`.
        tasks: "bbox", or "segm" and "boundary", which share most of the work.
        dilation_ratio: width of a boundary, as a part of the image's diagonal.
    """
    detections = detections_of(results, truth.at, truth.geometry)
    groups = groups_of(detections, truth.objects)
    iou = overlaps(detections, truth.objects, groups)
    found = {}
    for task in tasks:
        by = iou
        if task == "boundary":
            by = boundary_overlaps(
                detections, truth.objects, groups, iou, truth.at.sizes, dilation_ratio
            )
        matches = match(detections, truth.objects, groups, by)
        found[task] = rank(detections, truth.objects, matches, truth.images)
    return found
