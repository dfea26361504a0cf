"""Writing the data set: images and annotations in COCO's layout, whole or not at all."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image
from pycocotools import mask as coco_mask

from harness.data.stuff_maps import FOLDER, stuff_map_of
from harness.errors import DataError
from harness.shapes.outlines import polygons_to_rle
from harness.shapes.paint import paint
from harness.shapes.scene import CATEGORIES, Shape, arrange

# Fixed places in each split, so that even a short one has an image without objects and a crowd.
EMPTY_EVERY, EMPTY_AT = 25, 5
CROWD_EVERY, CROWD_AT = 40, 7
MAX_SHAPES = 4
MIN_SIDE_PX = 64


def write_shapes(
    folder: Path,
    *,
    seed: int = 0,
    train_images: int = 400,
    val_images: int = 60,
    side: int = 128,
) -> None:
    """Draw the data set into `folder`, unless it is there already.

    An image depends on `seed`, its split, its number and `side` only: asking for more images leaves
    the first ones as they were. The same arguments give the same bytes in every file (a PNG's bytes
    also depend on the zlib that Pillow was built with; its pixels do not). The folder appears whole
    or not at all, whoever else writes it at the same time.

    Args:
        folder: where to write annotations/, train/, val/ and the stuff maps of both; its parents
            are made.
        seed: which data set of many, 0 or above.
        train_images: number of images in train/.
        val_images: number of images in val/.
        side: height and width of each image in px, at least 64.

    Raises:
        ValueError: an argument is out of its range.
        DataError: something that is no data set stands at `folder`.
    """
    if seed < 0 or train_images < 1 or val_images < 1 or side < MIN_SIDE_PX:
        raise ValueError(
            f"write_shapes needs seed >= 0, train_images >= 1, val_images >= 1 and side >= "
            f"{MIN_SIDE_PX}, got {seed=}, {train_images=}, {val_images=}, {side=}"
        )
    if _is_written(folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        draft = Path(temporary) / folder.name
        (draft / "annotations").mkdir(parents=True)
        for split, (name, count) in enumerate([("train", train_images), ("val", val_images)]):
            rngs = [np.random.default_rng([seed, split, index]) for index in range(count)]
            _write_split(draft, name, rngs, side)
        try:
            draft.rename(folder)
        except OSError as error:
            if not _is_written(folder):
                raise DataError(
                    f"Cannot write the drawn shapes to {folder}: it exists and is no data set "
                    "(it has no annotations folder). Move it away, or name another folder."
                ) from error


def _is_written(folder: Path) -> bool:
    return (folder / "annotations").is_dir()


def _write_split(draft: Path, name: str, rngs: list[Generator], side: int) -> None:
    (draft / name).mkdir()
    (draft / FOLDER / name).mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, rng in enumerate(rngs):
        is_empty = index % EMPTY_EVERY == EMPTY_AT
        count = 0 if is_empty else int(rng.integers(1, MAX_SHAPES + 1))
        shapes = arrange(rng, side, count, crowd=index % CROWD_EVERY == CROWD_AT)
        image_id, file_name = index + 1, f"{index + 1:06d}.png"
        painting = paint(rng, side, shapes)
        Image.fromarray(painting.image).save(draft / name / file_name)
        Image.fromarray(painting.stuff).save(stuff_map_of(draft / name / file_name))
        images.append({"id": image_id, "file_name": file_name, "width": side, "height": side})
        for shape in shapes:
            number = {"id": len(annotations) + 1, "image_id": image_id}
            annotations.append(number | _annotation(shape, side))
    content = {
        "info": {"description": "Drawn shapes with intricate outlines", "version": "1"},
        "licenses": [],
        "categories": [
            {"id": number, "name": category, "supercategory": "shape"}
            for number, category in enumerate(CATEGORIES, start=1)
        ],
        "images": images,
        "annotations": annotations,
    }
    path = draft / "annotations" / f"instances_{name}.json"
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")


def _annotation(shape: Shape, side: int) -> dict[str, Any]:
    """Category, mask, area and box; a polygon says all of a whole shape, the others need RLE."""
    segmentation: Any
    if shape.is_whole():
        rle = polygons_to_rle(shape.outline.solids, side)
        segmentation = [shape.outline.solids[0].ravel().tolist()]
    else:
        rle = coco_mask.encode(np.asfortranarray(shape.visible.astype(np.uint8)))
        segmentation = {"size": [side, side], "counts": rle["counts"].decode("ascii")}
    return {
        "category_id": list(CATEGORIES).index(shape.category) + 1,
        "segmentation": segmentation,
        "area": int(coco_mask.area(rle)),
        "bbox": coco_mask.toBbox(rle).tolist(),
        "iscrowd": int(shape.is_crowd),
    }
