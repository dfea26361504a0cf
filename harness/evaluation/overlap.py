"""Intersection over union of each detection and object of a group, as pycocotools counts it.

Against a crowd, the union is the detection alone.
"""

import numpy as np

from harness.evaluation.compiled import compiled
from harness.evaluation.groups import Groups, in_threads
from harness.evaluation.objects import Floats, Objects
from harness.evaluation.run_lengths import Pixels


def overlaps(detections: Objects, objects: Objects, groups: Groups) -> Floats:
    """IoU of each pair, in the order of `Groups.pairs`, from 0 to 1."""
    iou = np.zeros(groups.pairs[-1])
    count = _count_boxes if detections.boxes.shape[1] else _count_masks
    in_threads(
        lambda begin, end: count(begin, end, groups, detections, objects, iou), len(groups.id)
    )
    return iou


@compiled
def over_union(common: float, one: float, other: float, crowd: bool) -> float:
    """IoU of two areas; `crowd` says that the other is one."""
    return common / (one if crowd else one + other - common)


@compiled
def _count_boxes(
    begin: int,
    end: int,
    groups: Groups,
    detections: Objects,
    objects: Objects,
    iou: Floats,
) -> None:
    for group in range(begin, end):
        pair = groups.pairs[group]
        for d in range(groups.detections[group, 0], groups.detections[group, 1]):
            for j in range(groups.objects[group, 0], groups.objects[group, 1]):
                a, b = detections.boxes[d], objects.boxes[j]
                width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
                height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
                if width > 0 and height > 0:
                    common, area = width * height, b[2] * b[3]
                    iou[pair] = over_union(common, a[2] * a[3], area, objects.crowd[j])
                pair += 1


@compiled
def _count_masks(
    begin: int,
    end: int,
    groups: Groups,
    detections: Objects,
    objects: Objects,
    iou: Floats,
) -> None:
    ours, theirs = detections.spans, objects.spans
    for group in range(begin, end):
        pair = groups.pairs[group]
        for d in range(groups.detections[group, 0], groups.detections[group, 1]):
            for j in range(groups.objects[group, 0], groups.objects[group, 1]):
                a = slice(ours.first[d], ours.first[d + 1])
                b = slice(theirs.first[j], theirs.first[j + 1])
                common = _common_pixels(
                    ours.starts[a], ours.ends[a], theirs.starts[b], theirs.ends[b]
                )
                if common:
                    iou[pair] = over_union(common, ours.areas[d], theirs.areas[j], objects.crowd[j])
                pair += 1


@compiled
def _common_pixels(starts: Pixels, ends: Pixels, other_starts: Pixels, other_ends: Pixels) -> int:
    common = i = j = 0
    while i < len(starts) and j < len(other_starts):
        begin, end = max(starts[i], other_starts[j]), min(ends[i], other_ends[j])
        if begin < end:
            common += end - begin
        if ends[i] < other_ends[j]:
            i += 1
        else:
            j += 1
    return common
