"""AP from a ground-truth file and a results file: numpy and COCO evaluators, no torch."""

from harness.evaluation.coco import Evaluation, coco_ap, evaluate

__all__ = ["Evaluation", "coco_ap", "evaluate"]
