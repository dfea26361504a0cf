"""A project with a data folder of a few images and the predictions of two runs on them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as rle

from harness.data.splits import hash_of, locate
from harness.grid.spec import identity_of
from harness.records import METRICS, Metrics, write_metrics
from harness.workplace import Workplace, workplace

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH = 40, 60
ROWS = ("baseline", "k=2")


def mask(x: int, y: int, width: int, height: int) -> dict[str, object]:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    pixels[y : y + height, x : x + width] = 1
    encoded = rle.encode(pixels)
    return {"size": [HEIGHT, WIDTH], "counts": encoded["counts"].decode()}


def detection(image_id: int, box: tuple[int, int, int, int], score: float = 0.9) -> dict:
    return {"image_id": image_id, "category_id": 1, "score": score, "segmentation": mask(*box)}


class TwoRuns:
    """Images 1 to 4 of 60 x 40, grey; of each but 4 one object, 20 x 20 at (10, 10).

    The baseline finds it in image 1 exactly; in image 2 its left 16 columns; in image 3 not. The
    run of k=2 finds it in images 1 and 3 exactly; in image 2 its left 18 columns.
    """

    def __init__(self, folder: Path) -> None:
        self.project, self.data = folder / "project", folder / "pets"
        self.runs = folder / "runs"
        shutil.copytree(ROOT / "experiments", self.project / "experiments")
        shutil.copytree(ROOT / "results" / "published", self.project / "results" / "published")
        self.ids = [1, 2, 3, 4]
        self.category = "cat"
        self.suffix = ".png"  # of file names
        self.write_data()
        box = (10, 10, 20, 20)
        self.predict("baseline", [detection(1, box), detection(2, (10, 10, 16, 20))])
        self.predict(
            "k=2", [detection(1, box), detection(2, (10, 10, 18, 20)), detection(3, box, 0.2)]
        )

    def write_data(self) -> None:
        size = {"width": WIDTH, "height": HEIGHT}
        for split in ("train", "val"):
            (self.data / split).mkdir(parents=True, exist_ok=True)
            content = {
                "images": [{"id": i, "file_name": f"{i}{self.suffix}", **size} for i in self.ids],
                "categories": [{"id": 1, "name": self.category}],
                "annotations": [
                    {
                        "id": 100 + i,
                        "image_id": i,
                        "category_id": 1,
                        "iscrowd": 0,
                        "area": 400,
                        "bbox": [10, 10, 20, 20],
                        "segmentation": mask(10, 10, 20, 20),
                    }
                    for i in self.ids
                    if i != 4
                ],
            }
            path = self.data / "annotations" / f"instances_{split}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content))
        for i in self.ids:
            Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90)).save(
                self.data / "val" / f"{i}{self.suffix}"
            )

    @property
    def place(self) -> Workplace:
        made = workplace("demo", self.data, self.runs)
        experiments = self.project / "experiments"
        results = replace(made.results, folder=self.project / "results" / made.results.folder.name)
        return replace(made, experiments=experiments, results=results)

    def spec(self, row: str, seed: int = 0):
        cells = self.place.grid(["table1"], seed + 1).cells
        return next(cell.spec for cell in cells if cell.row == row and cell.spec.seed == seed)

    def paths(self, row: str, seed: int = 0):
        return self.place.runs.run(self.spec(row, seed).run_id)

    def predict(self, row: str, results: list[dict], seed: int = 0) -> None:
        spec, paths = self.spec(row, seed), self.paths(row, seed)
        paths.results.parent.mkdir(parents=True, exist_ok=True)
        paths.results.write_text(json.dumps(results))
        metrics = Metrics(
            run_id=spec.run_id,
            parent=None,
            spec=identity_of(spec),
            ap={"segm": dict.fromkeys(METRICS, 30.0)},
            annotations={"own_val": hash_of(locate("own_val", str(self.data)))},
            order_hash="b" * 64,
            evaluator="pycocotools 2.0.11",
            environment={},
            gpu_hours=0.1,
        )
        write_metrics(paths.metrics, metrics)
