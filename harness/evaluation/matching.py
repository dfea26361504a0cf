"""Detections matched with objects as pycocotools does it: greedily, best score first.

Its rule: of the objects that are still free (a crowd always is) a detection takes the one with the
highest IoU, if that reaches the threshold; one that counts before one that is ignored. Objects that
are crowds or not of the size asked for are ignored, and so are detections matched with them, or
matched with none and not of that size.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.evaluation.compiled import compiled
from harness.evaluation.groups import Groups, in_threads
from harness.evaluation.objects import Bools, Floats, Objects
from harness.evaluation.run_lengths import Ints

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
# Both ends belong to a size, in pixels: COCO's all, small, medium and large.
SIZES = np.array([[0, 1e10], [0, 32**2], [32**2, 96**2], [96**2, 1e10]])
EVERY_BIT = np.uint16(2 ** len(IOU_THRESHOLDS) - 1)

Bits = npt.NDArray[np.uint16]


class Matches(NamedTuple):
    """What became of detections and objects; bit t of a number is for `IOU_THRESHOLDS[t]`.

    A named tuple, which compiled code can read.

    Attributes:
        right: detections matched with an object that counts, shape (sizes, detections).
        counted: detections that are right or wrong, not ignored; the same shape.
        objects: objects that count, shape (sizes, objects).
    """

    right: Bits
    counted: Bits
    objects: Bools


def match(detections: Objects, objects: Objects, groups: Groups, iou: Floats) -> Matches:
    """The matches of `detections` with `objects`.

    Args:
        detections: of a results file.
        objects: of its ground truth.
        groups: that they have in common.
        iou: of each pair of `groups`.
    """
    # Matched with none: wrong, or ignored for its size.
    counted = np.where(_of_size(detections.area), EVERY_BIT, np.uint16(0))
    matches = Matches(np.zeros_like(counted), counted, _of_size(objects.area) & ~objects.crowd)
    in_threads(
        lambda begin, end: _match(begin, end, groups, iou, IOU_THRESHOLDS, objects.crowd, matches),
        len(groups.id),
    )
    return matches


def matched(
    detections: Objects, objects: Objects, groups: Groups, iou: Floats, threshold: float
) -> Ints:
    """Of each object, the pair of `groups` that `match` makes of it at `threshold`; -1 for none.

    All sizes count. A crowd, which is never used up, has none.

    Args:
        detections: of a results file.
        objects: of its ground truth.
        groups: that they have in common.
        iou: of each pair of `groups`.
        threshold: the lowest IoU that matches.
    """
    pair = np.full(len(objects.group), -1, np.int64)
    in_threads(
        lambda begin, end: _match_once(begin, end, groups, iou, threshold, objects.crowd, pair),
        len(groups.id),
    )
    return pair


def _of_size(area: Floats) -> Bools:
    return np.asarray((area >= SIZES[:, :1]) & (area <= SIZES[:, 1:]))


@compiled
def _match(
    begin: int,
    end: int,
    groups: Groups,
    iou: Floats,
    thresholds: Floats,
    crowd: Bools,
    matches: Matches,
) -> None:
    for group in range(begin, end):
        first, last = groups.detections[group]
        low, high = groups.objects[group]
        taken = np.empty(last - first, np.int64)
        of_pairs = iou[groups.pairs[group] : groups.pairs[group + 1]]
        for size in range(len(matches.objects)):
            counts = matches.objects[size, low:high]
            order = np.argsort(~counts, kind="mergesort")  # those that count stand first
            for t in range(len(thresholds)):
                bit = np.uint16(1 << t)
                _take(of_pairs, counts, order, crowd[low:high], thresholds[t], taken)
                for d, j in enumerate(taken, first):
                    if j < 0:
                        continue
                    if counts[j]:
                        matches.right[size, d] |= bit
                        matches.counted[size, d] |= bit
                    else:
                        matches.counted[size, d] &= ~bit


@compiled
def _match_once(
    begin: int,
    end: int,
    groups: Groups,
    iou: Floats,
    threshold: float,
    crowd: Bools,
    pair: Ints,
) -> None:
    for group in range(begin, end):
        first, last = groups.detections[group]
        low, high = groups.objects[group]
        taken = np.empty(last - first, np.int64)
        of_pairs = iou[groups.pairs[group] : groups.pairs[group + 1]]
        counts = ~crowd[low:high]
        order = np.argsort(~counts, kind="mergesort")  # those that count stand first
        _take(of_pairs, counts, order, crowd[low:high], threshold, taken)
        for d, j in enumerate(taken):
            if j >= 0 and counts[j]:
                pair[low + j] = groups.pairs[group] + d * (high - low) + j


@compiled
def _take(
    iou: Floats, counts: Bools, order: Ints, crowd: Bools, threshold: float, taken: Ints
) -> None:
    """Write into `taken` the object that each detection of a group takes; -1 for none."""
    matrix = iou.reshape(len(taken), len(crowd))
    free = np.ones(len(crowd), np.bool_)
    for d in range(len(taken)):
        j = _best(matrix[d], order, free, counts, threshold)
        taken[d] = j
        if j >= 0:
            free[j] = crowd[j]


@compiled
def _best(iou: Floats, order: Ints, free: Bools, counts: Bools, threshold: float) -> int:
    best, found = min(threshold, 1 - 1e-10), -1
    for j in order:
        if found >= 0 and counts[found] and not counts[j]:
            break
        if free[j] and iou[j] >= best:
            best, found = iou[j], j
    return found
