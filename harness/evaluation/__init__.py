"""AP from a ground-truth file and a results file: numpy and COCO evaluators, no torch."""

from harness.evaluation.coco import coco_ap

__all__ = ["coco_ap"]
