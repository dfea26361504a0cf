"""AP from matches, with a weight for each image, for many weightings at once.

A weight of 2 says that an image stands there twice, 0 that it is not there: so images drawn with
replacement need no new matches. Copies stand beside each other, which decides where scores are
tied. With all weights 1 this is pycocotools' accumulate and summarize.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.evaluation.compiled import compiled
from harness.evaluation.groups import in_threads
from harness.evaluation.matching import EVERY_BIT, IOU_THRESHOLDS, Bits, Matches
from harness.evaluation.objects import Floats, Objects
from harness.evaluation.run_lengths import Ints
from harness.records import EXTENDED_METRICS

RECALLS = np.linspace(0.0, 1.00, 101)
EPSILON = np.spacing(1)  # pycocotools', against 0 / 0

Weights = npt.NDArray[np.int32]


class Ranked(NamedTuple):
    """What counts of one size, in the order in which precision is accumulated: category, score.

    A named tuple, which compiled code can read.

    Attributes:
        image: place of each detection's image.
        block_end: of each detection, where the first one of another image or score is.
        right, counted: bits of each detection, as in `Matches`.
        first: where each category's detections begin, with one more for where the last end.
        object_image, object_first: the same of the objects.
    """

    image: Ints
    block_end: Ints
    right: Bits
    counted: Bits
    first: Ints
    object_image: Ints
    object_first: Ints


def rank(
    detections: Objects, objects: Objects, matches: Matches, images: int
) -> tuple[Ranked, ...]:
    """The matches of each size, ranked; `images` is how many images there are."""
    category, image = np.divmod(detections.group, max(images, 1))
    order = np.lexsort((-detections.score, category))  # keeps the images' order among ties
    object_category, object_image = np.divmod(objects.group, max(images, 1))
    categories = np.arange(object_category.max(initial=-1) + 2)  # no others have an AP
    sizes = []
    for right, counted, counts in zip(*matches, strict=True):
        those = order[counted[order] != 0]
        sizes.append(
            Ranked(
                image=image[those],
                block_end=_block_ends(category[those], detections.score[those], image[those]),
                right=right[those],
                counted=counted[those],
                first=np.searchsorted(category[those], categories),
                object_image=object_image[counts],
                object_first=np.searchsorted(object_category[counts], categories),
            )
        )
    return tuple(sizes)


def _block_ends(*columns: npt.NDArray[Any]) -> Ints:
    """Of each place, the next one at which a column changes."""
    changes = np.any([np.diff(column) != 0 for column in columns], axis=0)
    ends = np.append(np.flatnonzero(changes) + 1, len(columns[0]))
    return ends[np.searchsorted(ends, np.arange(len(columns[0])), side="right")]


def of_category(ranked: Ranked, category: int) -> Ranked:
    """What counts of the category at one place alone."""
    ends = slice(category, category + 2)
    if category + 1 >= len(ranked.first):  # it has no objects, nor has any after it
        ends = slice(0, 1)
    return ranked._replace(first=ranked.first[ends], object_first=ranked.object_first[ends])


def average_precision(sizes: Sequence[Ranked], weights: Weights) -> Floats:
    """AP in percent points, shape (weightings, 8): `EXTENDED_METRICS` from left to right.

    An AP without any ground truth is NaN.

    Args:
        sizes: from `rank`.
        weights: how often each image stands there, shape (weightings, images), 0 or more.
    """
    everything, small, medium, large = (_of_size(ranked, weights) for ranked in sizes)
    mean = {"AP": everything, "APs": small, "APm": medium, "APl": large}
    named = {metric: values.mean(axis=1) for metric, values in mean.items()} | {
        f"AP{round(100 * t)}": everything[:, i] for i, t in enumerate(IOU_THRESHOLDS)
    }
    return 100 * np.stack([named[metric] for metric in EXTENDED_METRICS], axis=1)


def _of_size(ranked: Ranked, weights: Weights) -> Floats:
    """AP from 0 to 1, shape (weightings, thresholds)."""
    room = _room(ranked, int(weights.max(initial=0)))
    means = np.empty((len(weights), len(IOU_THRESHOLDS)))
    in_threads(
        lambda begin, end: _average_precision(begin, end, ranked, weights, room, means),
        len(weights),
    )
    return means


def _room(ranked: Ranked, copies: int) -> int:
    """No category has more hits: its detections, those of blocks for each copy of an image."""
    more_in_block = ranked.block_end > np.arange(len(ranked.image)) + 1  # all of it but its last
    so_far = np.concatenate([[0], np.cumsum(more_in_block)])[ranked.first]
    return int((np.diff(ranked.first) + 2 * copies * np.diff(so_far)).max(initial=0))


@compiled
def _average_precision(
    begin: int, end: int, ranked: Ranked, weights: Weights, room: int, means: Floats
) -> None:
    thresholds = means.shape[1]
    hits = np.empty((thresholds, room, 2), np.int64)  # right, and all so far, at each hit
    number, needed = np.empty(thresholds, np.int64), np.empty(len(RECALLS), np.int64)
    for row in range(begin, end):
        means[row], categories = 0, 0
        for category in range(len(ranked.first) - 1):
            of_category = slice(ranked.object_first[category], ranked.object_first[category + 1])
            positives = 0
            for image in ranked.object_image[of_category]:
                positives += weights[row, image]
            if positives == 0:
                continue
            categories += 1
            _needed(positives, needed)
            _collect_hits(ranked, category, weights[row], hits, number)
            for t in range(thresholds):
                means[row, t] += _area(hits[t, : number[t]], needed)
        for t in range(thresholds):
            means[row, t] = means[row, t] / categories if categories else np.nan


@compiled
def _collect_hits(ranked: Ranked, category: int, weight: Weights, hits: Ints, number: Ints) -> None:
    number[:] = 0
    right_so_far, extra = np.zeros((2, len(number)), np.int64)
    all_so_far = 0  # of the detections that are counted at every threshold, nearly all of them
    begin = ranked.first[category]
    while begin < ranked.first[category + 1]:
        end, copies, times = ranked.block_end[begin], 1, weight[ranked.image[begin]]
        if end > begin + 1:
            # Several of one image with one score: each copy of the image brings them in turn.
            copies, times = times, 1
        for _ in range(copies if times else 0):
            for d in range(begin, end):
                right, counted = ranked.right[d], ranked.counted[d]
                if counted == EVERY_BIT:
                    all_so_far += times
                    counted = 0
                t = 0
                while right or counted:
                    if counted & 1:
                        extra[t] += times
                    if right & 1:
                        right_so_far[t] += times
                        hits[t, number[t], 0] = right_so_far[t]
                        hits[t, number[t], 1] = all_so_far + extra[t]
                        number[t] += 1
                    right, counted, t = right >> 1, counted >> 1, t + 1
        begin = end


@compiled
def _needed(positives: int, needed: Ints) -> None:
    """How many hits reach each of `RECALLS`, by the division that pycocotools makes."""
    for i in range(len(RECALLS)):
        hits = int(RECALLS[i] * positives)
        while hits / positives < RECALLS[i]:
            hits += 1
        needed[i] = hits


@compiled
def _area(hits: Ints, needed: Ints) -> float:
    """The mean over `RECALLS` of the best precision at that recall or above."""
    total, left = 0.0, len(needed)  # those not yet counted, from the highest down
    right, all = 0, 1  # the best precision so far, as a fraction: to compare needs no division
    while left and (not len(hits) or needed[left - 1] > hits[-1, 0]):
        left -= 1
    for i in range(len(hits) - 1, -1, -1):
        if hits[i, 0] * all > right * hits[i, 1]:
            right, all = hits[i]
        before = hits[i - 1, 0] if i else -1
        while left and needed[left - 1] > before:
            total += right / (all + EPSILON)
            left -= 1
    return total / len(needed)
