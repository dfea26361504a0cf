import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

Item = dict[str, Any]


class Scene:
    """Ground truth and detections of boxes, filled or hollow, on images of 160 x 200 pixels."""

    height, width = 160, 200

    def __init__(self, folder: Path, images: int = 1, categories: int = 1) -> None:
        self.gt_json, self.results_json = folder / "gt.json", folder / "results.json"
        size = {"height": self.height, "width": self.width}
        self.images: list[Item] = [
            {"id": i, "file_name": f"{i}.png", **size} for i in range(images)
        ]
        self.categories: list[Item] = [{"id": i, "name": str(i)} for i in range(categories)]
        self.annotations: list[Item] = []
        self.results: list[Item] = []

    def mask(self, *boxes: tuple[float, float, float, float]) -> Item:
        """The mask that is set in each box (x, y, width, height)."""
        pixels = np.zeros((self.height, self.width), np.uint8, order="F")
        for x, y, width, height in boxes:
            pixels[int(y) : int(y + height), int(x) : int(x + width)] = 1
        encoded = rle.encode(pixels)
        return {"size": encoded["size"], "counts": encoded["counts"].decode()}

    def add_object(self, x, y, width, height, *, image_id=0, category_id=0, iscrowd=0):
        self.annotations.append(
            {
                "id": len(self.annotations) + 1,
                "image_id": image_id,
                "category_id": category_id,
                "iscrowd": iscrowd,
                "bbox": [x, y, width, height],
                "area": width * height,
                "segmentation": self.mask((x, y, width, height)),
            }
        )

    def detect(self, x, y, width, height, *, score, image_id=0, category_id=0):
        self.results.append(
            {
                "image_id": image_id,
                "category_id": category_id,
                "score": score,
                "bbox": [x, y, width, height],
                "segmentation": self.mask((x, y, width, height)),
            }
        )

    def write(self) -> tuple[Path, Path]:
        content = {key: getattr(self, key) for key in ("images", "annotations", "categories")}
        self.gt_json.write_text(json.dumps(content))
        self.results_json.write_text(json.dumps(self.results))
        return self.gt_json, self.results_json


@pytest.fixture
def new_scene(tmp_path) -> Callable[..., Scene]:
    """Make a Scene(images=1, categories=1) whose files lie in this test's folder."""
    return lambda **sizes: Scene(tmp_path, **sizes)


@pytest.fixture
def scene(new_scene) -> Scene:
    """One image with one object, 10 x 10, and one detection that is exactly it."""
    scene = new_scene()
    scene.add_object(20, 20, 10, 10)
    scene.detect(20, 20, 10, 10, score=0.5)
    return scene


@pytest.fixture
def moved(coco_mini, tmp_path):
    """Write COCO's own objects, moved by some pixels, as detections: their two files."""
    gt_json = coco_mini / "annotations" / "instances_val2017.json"

    def write(pixels):
        rng = np.random.default_rng(0)
        index = COCO(gt_json)
        results = []
        for annotation in index.anns.values():
            if annotation["iscrowd"]:
                continue
            shift = rng.integers(-pixels, pixels + 1, 2)
            mask = np.roll(index.annToMask(annotation), shift, axis=(0, 1))
            encoded = rle.encode(np.asfortranarray(mask))
            results.append(
                {
                    "image_id": annotation["image_id"],
                    "category_id": annotation["category_id"],
                    "score": round(float(rng.random()), 2),
                    "bbox": rle.toBbox(encoded).tolist(),
                    "segmentation": {**encoded, "counts": encoded["counts"].decode()},
                }
            )
        results_json = tmp_path / "results.json"
        results_json.write_text(json.dumps(results))
        return gt_json, results_json

    return write
