"""The two evaluators behind AP, and which of them is asked.

pycocotools is the official one and writes the numbers of record. hotcoco says the same some thirty
times faster: precision agrees to the last bit on all that `results_file` and `ground_truth` let
through, but for what is listed here. There pycocotools is asked in its place.

- Boxes with numbers beyond 1e100. Their areas overflow, and the IoU of infinite areas differs.
- Annotation ids used twice, as in COCO 2014's minival. The numbers agree; but hotcoco warns on
  stderr from outside of Python, where nothing silences it.
- What hotcoco refuses and pycocotools reads: ids below 0 or from 2**64 on, a height such as 480.0,
  a field that is not compared and of a strange type.
"""

import contextlib
import io
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import hotcoco
import numpy as np
import numpy.typing as npt
import pycocotools.coco
import pycocotools.cocoeval

from harness.data.fields import Item

ENGINES = ("pycocotools", "hotcoco")
LARGEST = 1e100  # in a box


@dataclass(frozen=True)
class Precision:
    """Precision, the maximum at each recall and beyond it.

    Attributes:
        values: shape (T, R, K, A, M): 10 IoU thresholds 0.50:0.05:0.95, 101 recalls, categories by
            ascending id, areas (all, small, medium, large), detections of an image (1, 10, 100);
            -1 without ground truth.
        evaluator: name and version of what computed it.
    """

    values: npt.NDArray[np.float64]
    evaluator: str


def precision_by(engine: str, ground_truth: Item, results: list[Item], task: str) -> Precision:
    """Precision of `results`, by `engine` where it can be relied on, else by pycocotools.

    Args:
        engine: one of ENGINES.
        ground_truth: what `read_ground_truth` returned.
        results: what `read_results` returned.
        task: "segm" or "bbox".
    """
    if engine == "hotcoco" and _agree(ground_truth, results, task):
        # It refuses with these types; see above.
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            return _run(_hotcoco(ground_truth, results, task), engine)
    return _run(_pycocotools(ground_truth, results, task), "pycocotools")


def _agree(ground_truth: Item, results: list[Item], task: str) -> bool:
    annotations = ground_truth["annotations"]
    if len({annotation["id"] for annotation in annotations}) < len(annotations):
        return False
    boxes = [item["bbox"] for item in (*annotations, *results)] if task == "bbox" else []
    return bool(np.abs(np.array(boxes, float)).max(initial=0) <= LARGEST)


def _run(evaluator: Any, name: str) -> Precision:  # noqa: ANN401
    with contextlib.redirect_stdout(io.StringIO()):  # both print progress
        evaluator.evaluate()
        evaluator.accumulate()
    return Precision(np.asarray(evaluator.eval["precision"]), f"{name} {version(name)}")


def _pycocotools(ground_truth: Item, results: list[Item], task: str) -> Any:  # noqa: ANN401
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _pycocotools_index(ground_truth)
        # Its loadRes looks at the first result to see what it is given: there must be one.
        nothing = _pycocotools_index(ground_truth | {"annotations": []})
        found = truth.loadRes(results) if results else nothing
        return pycocotools.cocoeval.COCOeval(truth, found, task)


def _pycocotools_index(dataset: Item) -> Any:  # noqa: ANN401
    index = pycocotools.coco.COCO()
    index.dataset = dataset
    index.createIndex()
    return index


def _hotcoco(ground_truth: Item, results: list[Item], task: str) -> Any:  # noqa: ANN401
    # Only strings may be names, and what has none is warned of on stderr.
    categories = [
        {"id": category["id"], "name": str(category["id"])}
        for category in ground_truth["categories"]
    ]
    truth = hotcoco.COCO(ground_truth | {"categories": categories})
    return hotcoco.COCOeval(truth, truth.load_res(results), task)
