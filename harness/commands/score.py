"""`harness score`: what the detections in any two files are worth."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from harness.errors import HarnessError, unknown
from harness.evaluation import Evaluation, evaluate, evaluate_boundary
from harness.records import TASKS


def print_score(
    gt_json: Path, results_json: Path, task: str, *, boundary: bool, as_json: bool
) -> None:
    """Print the AP of `results_json`, as a whole and by category.

    hotcoco is asked, to whom the numbers of a large file take seconds, not minutes: it is asked
    only where it says the same as pycocotools.

    Args:
        gt_json: annotations in COCO's format.
        results_json: detections in COCO's results format.
        task: "segm" for masks or "bbox" for boxes.
        boundary: Boundary AP of the masks too.
        as_json: one JSON object in place of what people read; missing is null.

    Raises:
        HarnessError: the task is unknown or has no boundary, or a file cannot be evaluated; says
            why.
    """
    if task not in TASKS:
        raise HarnessError(unknown("task", task, TASKS))
    if boundary and task != "segm":
        raise HarnessError(
            f"--boundary compares masks, and --task {task} has none. Leave one of the two out."
        )
    evaluation = evaluate(gt_json, results_json, task=task, engine="hotcoco")
    of_boundaries = evaluate_boundary(gt_json, results_json) if boundary else None
    if as_json:
        content = asdict(evaluation) | _aps(evaluation)
        if of_boundaries:
            content["boundary"] = _aps(of_boundaries)
        print(json.dumps(content, indent=2, allow_nan=False))
        return
    from harness.terminal.score_view import show_scores

    show_scores([evaluation, of_boundaries] if of_boundaries else [evaluation])


def _aps(evaluation: Evaluation) -> dict[str, object]:
    per_category = {name: _known(ap) for name, ap in evaluation.per_category.items()}
    return {"ap": _known(evaluation.ap), "per_category": per_category}


def _known(ap: Mapping[str, float]) -> dict[str, float | None]:
    return {metric: None if math.isnan(value) else value for metric, value in ap.items()}
