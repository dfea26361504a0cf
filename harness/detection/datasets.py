"""A split as detectron2's list of dicts, read from COCO's own layout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectron2.data import MetadataCatalog
from detectron2.data.build import filter_images_with_only_crowd_annotations
from detectron2.data.datasets import load_coco_json

from harness.data.annotations import (
    Categories,
    Part,
    annotations_hash,
    categories_of,
    check_same_categories,
    read_annotations,
)
from harness.data.splits import Split, hash_of, locate
from harness.data.stuff_maps import stuff_map_of
from harness.errors import DataError


@dataclass(frozen=True)
class LoadedSplit:
    """Attributes:
    records: detectron2's dict for each image.
    categories: the annotation files' id and name of each class index.
    place: where the split lies.
    annotations_hash: `hash_of` it.
    """

    records: list[dict[str, Any]]
    categories: Categories
    place: Split
    annotations_hash: str


def load_split(split: str, data_dir: str | None, expected_hash: str | None = None) -> LoadedSplit:
    """All images of `split`, those without objects included, one part after the other.

    Args:
        split: one of `harness.grid.spec.SPLITS`.
        data_dir: folder of a user's own data or of the drawn shapes; None for COCO.
        expected_hash: what `hash_of` must give; None for whatever it gives.

    Raises:
        DataError: the data is not there or has changed, or an annotation is of a category that is
            not listed.
    """
    place = locate(split, data_dir)
    digest = _expected(place, expected_hash)
    first, *others = place.parts
    records, categories = _load(split, first)
    for part in others:
        more, theirs = _load(split, part)
        check_same_categories(first.annotations, categories, part.annotations, theirs)
        records += more
    return LoadedSplit(records, categories, place, digest)


def _load(split: str, part: Part) -> tuple[list[dict[str, Any]], Categories]:
    name = f"{split}/{annotations_hash(part.annotations)}"
    try:
        records = load_coco_json(str(part.annotations), str(part.images), name)
    except (ValueError, KeyError, AssertionError) as error:
        raise DataError(f"{part.annotations} cannot be read: {error}") from error
    metadata = MetadataCatalog.get(name)
    ids = sorted(metadata.thing_dataset_id_to_contiguous_id)
    return records, tuple(zip(ids, metadata.thing_classes, strict=True))


def load_categories(
    split: str, data_dir: str | None, expected_hash: str | None = None
) -> tuple[Split, Categories]:
    """Where `split` lies, and its categories: what its class indices stand for.

    Args:
        split: as for `load_split`.
        data_dir: as for `load_split`.
        expected_hash: as for `load_split`.

    Raises:
        DataError: a file is not there, has changed, or is damaged.
    """
    place = locate(split, data_dir)
    _expected(place, expected_hash)
    file = place.parts[0].annotations  # a split that is trained on has one list of categories
    try:
        return place, categories_of(read_annotations(file))
    except (TypeError, KeyError) as error:
        raise DataError(f"{file} cannot be read: {error}. Export the annotations again.") from error


def with_stuff_maps(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same images, and the stuff map of each where detectron2's mapper looks for it."""
    return [
        {**record, "sem_seg_file_name": str(stuff_map_of(Path(record["file_name"])))}
        for record in records
    ]


def _expected(place: Split, expected_hash: str | None) -> str:
    digest = hash_of(place)
    if expected_hash not in (None, digest):
        raise DataError(
            f"{place.where} has changed since this run was asked for (sha256 "
            f"{str(expected_hash)[:8]}, now {digest[:8]}). Submit again: on these annotations it "
            "is another run, under another id. Or put the file back as it was."
        )
    return digest


def with_objects(split: LoadedSplit) -> list[dict[str, Any]]:
    """The images that can be trained on: those with an object that is no crowd.

    Raises:
        DataError: there is none.
    """
    records: list[dict[str, Any]] = filter_images_with_only_crowd_annotations(split.records)
    if not records:
        raise DataError("No image of the training split has an object that is no crowd.")
    return records
