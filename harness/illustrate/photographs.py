"""Photographs, read as detectron2 reads them: upright, in RGB, of the size that annotations say."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.Image import Transpose

from harness.data.fields import printable
from harness.data.image_files import ORIENTATION
from harness.errors import DataError

Photograph = npt.NDArray[np.uint8]  # (height, width, 3)

# By EXIF's orientation. Pillow's exif_transpose writes the rest of EXIF anew too, and fails where
# that is damaged; detectron2 trains on such an image.
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def read_photograph(path: Path, what: str, width: int, height: int) -> Photograph:
    """The pixels of an image, turned as EXIF says, shape (height, width, 3).

    Args:
        path: of its file.
        what: which image it is, for errors: "image 42 of own_val".
        width: in px, as its annotations say.
        height: likewise.

    Raises:
        DataError: the file is missing, damaged, or of another size.
    """
    pixels = _read(path, what)
    if pixels.shape[:2] != (height, width):
        raise DataError(
            f"{printable(str(path))} ({what}) is {pixels.shape[1]} x {pixels.shape[0]} pixels, its "
            f"annotations say {width} x {height}. `harness prepare` names all such images."
        )
    return pixels


def _read(path: Path, what: str) -> Photograph:
    try:
        with Image.open(path) as file:
            return np.asarray(_upright(file).convert("RGB"))
    except Exception as error:  # Pillow raises many kinds for a damaged file
        why = (isinstance(error, OSError) and error.strerror) or error
        raise DataError(
            f"{printable(str(path))} ({what}) cannot be read: {why}. `harness prepare` names all "
            "images that are missing or damaged, and what fetches those of COCO."
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:  # as detectron2 does, which takes such an image as it lies
        return image
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image
