"""A run's results file scored on the test images and on draws of them, for all comparisons."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import numpy as np

from harness.evaluation.bootstrap import draws, replicated
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.ranking import rankings, read_truth
from harness.evaluation.results_file import read_results
from harness.replicates import DECIMALS, REPLICATED_TASKS, Replicates, by_metric

REPLICATES = 1000
SEED = 0  # the same draws for every run, now and later
AS_IT_IS = 12  # decimals: of a number that is not drawn


def replicate(run_id: str, gt_json: Path, results_json: Path) -> Replicates:
    """What `harness.replicates` keeps of a run.

    Args:
        run_id: of the run.
        gt_json: annotations of its test split.
        results_json: its detections, with masks.

    Raises:
        DataError: the ground truth cannot be evaluated against.
        ResultsError: the results are damaged, or do not belong to the ground truth.
    """
    ground_truth = read_ground_truth(gt_json, "segm")
    truth = read_truth(ground_truth, "segm")
    ranked = rankings(truth, read_results(results_json, ground_truth, "segm"), REPLICATED_TASKS)
    weights = draws(truth.images, REPLICATES, SEED)
    ap, drawn = {}, {}
    for task, sizes in ranked.items():
        columns = replicated(sizes, weights)
        as_it_is = by_metric(columns[:1], AS_IT_IS)
        ap[task] = {metric: value for metric, (value,) in as_it_is.items()}
        drawn[task] = {
            metric: tuple(values) for metric, values in by_metric(columns[1:], DECIMALS).items()
        }
    return Replicates(
        run_id=run_id,
        annotations=_sha256(gt_json),
        results=_sha256(results_json),
        drawn=hashlib.sha256(np.ascontiguousarray(weights, "<i4").tobytes()).hexdigest(),
        evaluator=f"harness {version('harness')}",
        ap=ap,
        draws=drawn,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
