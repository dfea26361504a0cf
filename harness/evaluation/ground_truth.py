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
    check_ids,
    check_keys,
    check_reference_types,
    check_size,
    filled_table,
    may_repeat_annotation_ids,
    table,
)
from harness.data.annotations import read_annotations
from harness.data.fields import Item
from harness.data.mask_checks import Size, check_mask
from harness.errors import DataError

FIELD = {"segm": "segmentation", "bbox": "bbox"}  # what a task compares


def read_ground_truth(path: Path, task: str) -> Item:
    """The content of an annotation file.

    Args:
        path: annotations in COCO's format, plain or gzip.
        task: "segm" or "bbox"; decides what each annotation must have.

    Raises:
        DataError: the file is missing or damaged, or cannot be evaluated against.
    """
    where, content = str(path), read_annotations(path, packed=True)
    tables = {name: table(where, content, name) for name in TABLES}
    for name in ("images", "categories"):  # annotations may be none: nothing is there to be found
        filled_table(where, content, name)
    sizes = _sizes(where, tables["images"])
    check_ids(where, "image", tables["images"])
    check_ids(where, "category", tables["categories"])
    for annotation in tables["annotations"]:
        _check_annotation(where, annotation, task, sizes)
    # Of two annotations with one id, pycocotools counts the last one twice. COCO's own minival has
    # a few, and published numbers count them so.
    duplicates = may_repeat_annotation_ids(path)
    check_ids(where, "annotation", tables["annotations"], duplicates_allowed=duplicates)
    return dict(content)


def _sizes(where: str, images: list[Item]) -> dict[int, Size]:
    sizes = {}
    for image in images:
        if type(image.get("id")) is not int:
            raise DataError(
                f"{where}: image id {image.get('id')!r} is not allowed: results are assigned by "
                "id, an integer. Number the images anew."
            )
        check_size(f"{where}: image {image['id']}", image)
        sizes[image["id"]] = [image["height"], image["width"]]
    return sizes


def _check_annotation(file: str, annotation: Item, task: str, sizes: dict[int, Size]) -> None:
    check_annotation_id(file, annotation)
    where = f"{file}: annotation {annotation['id']}"
    check_keys(where, annotation, ("image_id", "category_id", "iscrowd", "area", FIELD[task]))
    check_reference_types(where, annotation)
    check_area_and_iscrowd(where, annotation)
    if task == "bbox":
        check_bbox(where, annotation)
    elif annotation["image_id"] in sizes:  # evaluators do not look at those of other images
        check_mask(where, annotation["segmentation"], sizes[annotation["image_id"]])
