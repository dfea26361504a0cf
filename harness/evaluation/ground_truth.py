"""Ground truth as an evaluator may see it: read, and refused where the number would be wrong.

Whether annotations are fit to train on is a wider question, asked before a run is planned
(`harness.data.annotation_checks`). Of its checks, here stand those for the faults that the
evaluators count differently, break on, or compare forever.
"""

from pathlib import Path

from harness.data.annotation_checks import (
    TABLES,
    check_annotation_id,
    check_area_and_iscrowd,
    check_bbox,
    check_keys,
    check_size,
    table,
)
from harness.data.annotations import read_annotations
from harness.data.fields import Item
from harness.data.mask_checks import check_mask
from harness.errors import DataError

FIELD = {"segm": "segmentation", "bbox": "bbox"}  # what a task compares


def read_ground_truth(path: Path, task: str) -> Item:
    """The content of an annotation file.

    Args:
        path: annotations in COCO's format.
        task: "segm" or "bbox"; decides what each annotation must have.

    Raises:
        DataError: the file is missing or damaged, or cannot be evaluated against.
    """
    content = read_annotations(path)
    tables = {name: table(str(path), content, name) for name in TABLES}
    sizes = {}
    for image in tables["images"]:
        if type(image.get("id")) is not int:
            raise DataError(
                f"{path}: image id {image.get('id')!r} is not allowed: results are assigned by "
                "id, an integer. Number the images anew."
            )
        check_size(f"{path}: image {image['id']}", image)
        sizes[image["id"]] = [image["height"], image["width"]]
    for annotation in tables["annotations"]:
        check_annotation_id(str(path), annotation)
        where = f"{path}: annotation {annotation['id']}"
        check_keys(where, annotation, ("image_id", "iscrowd", "area", FIELD[task]))
        check_area_and_iscrowd(where, annotation)
        if task == "bbox":
            check_bbox(where, annotation)
        elif annotation["image_id"] in sizes:  # evaluators do not look at those of other images
            check_mask(where, annotation["segmentation"], sizes[annotation["image_id"]])
    return tables | {key: value for key, value in dict(content).items() if key not in TABLES}
