"""Predictions of a trained run on its test split, in COCO's results format."""

import json

import torch
from detectron2.data import build_detection_test_loader
from detectron2.evaluation.coco_evaluation import instances_to_coco_json

from harness.detection.checkpoints import read_checkpoint, restore
from harness.detection.datasets import load_split
from harness.detection.images import test_mapper
from harness.detection.models import build_model
from harness.detection.train import WORKERS, pin_device
from harness.grid.spec import RunSpec
from harness.paths import RunPaths, write_text


def predict(spec: RunSpec, paths: RunPaths) -> str:
    """Write `coco_instances_results.json`; returns the sha256 of the test split's annotations.

    Args:
        spec: a fine-tune.
        paths: its folder, with the final checkpoint.

    Raises:
        CheckpointError: the final checkpoint is missing, damaged, or of another run.
        DataError: images or annotations are missing.
    """
    if spec.test_split is None:
        raise ValueError(f"spec: run {spec.run_id} is a base and has no test split")
    device = pin_device()
    split = load_split(spec.test_split, spec.data_dir)
    model = build_model(spec, len(split.category_ids)).to(device)
    restore(read_checkpoint(paths.checkpoint(spec.last_iteration), spec.run_id), {"model": model})
    model.eval()
    loader = build_detection_test_loader(
        split.records, mapper=test_mapper(spec), num_workers=WORKERS[device]
    )
    results = []
    with torch.inference_mode():
        for inputs in loader:
            for record, output in zip(inputs, model(inputs), strict=True):
                instances = output["instances"].to("cpu")
                instances.pred_masks = instances.pred_masks.numpy()
                for result in instances_to_coco_json(instances, record["image_id"]):
                    result["category_id"] = split.category_ids[result["category_id"]]
                    results.append(result)
    write_text(paths.results, json.dumps(results))
    return split.annotations_hash
