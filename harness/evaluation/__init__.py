"""AP from a ground-truth file and a results file: numpy and COCO evaluators, no torch."""

from harness.evaluation.bootstrap import paired_bootstrap
from harness.evaluation.boundary import boundary_ap, evaluate_boundary
from harness.evaluation.coco import coco_ap, evaluate
from harness.evaluation.evaluation import Evaluation

__all__ = [
    "Evaluation",
    "boundary_ap",
    "coco_ap",
    "evaluate",
    "evaluate_boundary",
    "paired_bootstrap",
]
