"""Boundary IoU: how well two masks agree within a few pixels of their contours.

The boundary of a mask is what erosion takes away: its pixels that are not further from the outside
than a fraction of the image's diagonal. Beyond the image is outside. Two masks overlap by the lower
of mask IoU and boundary IoU. A crowd keeps its mask IoU: what lies in it is to be ignored, and the
contour around many objects is no object's. So does the evaluation code of the method's authors.

Source: Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation" (2021).
"""

import numpy as np
import numpy.typing as npt

from harness.evaluation.compiled import compiled
from harness.evaluation.groups import Groups, in_threads
from harness.evaluation.matching import IOU_THRESHOLDS
from harness.evaluation.objects import Floats, Objects
from harness.evaluation.overlap import over_union
from harness.evaluation.run_lengths import Ints, Pixels, Spans

DILATION_RATIO = 0.02

Window = npt.NDArray[np.uint8]


def boundary_overlaps(
    detections: Objects,
    objects: Objects,
    groups: Groups,
    iou: Floats,
    sizes: Ints,
    dilation_ratio: float,
) -> Floats:
    """The lower of mask IoU and boundary IoU of each pair whose mask IoU can match at all.

    Pairs below the lowest of `IOU_THRESHOLDS` keep their mask IoU, no boundary could raise it; and
    so do those with a crowd.

    Args:
        detections: of a results file.
        objects: of its ground truth.
        groups: that they have in common.
        iou: mask IoU of each pair.
        sizes: height and width of each image.
        dilation_ratio: width of the boundary, as a part of the image's diagonal.
    """
    reach = _reach(sizes, dilation_ratio)
    image = groups.id % max(len(sizes), 1)
    lower = iou.copy()
    in_threads(
        lambda begin, end: _lower(
            begin, end, groups, detections, objects, sizes[image, 0], reach[image], lower
        ),
        len(groups.id),
    )
    return lower


def boundary_iou(
    detections: Objects,
    objects: Objects,
    pairs: Ints,
    sizes: Ints,
    dilation_ratio: float,
) -> Floats:
    """Boundary IoU alone, from 0 to 1, of detections and objects that have pixels in common.

    Args:
        detections: of a results file.
        objects: of its ground truth.
        pairs: a detection and an object in each row, by their places in the two: shape (N, 2).
        sizes: height and width of each image.
        dilation_ratio: width of the boundary, as a part of the image's diagonal.
    """
    image = objects.group[pairs[:, 1]] % max(len(sizes), 1)
    height, reach = sizes[image, 0], _reach(sizes, dilation_ratio)[image]
    found = np.zeros(len(pairs))
    in_threads(
        lambda begin, end: _alone(
            begin, end, pairs, detections.spans, objects.spans, height, reach, found
        ),
        len(pairs),
    )
    return found


def _reach(sizes: Ints, dilation_ratio: float) -> Ints:
    """The width of boundaries in each image, in pixels."""
    diagonal = np.sqrt((sizes**2).sum(axis=1))
    reach: Ints = np.maximum(1, np.rint(dilation_ratio * diagonal)).astype(np.int64)
    return reach


@compiled
def _alone(
    begin: int,
    end: int,
    pairs: Ints,
    ours: Spans,
    theirs: Spans,
    height: Ints,
    reach: Ints,
    found: Floats,
) -> None:
    for p in range(begin, end):
        one, left, top = _boundary(ours, pairs[p, 0], height[p], reach[p])
        other, column, row = _boundary(theirs, pairs[p, 1], height[p], reach[p])
        common = _common(one, other, column - left, row - top)
        found[p] = over_union(common, one.sum(), other.sum(), False)


@compiled
def _lower(
    begin: int,
    end: int,
    groups: Groups,
    detections: Objects,
    objects: Objects,
    height: Ints,
    reach: Ints,
    iou: Floats,
) -> None:
    lowest = IOU_THRESHOLDS[0]
    for group in range(begin, end):
        first, last = groups.detections[group]
        low, high = groups.objects[group]
        of_pairs = iou[groups.pairs[group] : groups.pairs[group + 1]]
        matrix = of_pairs.reshape(last - first, high - low)
        # An object's boundary is drawn for the first detection that needs it.
        drawn = [np.empty((0, 0), np.uint8) for _ in range(low, high)]
        corners = np.zeros((high - low, 2), np.int64)
        for d in range(first, last):
            compared = (matrix[d - first] >= lowest) & ~objects.crowd[low:high]
            if not compared.any():
                continue
            ours, left, top = _boundary(detections.spans, d, height[group], reach[group])
            for j in range(high - low):
                if not compared[j]:
                    continue
                if not drawn[j].size:
                    drawn[j], corners[j, 0], corners[j, 1] = _boundary(
                        objects.spans, low + j, height[group], reach[group]
                    )
                common = _common(ours, drawn[j], corners[j, 0] - left, corners[j, 1] - top)
                of_boundary = over_union(common, ours.sum(), drawn[j].sum(), False)
                matrix[d - first, j] = min(matrix[d - first, j], of_boundary)


@compiled
def _boundary(masks: Spans, mask: int, height: int, reach: int) -> tuple[Window, int, int]:
    """The boundary of a mask in the smallest window around it, by column and row; its corner."""
    first, last = masks.first[mask], masks.first[mask + 1]
    starts, ends = masks.starts[first:last], masks.ends[first:last]
    left, right = starts[0] // height, (ends[-1] - 1) // height
    top, bottom = _rows(starts, ends, height)
    pixels = np.zeros((right - left + 1, bottom - top + 1), np.uint8)
    inner = np.zeros_like(pixels)  # further than `reach` from the outside, up and down
    for span in range(len(starts)):
        begin = starts[span]
        while begin < ends[span]:
            column = begin // height
            end = min(ends[span], (column + 1) * height)
            a, b = begin - column * height - top, end - column * height - top
            pixels[column - left, a:b] = 1
            if b - a > 2 * reach:
                inner[column - left, a + reach : b - reach] = 1
            begin = end
    columns_so_far = np.zeros(pixels.shape[1], np.int64)
    for column in range(len(pixels)):
        for row in range(pixels.shape[1]):
            columns_so_far[row] = columns_so_far[row] + 1 if inner[column, row] else 0
            if columns_so_far[row] > 2 * reach:
                pixels[column - reach, row] = 0
    return pixels, left, top


@compiled
def _rows(starts: Pixels, ends: Pixels, height: int) -> tuple[int, int]:
    """The first and the last row in which a mask is set."""
    top, bottom = height - 1, 0
    for span in range(len(starts)):
        begin, last = starts[span], ends[span] - 1
        one_column = begin // height == last // height
        top = min(top, begin % height if one_column else 0)
        bottom = max(bottom, last % height if one_column else height - 1)
    return top, bottom


@compiled
def _common(one: Window, other: Window, columns: int, rows: int) -> int:
    """Window in both, where the other's corner is `columns` and `rows` further than the one's."""
    common = 0
    for column in range(max(0, columns), min(len(one), len(other) + columns)):
        for row in range(max(0, rows), min(one.shape[1], other.shape[1] + rows)):
            common += one[column, row] & other[column - columns, row - rows]
    return common
