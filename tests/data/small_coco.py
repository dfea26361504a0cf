"""COCO in small: its files and folders under their own names, with two to five images each."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from harness.data.coco import (
    COCO,
    MINIVAL_2014,
    TRAIN_2014,
    TRAIN_2017,
    VAL_2017,
    VALMINUSMINIVAL_2014,
    CocoFile,
    Layouts,
)

WIDTH, HEIGHT = 12, 8
IDS = {
    TRAIN_2014: (9, 25, 30),
    VALMINUSMINIVAL_2014: (42, 73),
    MINIVAL_2014: (139, 285),
    TRAIN_2017: (9, 25, 30, 42, 73),
    VAL_2017: (139, 285),
}
MINIVAL_IDS = hashlib.sha256(b"139,285").hexdigest()
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}]


def _small(file: CocoFile) -> CocoFile:
    image_ids = MINIVAL_IDS if file.image_ids else None
    return replace(file, count=len(IDS[file]), size=None, image_ids=image_ids)


SMALL: Layouts = {
    split: tuple(tuple(_small(file) for file in layout) for layout in layouts)
    for split, layouts in COCO.items()
}


def image_name(image_id: int) -> str:
    return f"{image_id:012d}.jpg"


def content(ids: tuple[int, ...]) -> dict[str, Any]:
    """Annotations of one triangle on each image."""
    keys = {"category_id": 1, "bbox": [1, 1, 5, 5], "area": 12, "iscrowd": 0}
    triangle = [[1, 1, 6, 1, 1, 6]]
    return {
        "categories": CATEGORIES,
        "images": [
            {"id": one, "file_name": image_name(one), "width": WIDTH, "height": HEIGHT}
            for one in ids
        ],
        "annotations": [
            {"id": one, "image_id": one, "segmentation": triangle, **keys} for one in ids
        ],
    }


def write_coco(coco: Path, *files: CocoFile, stuff_maps: bool = False) -> Path:
    """Write annotation files with their images, and stuff maps where they are asked for."""
    for file in files:
        (coco / "annotations").mkdir(parents=True, exist_ok=True)
        (coco / file.annotations).write_text(json.dumps(content(IDS[file])))
        (coco / file.images).mkdir(exist_ok=True)
        for one in IDS[file]:
            Image.new("RGB", (WIDTH, HEIGHT), "red").save(coco / file.images / image_name(one))
        if stuff_maps:
            folder = coco / "stuffthingmaps" / file.images
            folder.mkdir(parents=True)
            for one in IDS[file]:
                Image.new("L", (WIDTH, HEIGHT), 182).save(folder / f"{one:012d}.png")
    return coco


def rewrite(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what an annotation file says."""
    changed = json.loads(file.read_text())
    change(changed)
    file.write_text(json.dumps(changed))
