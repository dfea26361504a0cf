"""Detections as an evaluator may see them: read, refused where they do not fit the ground truth."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from harness.data.fields import BOX, Item, is_box, is_finite, shortened
from harness.errors import ResultsError
from harness.evaluation.ground_truth import FIELD
from harness.evaluation.run_lengths import read_masks
from harness.files import unpacked

REDO = "predict again"
SAME_SPLIT = "predict on the split that is evaluated, or give the annotations of the other one"
RLE = '{"size": [height, width], "counts": "..."}'


def read_results(path: Path, ground_truth: Item, task: str) -> list[Item]:
    """The detections in a results file, with the fields of the task and no others.

    Others would change numbers: beside a box, pycocotools takes a mask's size class from the box.

    Args:
        path: detections in COCO's results format, plain or gzip.
        ground_truth: what `read_ground_truth` returned.
        task: "segm" or "bbox".

    Raises:
        ResultsError: the file is missing or damaged, or does not belong to the ground truth.
    """
    results = _read_list(path)
    sizes = {image["id"]: [image["height"], image["width"]] for image in ground_truth["images"]}
    category_ids = {category["id"] for category in ground_truth["categories"]}
    for position, result in enumerate(results, start=1):
        where = f"{path}: result {position}"
        _check_id(where, "image_id", result, sizes)
        _check_id(where, "category_id", result, category_ids)
        if not is_finite(result.get("score")):
            has = f"is {result['score']!r}" if "score" in result else "is missing"
            raise ResultsError(f"{where}: score {has}. Needed: a finite number; {REDO}.")
        if task == "segm":
            _check_mask(where, result, sizes[result["image_id"]])
        elif not is_box(result.get("bbox")):
            raise ResultsError(
                f"{where}: bbox is {shortened(result.get('bbox'))}. Needed: {BOX}; {REDO}."
            )
    if task == "segm":
        _check_whole(path, results, sizes)
    fields = ("image_id", "category_id", "score", FIELD[task])
    return [{field: result[field] for field in fields} for result in results]


def _read_list(path: Path) -> list[Item]:
    needed = "Needed: a list of detections in COCO's results format"
    try:
        results = json.loads(unpacked(path.read_bytes()))
    except OSError as error:
        raise ResultsError(
            f"{path}: cannot be read ({error.strerror}). {needed}; {REDO}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(
            f"{path}: not valid JSON, perhaps cut short ({error}). {needed}; {REDO}."
        ) from error
    if not isinstance(results, list):
        kind = "an object" if isinstance(results, dict) else shortened(results)
        raise ResultsError(f"{path}: holds {kind}, not a list. {needed}; {REDO}.")
    for position, result in enumerate(results, start=1):
        if not isinstance(result, dict):
            raise ResultsError(
                f"{path}: result {position} is {shortened(result)}, not an object. "
                f"{needed}; {REDO}."
            )
    return results


def _check_id(where: str, key: str, result: Item, known: Collection[int]) -> None:
    value = result.get(key)
    if type(value) is not int or value not in known:
        table = "images" if key == "image_id" else "categories"
        raise ResultsError(
            f"{where}: {key} {value!r} is not in the ground truth. Allowed: the ids of its "
            f"{len(known)} {table}; {SAME_SPLIT}."
        )


def _check_mask(where: str, result: Item, image_size: Sequence[int]) -> None:
    mask = result.get("segmentation")
    if mask is None:
        has = "only a box" if "bbox" in result else "nothing to compare"
        raise ResultsError(
            f"{where}: has {has}, no segmentation. Needed: a mask, {RLE}; {REDO} with masks, or "
            'evaluate with task="bbox" (harness score --task bbox).'
        )
    if isinstance(mask, list):
        raise ResultsError(
            f"{where}: its segmentation is a list of polygons. Needed: compressed RLE, {RLE}; "
            "convert it with pycocotools.mask.frPyObjects and merge."
        )
    if not isinstance(mask, dict) or not isinstance(mask.get("counts"), str):
        raise ResultsError(
            f"{where}: its segmentation is {shortened(mask)}. Needed: compressed RLE, {RLE}; "
            "convert run lengths with pycocotools.mask.frPyObjects."
        )
    if mask.get("size") != image_size:
        raise ResultsError(
            f"{where}: its mask has size {mask.get('size')!r}, its image {result['image_id']} has "
            f"{image_size} (height, width). They must agree; {SAME_SPLIT}."
        )


def _check_whole(path: Path, results: list[Item], sizes: dict[int, list[int]]) -> None:
    counted = read_masks([result["segmentation"]["counts"] for result in results]).pixels
    for position, (result, pixels) in enumerate(zip(results, counted, strict=True), start=1):
        height, width = sizes[result["image_id"]]
        if pixels != height * width:
            raise ResultsError(
                f"{path}: result {position}: its mask is damaged or cut short. Needed: run lengths "
                f"that add up to the {height * width} pixels of image {result['image_id']}; {REDO}."
            )
