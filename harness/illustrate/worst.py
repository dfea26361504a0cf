"""Pictures of the images in which two runs differ most, run a beside run b.

Selected are the largest changes in either direction, so no picture is typical of anything; each of
them says so.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from harness.errors import DataError
from harness.evaluation.changes import (
    MATCHING_IOU,
    ImageChange,
    ObjectChange,
    most_changed,
    signed,
)
from harness.illustrate.pair import RunPair
from harness.illustrate.scene import scene_of
from harness.illustrate.side_by_side import LONGEST_IN_FILE_PX, LONGEST_PX, draw_side_by_side
from harness.report.style import STYLE

# Outlines stay clean, and a picture of one of COCO's photographs takes about 100 kB. The method is
# Pillow's default: 6, the slowest, takes longer and saves little.
WEBP = {"quality": 70, "method": 4}
MOST_TOLD = 8  # objects, in the words for those who do not see the picture


@dataclass(frozen=True)
class MaskPicture:
    """A picture of one image, run a on the left and run b on the right.

    Attributes:
        change: what became of the image's objects, which the picture numbers from 1.
        content: of an image file.
        media_type: of `content`.
        width, height: in pixels.
        alt: what there is to see, in words.
        lines: one for each object.
    """

    change: ImageChange
    content: bytes
    media_type: str
    width: int
    height: int
    alt: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class NotDrawn:
    """An image of those with the largest changes that has no picture, and why."""

    change: ImageChange
    why: str


def worst_pictures(pair: RunPair, most: int) -> Iterator[MaskPicture | NotDrawn]:
    """Pictures of the images in which the runs differ most, for a page: WebP, about 1300 px wide.

    An image whose photograph cannot be read takes no picture from the others.

    Args:
        pair: the two runs.
        most: how many images at most; fewer may differ at all.
    """
    return _drawn(pair, most, LONGEST_PX, "WEBP", WEBP)


def page_picture(pair: RunPair, change: ImageChange, rank: int) -> MaskPicture:
    """The picture of one image, for a page.

    Args:
        pair: the two runs.
        change: one of `pair.images`.
        rank: of the image by the size of its change, from 1.

    Raises:
        DataError: the image is missing or damaged.
    """
    figure = draw_side_by_side(scene_of(pair, change), pair, rank, LONGEST_PX)
    return _picture(pair, change, _pixels(figure), "WEBP", WEBP)


def worst_files(pair: RunPair, most: int) -> Iterator[MaskPicture | NotDrawn]:
    """The same as PNG, and larger where the photographs are: up to `LONGEST_IN_FILE_PX`.

    Arguments are those of `worst_pictures`.
    """
    return _drawn(pair, most, LONGEST_IN_FILE_PX, "PNG", {})


def told_not_drawn(images: Sequence[NotDrawn]) -> str:
    """Which images have no picture, as sentences; "" where there are none."""
    if not images:
        return ""
    titles = ", ".join(one.change.title for one in images)
    theirs = "Its photograph is" if len(images) == 1 else "Their photographs are"
    return (
        f"Not drawn: {titles}. {theirs} missing, damaged, or not of the size that annotations say; "
        "`harness prepare` tells which and why."
    )


def selection(pair: RunPair) -> str:
    """How the images of pictures were selected, as sentences."""
    differ = len(most_changed(pair.images, len(pair.images)))
    return (
        f"The images of {pair.split.name} in which the two runs differ most, in either direction: "
        "by the mean over an image's objects of the size of the change in Boundary IoU, where a "
        f"missed object counts 0. An object is missed where no detection reaches mask IoU "
        f"{100 * MATCHING_IOU:.0f} with it, so that one which just crosses this is a large change. "
        f"They differ in {differ:,} of the {len(pair.images):,} images "
        "that have objects. So selected, no image is typical, and they say nothing of which run "
        "is better."
    )


def object_line(number: int, one: ObjectChange) -> str:
    """What became of one object, in words."""
    told = []
    for name, (a, b) in (("mask IoU", one.mask_iou), ("Boundary IoU", one.boundary_iou)):
        told.append(f"{name} {a:.1f} to {b:.1f} ({signed(b - a)})")
    missed = [run for run, found in (("A", one.a), ("B", one.b)) if found is None]
    note = f"; missed by {' and '.join(missed)}" if missed else ""
    return f"{number} {one.category}: {', '.join(told)}{note}"


def _drawn(
    pair: RunPair, most: int, longest_px: int, format: str, options: Mapping[str, int]
) -> Iterator[MaskPicture | NotDrawn]:
    for rank, change in enumerate(most_changed(pair.images, most), start=1):
        try:
            scene = scene_of(pair, change)
        except DataError as error:
            yield NotDrawn(change, str(error))
            continue
        figure = draw_side_by_side(scene, pair, rank, longest_px)
        yield _picture(pair, change, _pixels(figure), format, options)


def _pixels(figure: Figure) -> Image.Image:
    drawn = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(drawn, format="rgba", dpi=figure.dpi)
    size = figure.canvas.get_width_height()
    return Image.frombuffer("RGBA", size, drawn.getvalue()).convert("RGB")


def _picture(
    pair: RunPair, change: ImageChange, image: Image.Image, format: str, options: Mapping[str, int]
) -> MaskPicture:
    content = io.BytesIO()
    image.save(content, format, **options)
    lines = tuple(object_line(number, one) for number, one in enumerate(change.objects, start=1))
    return MaskPicture(
        change=change,
        content=content.getvalue(),
        media_type=Image.MIME[format],
        width=image.width,
        height=image.height,
        alt=_alt(pair, change, lines),
        lines=lines,
    )


def _alt(pair: RunPair, change: ImageChange, lines: Sequence[str]) -> str:
    count = len(change.objects)
    a, b = (sum(one.boundary_iou[run] for one in change.objects) / count for run in (0, 1))
    more = f" And {count - MOST_TOLD} more." if count > MOST_TOLD else ""
    return (
        f"{change.title}: {count} object{'' if count == 1 else 's'}. Predicted masks of "
        f"{pair.names[0]} (A) beside those of {pair.names[1]} (B); mean Boundary IoU {a:.0f} to "
        f"{b:.0f}. {'. '.join(lines[:MOST_TOLD])}.{more}"
    )
