"""What can be wrong with the mask of an annotation: RLE or polygons."""

import math

from harness.data.fields import Item, are_finite, shortened
from harness.data.run_lengths import covers
from harness.errors import DataError

Size = list[int]  # height, width, as in an RLE mask
FARTHEST = 1_000_000  # pixels; pycocotools walks along a polygon pixel by pixel, without an end


def check_mask(where: str, segmentation: object, image_size: Size) -> None:
    """Pass if `segmentation` is an RLE mask of the image's size, or polygons.

    Args:
        where: the annotation, as the message shall name it.
        segmentation: of the annotation.
        image_size: height and width of its image.

    Raises:
        DataError: it is none; says what is wrong, and the way out.
    """
    if isinstance(segmentation, dict):
        _check_rle(where, segmentation, image_size)
    elif isinstance(segmentation, list) and segmentation:
        for number, polygon in enumerate(segmentation, start=1):
            _check_polygon(f"{where}: polygon {number} of its segmentation", polygon)
    else:
        raise DataError(
            f"{where}: segmentation is {shortened(segmentation)}. It is an RLE mask or a list of "
            "polygons, one or more; draw the mask, or remove the annotation."
        )


def _check_rle(where: str, rle: Item, image_size: Size) -> None:
    size, counts = rle.get("size"), rle.get("counts")
    if size != image_size:
        raise DataError(
            f"{where}: its RLE mask has size {size!r}, its image {image_size} (height, width). "
            "They must agree; export the mask at the size of the image."
        )
    pixels = math.prod(image_size)
    if not covers(counts, pixels):
        raise DataError(
            f"{where}: the counts of its RLE mask are damaged or cut short. They are run lengths "
            f"of 0 or more, as a list or compressed, that add up to the {pixels} pixels of its "
            "image; export the mask again."
        )


def _check_polygon(where: str, polygon: object) -> None:
    way_out = "Correct it, or remove it (the whole annotation, if it is its only polygon)."
    if not isinstance(polygon, list) or not are_finite(polygon):
        raise DataError(f"{where} is not a list [x1, y1, x2, y2, ...] of finite numbers. {way_out}")
    if len(polygon) % 2:
        raise DataError(
            f"{where} has {len(polygon)} coordinates, an odd number; every point has an x and "
            f"a y. {way_out}"
        )
    if len(polygon) < 6:
        raise DataError(
            f"{where} has {len(polygon) // 2} points; an area needs 3 or more. {way_out}"
        )
    if max(polygon) > FARTHEST or min(polygon) < -FARTHEST:
        raise DataError(
            f"{where} has the coordinate {max(polygon, key=abs)!r}. They are pixels, between "
            f"-{FARTHEST:,} and {FARTHEST:,}. {way_out}"
        )
