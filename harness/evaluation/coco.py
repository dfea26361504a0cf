"""COCO AP of a results file, by either of two evaluators that agree to the last bit.

pycocotools is the official one and writes the numbers of record. hotcoco says the same some thirty
times faster. They agree on every input that `results_file` and `ground_truth` let through, and
have the same classes under the same names, so one call order serves both.
"""

import contextlib
import io
from pathlib import Path
from typing import Any

import hotcoco
import pycocotools.coco
import pycocotools.cocoeval

from harness.data.fields import Item
from harness.evaluation.ground_truth import FIELD, read_ground_truth
from harness.evaluation.results_file import read_results
from harness.records import METRICS  # in the order of the evaluators' `stats`

ENGINES = ("pycocotools", "hotcoco")


def coco_ap(
    gt_json: str | Path,
    results_json: str | Path,
    *,
    task: str = "segm",
    engine: str = "pycocotools",
) -> dict[str, float]:
    """AP, AP50, AP75, APs, APm and APl of a results file, in percent points.

    With no detections at all, every AP is 0. An AP without ground truth, as of a size that no
    object has, is NaN. An object is small, medium or large by its `area` in the ground truth; a
    detection by its mask's pixels for "segm", by its box for "bbox".

    Args:
        gt_json: annotations in COCO's format.
        results_json: detections in COCO's results format; masks as compressed RLE.
        task: what is compared, "segm" for masks or "bbox" for boxes.
        engine: who evaluates, "pycocotools" or "hotcoco".

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
    prepare = _pycocotools if engine == "pycocotools" else _hotcoco
    with contextlib.redirect_stdout(io.StringIO()):  # both print progress and a summary
        evaluator = prepare(ground_truth, results, task)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    values = [float(value) for value in evaluator.stats[: len(METRICS)]]
    return {
        metric: float("nan") if value == -1 else 100 * value
        for metric, value in zip(METRICS, values, strict=True)
    }


def _pycocotools(ground_truth: Item, results: list[Item], task: str) -> Any:  # noqa: ANN401
    truth = _pycocotools_index(ground_truth)
    # Its loadRes looks at the first result to see what it is given, and fails where there is none.
    nothing = _pycocotools_index(ground_truth | {"annotations": []})
    found = truth.loadRes(results) if results else nothing
    return pycocotools.cocoeval.COCOeval(truth, found, task)


def _pycocotools_index(dataset: Item) -> Any:  # noqa: ANN401
    index = pycocotools.coco.COCO()
    index.dataset = dataset
    index.createIndex()
    return index


def _hotcoco(ground_truth: Item, results: list[Item], task: str) -> Any:  # noqa: ANN401
    truth = hotcoco.COCO(ground_truth)
    return hotcoco.COCOeval(truth, truth.load_res(results), task)
