"""Reading the images of a split so that one that cannot be used is told by its name."""

import signal
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from detectron2.data.detection_utils import SizeMismatchError, read_image
from PIL import Image
from torch import Tensor

from harness import stop
from harness.data.stuff_maps import CLASSES, MODE, UNLABELED
from harness.errors import DataError

Record = dict[str, Any]
Mapper = Callable[[Record], Record]
Told = Callable[[Record], Record | DataError]


def telling(mapper: Mapper) -> Told:
    """`mapper`, with a DataError as its result for an image that cannot be used.

    Returned and not raised: a loader's worker would lose its text on the way to this process.
    `or_raise` raises it there.
    """
    return partial(_mapped, mapper)


def or_raise(batches: Iterable[list[Record | DataError]]) -> Iterator[list[Record]]:
    """The batches of a loader.

    Raises:
        DataError: an image of the next batch cannot be used; says which.
    """
    for batch in batches:
        records = []
        for record in batch:
            if isinstance(record, DataError):
                raise record
            records.append(record)
        yield records


def deaf(worker: int) -> None:
    """Let this process of a loader live until the training ends it.

    Slurm sends its signals to all processes of a job: only the one that trains answers them.

    Args:
        worker: its number.
    """
    for number in stop.SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _mapped(mapper: Mapper, record: Record) -> Record | DataError:
    file = record["file_name"]
    try:
        if "sem_seg_file_name" not in record:
            return mapper(record)
        _check_map(record)
        mapped = mapper(record)
        _check_classes(mapped["sem_seg"], record)
        return mapped
    except DataError as error:
        return error
    except SizeMismatchError:
        height, width = read_image(file, format="BGR").shape[:2]
        return DataError(
            f"Image {file} is {width} x {height} px, its annotations say {record['width']} x "
            f"{record['height']} (width x height). They must agree: put the image there that was "
            "annotated, or correct width, height and masks in the annotations."
        )
    except (OSError, SyntaxError, EOFError) as error:
        return DataError(f"Image {file} cannot be read ({error}). Copy it again.")


def _check_map(record: Record) -> None:
    """Detectron2's mapper would not name a stuff map that it cannot use, or read other classes."""
    file = record["sem_seg_file_name"]
    try:
        with Image.open(file) as opened:
            (width, height), mode = opened.size, opened.mode
            opened.load()
    except (OSError, SyntaxError, EOFError) as error:
        raise DataError(f"Stuff map {file} cannot be read ({error}). Copy it again.") from error
    if mode != MODE:
        raise DataError(
            f"Stuff map {file} has Pillow's mode {mode}, not {MODE}: one channel of 8 bits, a "
            "pixel's class as its value. Export it so."
        )
    if (width, height) != (record["width"], record["height"]):
        raise DataError(
            f"Stuff map {file} is {width} x {height} px, its image {record['width']} x "
            f"{record['height']} (width x height). They must agree: put the map there that was "
            "made for this image."
        )


def _check_classes(stuff_HW: Tensor, record: Record) -> None:
    unknown = stuff_HW[(stuff_HW >= CLASSES) & (stuff_HW != UNLABELED)]
    if len(unknown):
        raise DataError(
            f"Stuff map {record['sem_seg_file_name']} has class {int(unknown[0])}. Classes are 0 "
            f"to {CLASSES - 1}, or {UNLABELED} for none, as in COCO-stuff's own maps: copy "
            "them again."
        )
