"""Where the images and annotations of a split lie."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.data.annotations import Part, annotations_hash, find_own_data
from harness.data.coco import COCO, CocoFile, Layout, Layouts
from harness.errors import DataError


@dataclass(frozen=True)
class Split:
    """What is trained or tested on.

    Attributes:
        name: one of `harness.grid.spec.SPLITS`.
        parts: annotation files with their images, one or more.
        coco: what is known of each part; empty for other data than COCO.
    """

    name: str
    parts: tuple[Part, ...]
    coco: tuple[CocoFile, ...] = ()

    @property
    def annotations(self) -> Path:
        """The annotation file of a split that has one.

        Raises:
            ValueError: it has several.
        """
        if len(self.parts) > 1:
            raise ValueError(f"split: {self.name} has the annotation files {self.where}")
        return self.parts[0].annotations

    @property
    def where(self) -> str:
        """Its annotation files, as a message names them."""
        return " and ".join(str(part.annotations) for part in self.parts)


def locate(split: str, data_dir: str | None, coco: Layouts = COCO) -> Split:
    """The annotation files and image folders of `split`.

    Args:
        split: one of `harness.grid.spec.SPLITS`.
        data_dir: folder of a user's own data or of the drawn shapes; None for COCO, which lies
            below `coco_folder()`.
        coco: the layouts of COCO's splits; of several that are there, the first is taken.

    Raises:
        DataError: the data is not there; says where it was looked for.
    """
    if data_dir is not None and split.startswith(("own_", "shapes_")):
        data = find_own_data(Path(data_dir))
        return Split(split, (data.train if split.endswith("_train") else data.val,))
    if split not in coco:
        raise DataError(f"Split {split!r} has no place known to this version of harness.")
    root = coco_folder()
    missing = lacks_of(coco[split])
    for layout, lacks in zip(coco[split], missing, strict=True):
        if not lacks:
            parts = (Part(root / file.annotations, root / file.images) for file in layout)
            return Split(split, tuple(parts), layout)
    raise DataError(
        f"{split} is not here: {not_here(split, coco)}. If COCO lies elsewhere, name the folder "
        "above its coco/ in DETECTRON2_DATASETS; `harness prepare` prints the commands that fetch "
        "what is missing."
    )


def not_here(split: str, coco: Layouts = COCO) -> str:
    """Which files and folders of a split of COCO are missing, in words; "" where it is there.

    Args:
        split: one of `coco`.
        coco: the layouts of COCO's splits.
    """
    missing = lacks_of(coco[split])
    return "" if not all(missing) else ", or ".join(_are_missing(lacks) for lacks in missing)


def _are_missing(lacks: list[str]) -> str:
    paths = [str(coco_folder() / path) for path in lacks]
    return f"{' and '.join(paths)} {'is' if len(paths) == 1 else 'are'} missing"


def lacks_of(layouts: Iterable[Layout]) -> list[list[str]]:
    """What is not there of each layout, as paths below `coco_folder()`."""
    names = [
        [name for file in layout for name in (file.annotations, file.images)] for layout in layouts
    ]
    return [
        [name for name in dict.fromkeys(some) if not (coco_folder() / name).exists()]
        for some in names
    ]


def coco_folder() -> Path:
    """`coco/` below `DETECTRON2_DATASETS` (default `./datasets`), as everywhere in detectron2."""
    return Path(os.environ.get("DETECTRON2_DATASETS", "datasets")).expanduser() / "coco"


def hash_of(split: Split) -> str:
    """The sha256 of the annotation file in hex; of several, that of their hashes in a row.

    Raises:
        DataError: a file cannot be read.
    """
    hashes = [annotations_hash(part.annotations) for part in split.parts]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
