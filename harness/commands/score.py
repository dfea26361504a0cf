"""`harness score`: what the detections in any two files are worth."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from harness.errors import HarnessError, unknown
from harness.evaluation import Evaluation, evaluate
from harness.records import TASKS


def print_score(gt_json: Path, results_json: Path, task: str, *, as_json: bool) -> None:
    """Print the AP of `results_json`, as a whole and by category.

    hotcoco is asked, to whom the numbers of a large file take seconds, not minutes: it is asked
    only where it says the same as pycocotools.

    Args:
        gt_json: annotations in COCO's format.
        results_json: detections in COCO's results format.
        task: "segm" for masks or "bbox" for boxes.
        as_json: one JSON object in place of what people read; missing is null.

    Raises:
        HarnessError: the task is unknown, or a file cannot be evaluated; says why.
    """
    if task not in TASKS:
        raise HarnessError(unknown("task", task, TASKS))
    evaluation = evaluate(gt_json, results_json, task=task, engine="hotcoco")
    if as_json:
        print(json.dumps(_as_json(evaluation), indent=2, allow_nan=False))
        return
    from harness.terminal.score_view import show_score

    show_score(evaluation)


def _as_json(evaluation: Evaluation) -> dict[str, object]:
    per_category = {name: _known(ap) for name, ap in evaluation.per_category.items()}
    return asdict(evaluation) | {"ap": _known(evaluation.ap), "per_category": per_category}


def _known(ap: Mapping[str, float]) -> dict[str, float | None]:
    return {metric: None if math.isnan(value) else value for metric, value in ap.items()}
