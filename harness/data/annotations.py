"""A user's own folder in COCO's layout: finding its files, and checking them before a GPU waits."""

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.annotation_checks import check_content, may_repeat_annotation_ids
from harness.errors import DataError
from harness.files import unpacked

Categories = tuple[tuple[int, str], ...]  # id and name


@dataclass(frozen=True)
class Part:
    """One annotation file and the folder of its images: a split, or a part of one."""

    annotations: Path
    images: Path


@dataclass(frozen=True)
class Image:
    """An image as its annotation file lists it, width and height in pixels."""

    id: int
    file_name: str
    width: int
    height: int


@dataclass(frozen=True)
class Outline:
    """What an annotation file says, but for the annotations themselves.

    Attributes:
        categories: id and name of each.
        images: as the file lists them.
        annotations: how many there are.
        objects: how many of them are no crowd.
    """

    categories: Categories
    images: tuple[Image, ...]
    annotations: int
    objects: int


@dataclass(frozen=True)
class OwnData:
    """A folder in COCO's layout, its two splits found."""

    folder: Path
    train: Part
    val: Part


def find_own_data(folder: Path) -> OwnData:
    """The splits in `folder`: annotations/instances_train*.json with train*/, the same for val.

    Raises:
        DataError: a file or folder is missing, or several could be meant.
    """
    if not folder.is_dir():
        raise DataError(
            f"No folder at {folder.absolute()}. --data takes a folder in COCO's layout: "
            "annotations/instances_train*.json, annotations/instances_val*.json, train*/, val*/."
        )
    return OwnData(folder, _find_split(folder, "train"), _find_split(folder, "val"))


def _find_split(folder: Path, name: str) -> Part:
    pattern = f"instances_{name}*.json"
    found = sorted((folder / "annotations").glob(pattern))
    if not found:
        raise DataError(
            f"No annotation file for {name}: looked for {folder / 'annotations' / pattern}. "
            "Put COCO-format annotations there."
        )
    if len(found) > 1:
        raise DataError(
            f"Several annotation files for {name} in {folder / 'annotations'}: "
            f"{', '.join(path.name for path in found)}. Exactly one {pattern} is allowed; "
            "move the others away, or make a folder with links to one."
        )
    images = folder / found[0].stem.removeprefix("instances_")
    if not images.is_dir():
        raise DataError(
            f"No image folder for {found[0]}: looked for {images}. The images of "
            f"{found[0].name} belong in {images.name}/."
        )
    return Part(found[0], images)


def annotations_hash(path: Path) -> str:
    """The sha256 of the file's bytes in hex; read once as long as size and mtime stay.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        stat = path.stat()
        return _sha256(path.absolute(), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise _unreadable(path, error) from error


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    del size, mtime_ns  # they only tell the cache when the file is another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_annotations(part: Part) -> Outline:
    """The outline of annotations that can be trained and evaluated on; seconds for train2017.

    Args:
        part: the annotations; its images are not looked at (`harness.data.image_files`).

    Raises:
        DataError: names the file, the first item that is wrong, and the way out.
    """
    where, content = str(part.annotations), read_annotations(part.annotations)
    duplicates = may_repeat_annotation_ids(part.annotations)
    check_content(where, content, duplicates_allowed=duplicates)
    keys = ("id", "file_name", "width", "height")
    return Outline(
        categories_of(content),
        tuple(Image(*(image[key] for key in keys)) for image in content["images"]),
        annotations=len(content["annotations"]),
        objects=sum(not annotation["iscrowd"] for annotation in content["annotations"]),
    )


def categories_of(content: Any) -> Categories:  # noqa: ANN401
    """Id and name of each category in annotations that passed, by id: the order of the classes."""
    return tuple(sorted((category["id"], category["name"]) for category in content["categories"]))


def check_same_categories(
    train: Path, of_train: Categories, test: Path, of_test: Categories
) -> None:
    """Pass if two annotation files list the same categories, in whatever order.

    Args:
        train: the file that is trained on.
        of_train: its categories.
        test: the file that is predicted and evaluated on.
        of_test: its categories.

    Raises:
        DataError: they differ; names the first difference.
    """
    differences = sorted({*of_train} ^ {*of_test})
    if differences:
        category_id, name = differences[0]
        has, lacks = (train, test) if differences[0] in of_train else (test, train)
        raise DataError(
            f"The categories of {train} and {test} differ: {has.name} lists id {category_id} as "
            f"{name!r}, {lacks.name} does not. Both must list the same ids with the same names, "
            "those without objects too; a result would be counted for another category. Export "
            "both with one list of categories."
        )


def read_annotations(path: Path, *, packed: bool = False) -> Any:  # noqa: ANN401
    """What the JSON of an annotation file says.

    Args:
        path: the file.
        packed: whether it may be gzip too. detectron2, which trains on it, reads plain text only.

    Raises:
        DataError: the file is missing, cut short or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return json.loads(unpacked(content) if packed else content)
    # A JSONDecodeError, bytes that are no text, damaged gzip; or brackets without end.
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: cut short or damaged, no valid JSON in its {len(content)} bytes: {error}. "
            "Download or copy it again."
        ) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"Cannot read the annotations {path}: {error.strerror}. "
        "Check the path and its permissions, or copy the file there again."
    )
