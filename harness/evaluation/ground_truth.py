"""Ground truth as an evaluator may see it: read, and refused where the number would be wrong.

Whether annotations are fit to train on is a wider question, asked before a run is planned. Here
stand only the faults that the evaluators count differently, or break on.
"""

import json
from pathlib import Path

from harness.errors import DataError
from harness.evaluation.fields import BOX, FIELD, Item, is_box, is_finite, shortened

TABLES = ("images", "annotations", "categories")
EXPORT = "export the annotations again in COCO's format"


def read_ground_truth(path: Path, task: str) -> Item:
    """The content of an annotation file.

    Args:
        path: annotations in COCO's format.
        task: "segm" or "bbox"; decides what each annotation must have.

    Raises:
        DataError: the file is missing or damaged, or cannot be evaluated against.
    """
    lists = f"Needed: one object with the lists {', '.join(TABLES)}"
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). {lists}; {EXPORT}.") from error
    except ValueError as error:
        raise DataError(
            f"{path}: not valid JSON, perhaps cut short ({error}). {lists}; {EXPORT}."
        ) from error
    for table in TABLES:
        items = content.get(table) if isinstance(content, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise DataError(f"{path}: no list of objects called {table!r}. {lists}; {EXPORT}.")
    for image in content["images"]:
        _check_image(f"{path}: image {image.get('id')!r}", image)
    for position, annotation in enumerate(content["annotations"], start=1):
        _check_annotation(f"{path}: annotation number {position}", annotation, task)
    return dict(content)


def _check_image(where: str, image: Item) -> None:
    for key in ("id", "height", "width"):
        if type(image.get(key)) is not int:
            raise DataError(
                f"{where}: {key} is {image.get(key)!r}. Allowed: integers, as results are "
                f"assigned by id and masks must have the image's size; {EXPORT}."
            )


def _check_annotation(where: str, annotation: Item, task: str) -> None:
    annotation_id = annotation.get("id")
    if type(annotation_id) is not int or annotation_id < 1:
        raise DataError(
            f"{where} has id {annotation_id!r}. Allowed: integers from 1, as pycocotools counts a "
            "detection that matches id 0 as unmatched; number the annotations from 1."
        )
    where = f"{where} (id {annotation_id})"
    for key, allowed in (
        ("iscrowd", "0, or 1 for a crowd"),
        ("area", "a finite number of pixels"),
        (FIELD[task], BOX if task == "bbox" else "an RLE mask, or polygons of 3 points or more"),
    ):
        if key not in annotation:
            raise DataError(f"{where}: {key} is missing. Needed: {allowed}; {EXPORT}.")
        if not _fits(key, annotation[key]):
            raise DataError(
                f"{where}: {key} is {shortened(annotation[key])}. Allowed: {allowed}; {EXPORT}."
            )


def _fits(key: str, value: object) -> bool:
    if key == "iscrowd":
        return value in (0, 1)
    if key == "area":
        return is_finite(value)
    if key == "bbox":
        return is_box(value)
    # pycocotools breaks on no polygons, and takes those of 4 numbers for boxes.
    return isinstance(value, dict) or (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(polygon, list) and len(polygon) >= 6 for polygon in value)
    )
