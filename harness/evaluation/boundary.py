"""Boundary AP: COCO AP with masks compared near their contours, where a contour loss shows."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from harness.evaluation.accumulate import Ranked, average_precision, of_category
from harness.evaluation.boundary_overlap import DILATION_RATIO
from harness.evaluation.evaluation import Evaluation, category_names, counted
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.ranking import rankings, read_truth
from harness.evaluation.results_file import read_results
from harness.records import EXTENDED_METRICS, METRICS


def boundary_ap(
    gt_json: str | Path, results_json: str | Path, *, dilation_ratio: float = DILATION_RATIO
) -> dict[str, float]:
    """Boundary AP, with the keys of `coco_ap`, in percent points.

    Two masks overlap by the lower of mask IoU and boundary IoU; all else is as in `coco_ap`.

    Args:
        gt_json: annotations in COCO's format.
        results_json: detections in COCO's results format; masks as compressed RLE.
        dilation_ratio: width of the boundary, as a part of the image's diagonal, above 0.

    Raises:
        ValueError: `dilation_ratio` is not above 0.
        DataError: the ground truth cannot be evaluated against.
        ResultsError: the results are damaged, or do not belong to the ground truth.

    Source: Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation"
        (2021).
    """
    ap = evaluate_boundary(gt_json, results_json, dilation_ratio=dilation_ratio).ap
    return {metric: ap[metric] for metric in METRICS}


def evaluate_boundary(
    gt_json: str | Path, results_json: str | Path, *, dilation_ratio: float = DILATION_RATIO
) -> Evaluation:
    """Boundary AP as a whole and by category; arguments and errors are those of `boundary_ap`."""
    if not dilation_ratio > 0:
        raise ValueError(f"dilation_ratio must be above 0; got {dilation_ratio}")
    ground_truth = read_ground_truth(Path(gt_json), "segm")
    results = read_results(Path(results_json), ground_truth, "segm")
    truth = read_truth(ground_truth, "segm")
    sizes = rankings(truth, results, ["boundary"], dilation_ratio=dilation_ratio)["boundary"]
    names = category_names(ground_truth)
    return Evaluation(
        task="boundary",
        evaluator=f"harness {version('harness')}",
        **counted(ground_truth),
        detections=len(results),
        ap=_ap(sizes, truth.images),
        per_category={
            name: _ap([of_category(size, place) for size in sizes], truth.images)
            for place, name in enumerate(names)
        },
    )


def _ap(sizes: Sequence[Ranked], images: int) -> dict[str, float]:
    (values,) = average_precision(sizes, np.ones((1, images), np.int32))
    return dict(zip(EXTENDED_METRICS, values.tolist(), strict=True))
