"""Where the images and annotations of a split lie."""

import os
from pathlib import Path

from harness.data.annotations import Split, find_own_data
from harness.errors import DataError

# Below detectron2's data root, in the places that detectron2's own registry uses.
COCO_FILES = {
    "coco_2014_train": ("annotations/instances_train2014.json", "train2014"),
    "coco_2014_minival": ("annotations/instances_minival2014.json", "val2014"),
    "coco_2017_train": ("annotations/instances_train2017.json", "train2017"),
    "coco_2017_val": ("annotations/instances_val2017.json", "val2017"),
}


def locate(split: str, data_dir: str | None) -> Split:
    """The annotation file and image folder of `split`.

    Args:
        split: one of `harness.grid.spec.SPLITS`.
        data_dir: folder of a user's own data or of the drawn shapes; None for COCO, which lies
            below `DETECTRON2_DATASETS` (default `./datasets`), as everywhere in detectron2.

    Raises:
        DataError: the data is not there; says where it was looked for.
    """
    if data_dir is not None and split.startswith(("own_", "shapes_")):
        data = find_own_data(Path(data_dir))
        return data.train if split.endswith("_train") else data.val
    if split not in COCO_FILES:
        raise DataError(f"Split {split!r} has no place known to this version of harness.")
    root = Path(os.environ.get("DETECTRON2_DATASETS", "datasets")).expanduser() / "coco"
    annotations, images = (root / part for part in COCO_FILES[split])
    for path in (annotations, images):
        if not path.exists():
            raise DataError(
                f"{split} is not here: {path} is missing. Put COCO below a folder of its own and "
                "name that folder's parent in DETECTRON2_DATASETS."
            )
    return Split(annotations, images)
