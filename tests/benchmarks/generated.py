"""Ground truth and results files as large as one likes, drawn from a seed.

Sizes are COCO's: images of 640 x 480, seven objects in each, as polygons, of 80 categories some of
which are common and most are rare, and 20 detections, most of them of something.
"""

import json
from pathlib import Path

import numpy as np
from pycocotools import mask as rle

WIDTH, HEIGHT = 640, 480
CATEGORIES = 80
CORNERS = 24
OBJECTS, DETECTIONS = 7.2, 20.0  # an image


def write_ground_truth(path: Path, images: int, seed: int = 0) -> list[dict]:
    """Write annotations to `path`; returns them."""
    rng = np.random.default_rng(seed)
    common = 1 / np.arange(1, CATEGORIES + 1)
    annotations = []
    for image_id in range(1, images + 1):
        here = rng.choice(CATEGORIES, 3, p=common / common.sum(), replace=False) + 1
        for _ in range(rng.poisson(OBJECTS)):
            outline = _outline(rng)
            mask = rle.frPyObjects([outline], HEIGHT, WIDTH)[0]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(rng.choice(here)),
                    "segmentation": [outline],
                    "area": float(rle.area(mask)),
                    "bbox": rle.toBbox(mask).tolist(),
                    "iscrowd": int(rng.random() < 0.01),
                }
            )
    content = {
        "images": [
            {"id": i, "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT}
            for i in range(1, images + 1)
        ],
        "annotations": annotations,
        "categories": [{"id": i, "name": f"category {i}"} for i in range(1, CATEGORIES + 1)],
    }
    path.write_text(json.dumps(content))
    return annotations


def write_results(path: Path, annotations: list[dict], images: int, noise: float, seed: int) -> int:
    """Write detections to `path`; returns how many.

    Args:
        path: the results file.
        annotations: what is detected.
        images: in which there are as many false alarms as make up the number.
        noise: of each corner, as a part of the object's size.
        seed: of the noise, scores and false alarms.
    """
    rng = np.random.default_rng(seed)
    results = []

    def detect(image_id: int, category_id: int, outline: np.ndarray, score: float) -> None:
        mask = rle.frPyObjects([outline.ravel().tolist()], HEIGHT, WIDTH)[0]
        if rle.area(mask):
            results.append(
                {
                    "image_id": image_id,
                    "category_id": category_id,
                    "score": round(score, 4),
                    "segmentation": {"size": [HEIGHT, WIDTH], "counts": mask["counts"].decode()},
                }
            )

    for annotation in annotations:
        outline = np.array(annotation["segmentation"][0]).reshape(-1, 2)
        size = annotation["area"] ** 0.5
        for again in range(1 + int(rng.random() < 0.5)):
            moved = outline + rng.normal(0, noise * size * (1 + again), outline.shape)
            score = float(rng.beta(5, 2) if not again else rng.beta(2, 5))
            detect(annotation["image_id"], annotation["category_id"], moved, score)
    for _ in range(max(0, int(DETECTIONS * images) - len(results))):
        outline = np.array(_outline(rng)).reshape(-1, 2)
        image_id, category = int(rng.integers(1, images + 1)), int(rng.integers(1, CATEGORIES + 1))
        detect(image_id, category, outline, float(rng.beta(1, 6)))
    path.write_text(json.dumps(results))
    return len(results)


def _outline(rng: np.random.Generator) -> list[float]:
    """A lumpy polygon within the image, whose size is spread as COCO's."""
    size = float(np.exp(rng.normal(4.2, 0.9)))
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = np.clip(size / 2 * rng.uniform(0.6, 1.4, CORNERS), 2, 230)
    x = rng.uniform(0, WIDTH) + radius * np.cos(angles)
    y = rng.uniform(0, HEIGHT) + radius * np.sin(angles)
    corners = np.stack([x.clip(0, WIDTH), y.clip(0, HEIGHT)], axis=1)
    return corners.round(2).ravel().tolist()
