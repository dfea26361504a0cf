"""What image files hold, and whether they can be decoded: read once each.

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
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from harness.data.progress import Progress, unheard
from harness.data.stuff_maps import CLASSES, MODE, UNLABELED
from harness.errors import ResultsError
from harness.files import read_json, write_text
from harness.paths import CheckedData

CHECKS = 2  # of image files; raised when they ask for more, so that all are read again
THREADS = 16
AT_ONCE = 64  # files that a thread takes: a task for each file would cost more than its reading

ORIENTATION = 0x0112  # the EXIF tag
TURNED = (5, 6, 7, 8)  # its values for a quarter turn, after which width and height change places
REDUCED = 8  # a JPEG decoded to an eighth reads each of its bits, in two thirds of the time


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


def look_at(
    folder: Path,
    names: Sequence[str],
    checked: CheckedData,
    read: Callable[[str], ImageFile | str],
    progress: Progress = unheard,
) -> Look:
    """What the image files `names` in `folder` hold.

    Args:
        folder: of the images.
        names: of files, below `folder`.
        checked: where it is remembered of whole images.
        read: `read_image_file`, or one that asks for more; the same for all files of a folder.
        progress: hears how many of the files were asked for, then how many of the new ones read.
    """
    file = checked.images(folder)
    memory = _remembered(file)
    stamps = _ask(_stamp, folder, names, progress)
    there = {name: stamp for name, stamp in stamps.items() if stamp is not None}
    new = [name for name, stamp in there.items() if name not in memory or memory[name][0] != stamp]
    found = _ask(read, folder, new, progress)
    passed = {name: (there[name], one) for name, one in found.items() if isinstance(one, ImageFile)}
    memory = {**memory, **passed}
    if passed:
        _remember(file, memory)
    unreadable = {name: reason for name, reason in found.items() if isinstance(reason, str)}
    return Look(
        {name: memory[name][1] for name in there if name not in unreadable},
        unreadable,
        [name for name in names if name not in there],
    )


def read_image_file(path: str) -> ImageFile | str:
    """What an image file holds, or why it holds no whole image.

    It is decoded, as the training will: a PNG only where its checksums are wrong.
    """
    try:
        with Image.open(path) as image:
            found = _size_and_mode(image)
            if image.format == "PNG" and _is_verified(image):
                return found
        with Image.open(path) as image:
            image.draft("L", (image.width // REDUCED, image.height // REDUCED))
            image.load()
        return found
    except UnidentifiedImageError:
        return "it is no image that Pillow knows"
    except (
        Exception
    ) as error:  # Pillow raises many kinds for a damaged file, detectron2 fails by all
        return (isinstance(error, OSError) and error.strerror) or str(error)


def read_stuff_map(path: str) -> ImageFile | str:
    """What the file of a stuff map holds, or why nothing can be learned from it."""
    found = read_image_file(path)
    if isinstance(found, str) or found.mode != MODE:
        return found
    with Image.open(path) as image:
        pixels = image.histogram()  # of each class
    unknown = [label for label in range(CLASSES, UNLABELED) if pixels[label]]
    if unknown:
        return f"it has class {unknown[0]}, and classes are 0 to {CLASSES - 1} or {UNLABELED}"
    return found


def _is_turned(image: Image.Image) -> bool:
    # Pillow decodes a PNG to look for EXIF behind its pixels, where nobody writes it.
    if image.format == "PNG" and "exif" not in image.info:
        return False
    try:
        return image.getexif().get(ORIENTATION) in TURNED
    except Exception:  # as detectron2 does, which takes such an image as it lies
        return False


def _size_and_mode(image: Image.Image) -> ImageFile:
    width, height = image.size
    return ImageFile(*((height, width) if _is_turned(image) else (width, height)), image.mode)


def _is_verified(image: Image.Image) -> bool:
    try:
        image.verify()
    except Exception:  # of many kinds; to decode it will tell
        return False
    return True


def _stamp(path: str) -> Stamp | None:
    try:
        stat = os.stat(path)
    except (OSError, ValueError):  # not there, or of a name that no file can have
        return None
    return stat.st_size, stat.st_mtime_ns


def _ask(
    question: Callable[[str], Answer], folder: Path, names: Sequence[str], progress: Progress
) -> dict[str, Answer]:
    """The answer for each file, asked for by many threads."""

    def answers(some: Sequence[str]) -> list[tuple[str, Answer]]:
        return [(name, question(os.path.join(folder, name))) for name in some]

    groups = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
    found: dict[str, Answer] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for group in pool.map(answers, groups):
            found.update(group)
            progress(len(found), len(names))
    return found


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
