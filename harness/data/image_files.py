"""What the headers of image files say, and whether the files are whole: read once each.

A folder of 118,287 images on a network file system answers slowly to each question and well to many
at once: hence threads. What passed is remembered by name, size and time of the last change, so the
next look asks for those alone and reads what is new.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from PIL import Image, UnidentifiedImageError

from harness.errors import ResultsError
from harness.files import read_json, write_text
from harness.paths import CheckedData

CHECKS = 1  # of image files; raised when they ask for more, so that all are read again
THREADS = 16
AT_ONCE = 64  # files that a thread takes: a task for each file would cost more than its reading

ORIENTATION = 0x0112  # the EXIF tag
TURNED = (5, 6, 7, 8)  # its values for a quarter turn, after which width and height change places
# Some real JPEGs go on after this, and some lack it: those are decoded.
END_OF_JPEG = b"\xff\xd9"


@dataclass(frozen=True)
class ImageFile:
    """A file that holds a whole image.

    Attributes:
        width, height: in pixels, as detectron2 reads it: turned as EXIF says.
        mode: Pillow's word for channels and depth; "L" is one channel of 8 bits.
    """

    width: int
    height: int
    mode: str


@dataclass(frozen=True)
class Look:
    """What was found in a folder, by file name.

    Attributes:
        whole: files that hold a whole image.
        unreadable: why the others hold none.
        missing: files that are not there.
    """

    whole: dict[str, ImageFile]
    unreadable: dict[str, str]
    missing: list[str]


Stamp = tuple[int, int]  # size in bytes, time of the last change in ns
Memory = Mapping[str, tuple[Stamp, ImageFile]]
Answer = TypeVar("Answer")


def look_at(folder: Path, names: Sequence[str], checked: CheckedData) -> Look:
    """What the image files `names` in `folder` hold.

    Args:
        folder: of the images.
        names: of files, below `folder`.
        checked: where it is remembered of whole images.
    """
    file = checked.images(folder)
    memory = _remembered(file)
    stamps = _ask(_stamp, folder, names)
    there = {name: stamp for name, stamp in stamps.items() if stamp is not None}
    new = [name for name, stamp in there.items() if name not in memory or memory[name][0] != stamp]
    read = _ask(read_image_file, folder, new)
    passed = {name: (there[name], one) for name, one in read.items() if isinstance(one, ImageFile)}
    memory = {**memory, **passed}
    if passed:
        _remember(file, memory)
    unreadable = {name: reason for name, reason in read.items() if isinstance(reason, str)}
    return Look(
        {name: memory[name][1] for name in there if name not in unreadable},
        unreadable,
        [name for name in names if name not in there],
    )


def read_image_file(path: str) -> ImageFile | str:
    """What an image file holds, or why it holds no whole image.

    Of a JPEG header and end are read, of a PNG the checksums, too; all of it is decoded only where
    these look wrong, or it is of another format. A JPEG damaged in the middle is not found: it can
    be decoded, to other pixels.
    """
    try:
        with open(path, "rb") as file, Image.open(file) as image:
            width, height = image.size
            if _is_turned(image):
                width, height = height, width
            if not _looks_whole(file, image):
                file.seek(0)
                with Image.open(file) as anew:
                    anew.load()
            return ImageFile(width, height, image.mode)
    except UnidentifiedImageError:
        return "it is no image that Pillow knows"
    except (
        Exception
    ) as error:  # Pillow raises many kinds for a damaged file, detectron2 fails by all
        return (isinstance(error, OSError) and error.strerror) or str(error)


def _is_turned(image: Image.Image) -> bool:
    # Pillow decodes a PNG to look for EXIF behind its pixels, where nobody writes it.
    if image.format == "PNG" and "exif" not in image.info:
        return False
    try:
        return image.getexif().get(ORIENTATION) in TURNED
    except Exception:  # as detectron2 does, which takes such an image as it lies
        return False


def _looks_whole(file: BinaryIO, image: Image.Image) -> bool:
    if image.format == "PNG":
        try:
            image.verify()
        except Exception:  # of many kinds; to decode it will tell
            return False
        return True
    if image.format == "JPEG":
        file.seek(0, os.SEEK_END)
        file.seek(-min(len(END_OF_JPEG), file.tell()), os.SEEK_END)
        return file.read() == END_OF_JPEG
    return False


def _stamp(path: str) -> Stamp | None:
    try:
        stat = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_size, stat.st_mtime_ns


def _ask(
    question: Callable[[str], Answer], folder: Path, names: Sequence[str]
) -> dict[str, Answer]:
    """The answer for each file, asked for by many threads."""

    def answers(some: Sequence[str]) -> list[tuple[str, Answer]]:
        return [(name, question(os.path.join(folder, name))) for name in some]

    groups = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
    with ThreadPoolExecutor(THREADS) as pool:
        return {name: answer for group in pool.map(answers, groups) for name, answer in group}


def _remembered(file: Path) -> Memory:
    with suppress(ResultsError, TypeError, KeyError, ValueError):  # none yet, damaged, or older
        content = read_json(file, "It is made again.")
        if content["checks"] == CHECKS:
            return {
                name: ((size, changed_ns), ImageFile(*image))
                for name, (size, changed_ns, *image) in content["files"].items()
            }
    return {}


def _remember(file: Path, memory: Memory) -> None:
    files = {name: [*stamp, *astuple(image)] for name, (stamp, image) in memory.items()}
    write_text(file, json.dumps({"checks": CHECKS, "files": files}))
