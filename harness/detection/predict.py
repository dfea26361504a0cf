"""Predictions of a trained run on its test split, in COCO's results format."""

import json

import torch
from detectron2.data import build_detection_test_loader
from detectron2.evaluation.coco_evaluation import instances_to_coco_json
from torch.utils.data import SequentialSampler

from harness.data.annotations import check_same_categories
from harness.data.splits import hash_of
from harness.detection.checkpoints import read_checkpoint, refuse_other_annotations, restore
from harness.detection.datasets import load_categories, load_split
from harness.detection.device import WORKERS, pin_device
from harness.detection.images import test_mapper
from harness.detection.models import build_model
from harness.detection.reading import deaf, or_raise, telling
from harness.files import write_text
from harness.grid.spec import RunSpec
from harness.paths import RunPaths


def predict(spec: RunSpec, paths: RunPaths) -> str:
    """Write `coco_instances_results.json`; returns the sha256 of the test split's annotations.

    Args:
        spec: a fine-tune.
        paths: its folder, with the final checkpoint.

    Raises:
        CheckpointError: the final checkpoint is missing, damaged, of another run, or was
            trained on other annotations.
        DataError: images or annotations are missing or damaged, or have changed; or the two splits
            list other categories.
    """
    if spec.test_split is None:
        raise ValueError(f"spec: run {spec.run_id} is a base and has no test split")
    device = pin_device()
    split = load_split(spec.test_split, spec.data_dir, spec.test_hash)
    # A class index of the model stands for a category of the split that it was trained on.
    train, categories = load_categories(spec.train_split, spec.data_dir, spec.train_hash)
    check_same_categories(
        train.parts[0].annotations, categories, split.place.annotations, split.categories
    )
    model = build_model(spec, len(categories)).to(device)
    checkpoint = read_checkpoint(paths.checkpoint(spec.last_iteration), spec.run_id)
    refuse_other_annotations(checkpoint, spec.run_id, hash_of(train), train.where)
    restore(checkpoint, {"model": model})
    model.eval()
    loader = build_detection_test_loader(
        split.records,
        mapper=telling(test_mapper(spec)),
        # All images: detectron2's own would leave a part of them to other processes.
        sampler=SequentialSampler(split.records),
        num_workers=WORKERS[device],
    )
    loader.worker_init_fn = deaf
    results = []
    with torch.inference_mode():
        for inputs in or_raise(loader):
            for record, output in zip(inputs, model(inputs), strict=True):
                instances = output["instances"].to("cpu")
                instances.pred_masks = instances.pred_masks.numpy()
                for result in instances_to_coco_json(instances, record["image_id"]):
                    result["category_id"] = categories[result["category_id"]][0]
                    results.append(result)
    write_text(paths.results, json.dumps(results))
    return split.annotations_hash
