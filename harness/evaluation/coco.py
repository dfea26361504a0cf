"""COCO AP of a results file: as a whole, by category, and where contours count.

A mask that is right but for its contour passes at low IoU thresholds: AP80 and AP90, the AP at one
high threshold each, tell whether contours got better.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.evaluation.engines import ENGINES, precision_by
from harness.evaluation.evaluation import Evaluation, category_names, counted
from harness.evaluation.ground_truth import FIELD, read_ground_truth
from harness.evaluation.results_file import read_results
from harness.records import METRICS

# Of the IoU thresholds 0.50:0.05:0.95 and of the areas all, small, medium and large.
PLACES: Mapping[str, tuple[slice, int]] = {
    "AP": (slice(None), 0),
    "AP50": (slice(0, 1), 0),
    "AP75": (slice(5, 6), 0),
    "APs": (slice(None), 1),
    "APm": (slice(None), 2),
    "APl": (slice(None), 3),
    "AP80": (slice(6, 7), 0),
    "AP90": (slice(8, 9), 0),
}
BEST_100 = 2  # of the numbers of detections of an image: 1, 10, 100


def coco_ap(
    gt_json: str | Path,
    results_json: str | Path,
    *,
    task: str = "segm",
    engine: str = "pycocotools",
) -> dict[str, float]:
    """AP, AP50, AP75, APs, APm and APl of a results file, in percent points.

    Arguments and errors are those of `evaluate`, which says more.
    """
    ap = evaluate(gt_json, results_json, task=task, engine=engine).ap
    return {metric: ap[metric] for metric in METRICS}


def evaluate(
    gt_json: str | Path,
    results_json: str | Path,
    *,
    task: str = "segm",
    engine: str = "pycocotools",
) -> Evaluation:
    """AP of a results file, as a whole and by category.

    With no detections at all, every AP is 0. An AP without ground truth, as of a size that no
    object has, is NaN. An object is small, medium or large by its `area` in the ground truth; a
    detection by its mask's pixels for "segm", by its box for "bbox".

    Args:
        gt_json: annotations in COCO's format, plain or gzip.
        results_json: detections in COCO's results format, plain or gzip; masks as compressed RLE.
        task: what is compared, "segm" for masks or "bbox" for boxes.
        engine: who evaluates, "pycocotools" or "hotcoco"; in place of the latter pycocotools, where
            the two could differ (`harness.evaluation.engines`).

    Raises:
        ValueError: `task` or `engine` is unknown.
        DataError: the ground truth cannot be evaluated against.
        ResultsError: the results are damaged, or do not belong to the ground truth.
    """
    if task not in FIELD:
        raise ValueError(f"task must be one of {', '.join(FIELD)}; got {task!r}")
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}")
    ground_truth = read_ground_truth(Path(gt_json), task)
    results = read_results(Path(results_json), ground_truth, task)
    counts = counted(ground_truth)  # before pycocotools writes into it
    precision = precision_by(engine, ground_truth, results, task)
    names = category_names(ground_truth)
    return Evaluation(
        task=task,
        evaluator=precision.evaluator,
        **counts,
        detections=len(results),
        ap=_ap(precision.values),
        per_category={
            name: _ap(precision.values[:, :, [place]]) for place, name in enumerate(names)
        },
    )


def _ap(precision: npt.NDArray[np.float64]) -> dict[str, float]:
    """Each metric, from precision of shape (T, R, K, A, M)."""
    return {
        metric: _mean(precision[place[0], :, :, place[1], BEST_100])
        for metric, place in PLACES.items()
    }


def _mean(precision: npt.NDArray[np.float64]) -> float:
    # In the very order in which pycocotools' `summarize` adds, so that no bit differs from it.
    known = precision[precision > -1]
    return 100 * float(np.mean(known)) if known.size else math.nan
