"""Random data sets that are nasty to evaluators, and small, since hundreds of them are evaluated.

A mask is a strip: pixels that follow each other down the columns. It has any number of pixels, and
IoUs exactly on a threshold are easy to make. Boxes have nothing to do with the masks beside them.
"""

from dataclasses import dataclass, field

import numpy as np
from pycocotools import mask as rle

Item = dict[str, object]

IMAGE_SIZES = ((100, 128), (128, 100), (97, 131))  # height, width
# Around the borders of the sizes, 32 * 32 and 96 * 96, and some between; 100 for exact IoUs.
PIXELS = (0, 1, 100, 400, 1023, 1024, 1025, 9215, 9216, 9217)
SIDES = ((32, 32), (31, 33), (25, 41), (96, 96), (95, 97), (13, 709), (0, 5), (10, 10), (50, 20))
SCORES = (0.25, 0.5, 0.75, 1)  # often tied


@dataclass
class RandomData:
    """Ground truth and results of a seed."""

    seed: int
    images: list[Item] = field(default_factory=list)
    categories: list[Item] = field(default_factory=list)
    annotations: list[Item] = field(default_factory=list)
    results: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        # Ids with gaps, in no order; all but the first category may be without ground truth.
        for image_id in self._ids(self.rng.integers(1, 5)):
            height, width = self._one_of(IMAGE_SIZES)
            self.images.append({"id": image_id, "height": height, "width": width})
        for category_id in self._ids(self._one_of((1, 2, 4, 30))):
            self.categories.append({"id": category_id, "name": f"category {category_id}"})
        self.with_objects = self.categories[: self._one_of((1, 2, 30))]
        for image in self.images:
            for _ in range(self._one_of((0, 1, 3, 6))):
                self._add_object(image)
            self._add_wrong_detections(image)
        if self.rng.random() < 0.03:
            self.results.clear()
        if self.rng.random() < 0.03:
            self.annotations.clear()
        self.rng.shuffle(self.annotations)
        self.rng.shuffle(self.results)

    def ground_truth(self) -> Item:
        tables = ("images", "categories", "annotations")
        return {name: getattr(self, name) for name in tables}

    def _one_of(self, values):
        return values[self.rng.integers(len(values))]

    def _ids(self, number) -> list[int]:
        return [int(one) for one in self.rng.choice(1000, number, replace=False)]

    def _score(self) -> float:
        return self._one_of((*SCORES, float(self.rng.random())))

    def _add_object(self, image: Item) -> None:
        start, pixels = int(self.rng.integers(3000)), self._one_of(PIXELS)
        box = [int(self.rng.integers(100)), int(self.rng.integers(100)), *self._one_of(SIDES)]
        category_id = self._one_of(self.with_objects)["id"]
        for _ in range(self._one_of((1, 1, 1, 2))):  # now and then the same object twice
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,
                    "image_id": image["id"],
                    "category_id": category_id,
                    "iscrowd": int(self.rng.random() < 0.15),
                    # Most often the mask's, as it should be; and what rounding makes of it.
                    "area": pixels + self._one_of((0, 0, 0, 0.5, 1)),
                    "bbox": box,
                    "segmentation": self._segmentation(image, start, pixels),
                }
            )
        for _ in range(self._one_of((0, 1, 2, 3))):
            self._detect(image, category_id, start, pixels, box)

    def _segmentation(self, image: Item, start: int, pixels: int) -> object:
        """A strip as compressed RLE or run lengths; or polygons."""
        if self.rng.random() < 0.15:
            return [[float(one) for one in self.rng.uniform(-5, 100, 6)] for _ in range(2)]
        strip = _strip(image, start, pixels)
        return strip if self.rng.random() < 0.3 else _compressed(strip)

    def _detect(self, image, category_id, start, pixels, box) -> None:
        """The object itself, a part with an IoU exactly on a threshold, or moved by a little."""
        part = self._one_of((20, 20, 10, 11, 15, 16, 18, 19))
        dx, dy = self._one_of((0, 1, -2, 0.25)), self._one_of((0, 0, 3))
        if self.rng.random() < 0.1:
            category_id = self._one_of(self.categories)["id"]
        x, y, width, height = box
        self._add_result(
            image,
            category_id,
            _strip(image, start + self._one_of((0, 0, 1, 7)), pixels * part // 20),
            [x + dx, y + dy, width, height * part / 20],
        )

    def _add_wrong_detections(self, image: Item) -> None:
        """None, some, or more of one category than the 100 that count."""
        number = self._one_of((0, 0, 0, 2, 2, 2, 120))
        category_id = self._one_of(self.categories)["id"]
        for _ in range(number):
            strip = _strip(image, int(self.rng.integers(3000)), self._one_of(PIXELS))
            box = [*(float(one) for one in self.rng.uniform(0, 100, 2)), *self._one_of(SIDES)]
            self._add_result(image, category_id, strip, box)
            if number < 100:
                category_id = self._one_of(self.categories)["id"]

    def _add_result(self, image, category_id, strip, box) -> None:
        self.results.append(
            {
                "image_id": image["id"],
                "category_id": category_id,
                "score": self._score(),
                "bbox": box,
                "segmentation": _compressed(strip),
            }
        )


def _strip(image: Item, start: int, pixels: int) -> Item:
    """Run lengths: `start` pixels that are not set, `pixels` that are, the rest of the image."""
    height, width = image["height"], image["width"]
    return {"size": [height, width], "counts": [start, pixels, height * width - start - pixels]}


def _compressed(strip: Item) -> Item:
    encoded = rle.frPyObjects(strip, *strip["size"])
    return {"size": encoded["size"], "counts": encoded["counts"].decode()}
