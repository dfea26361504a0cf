"""A user's own folder in COCO's layout: finding its files, and checking them before a GPU waits."""

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError
from harness.grid.annotation_checks import check_content


@dataclass(frozen=True)
class Split:
    """One annotation file and the folder of its images."""

    annotations: Path
    images: Path


@dataclass(frozen=True)
class OwnData:
    """A folder in COCO's layout, its two splits found."""

    folder: Path
    train: Split
    val: Split


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


def _find_split(folder: Path, name: str) -> Split:
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
    return Split(found[0], images)


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


def check_annotations(split: Split) -> None:
    """Pass if this split can be trained on and evaluated on; takes seconds for COCO's train2017.

    Raises:
        DataError: names the file, the first item that is wrong, and the way out.
    """
    check_content(str(split.annotations), _read(split.annotations), split.images)


def _read(path: Path) -> object:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return json.loads(content)
    except ValueError as error:  # a JSONDecodeError, or bytes that are no text
        raise DataError(
            f"{path}: cut short or damaged, no valid JSON in its {len(content)} bytes: {error}. "
            "Download or copy it again."
        ) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"Cannot read the annotations {path}: {error.strerror}. "
        "Check the path and its permissions, or copy the file there again."
    )
