"""A split as detectron2's list of dicts, read from COCO's own layout."""

from dataclasses import dataclass
from typing import Any

from detectron2.data import MetadataCatalog
from detectron2.data.build import filter_images_with_only_crowd_annotations
from detectron2.data.datasets import load_coco_json

from harness.errors import DataError
from harness.grid.annotations import annotations_hash
from harness.grid.splits import locate


@dataclass(frozen=True)
class LoadedSplit:
    """Attributes:
    records: detectron2's dict for each image.
    category_ids: the annotation file's id of each class index.
    annotations_hash: sha256 of the annotation file.
    """

    records: list[dict[str, Any]]
    category_ids: tuple[int, ...]
    annotations_hash: str


def load_split(split: str, data_dir: str | None) -> LoadedSplit:
    """All images of `split`, those without objects included.

    Raises:
        DataError: the data is not there, or an annotation is of a category that is not listed.
    """
    place = locate(split, data_dir)
    digest = annotations_hash(place.annotations)
    name = f"{split}/{digest}"
    try:
        records = load_coco_json(str(place.annotations), str(place.images), name)
    except (ValueError, KeyError, AssertionError) as error:
        raise DataError(f"{place.annotations} cannot be read: {error}") from error
    index_of = MetadataCatalog.get(name).thing_dataset_id_to_contiguous_id
    return LoadedSplit(records, tuple(sorted(index_of, key=index_of.__getitem__)), digest)


def with_objects(split: LoadedSplit) -> list[dict[str, Any]]:
    """The images that can be trained on: those with an object that is no crowd.

    Raises:
        DataError: there is none.
    """
    records: list[dict[str, Any]] = filter_images_with_only_crowd_annotations(split.records)
    if not records:
        raise DataError("No image of the training split has an object that is no crowd.")
    return records
