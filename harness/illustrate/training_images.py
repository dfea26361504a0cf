"""Images that runs train on, with their objects: those named, or typical ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.data.annotations import Part, read_annotations
from harness.data.fields import printable
from harness.data.outline import outline_of
from harness.data.splits import Split
from harness.errors import DataError
from harness.illustrate.rois import Box
from harness.paths import CheckedData

NAMED_AS_EXAMPLES = 5  # ids, where one is unknown

# What makes an image typical: several objects, each large enough to be seen in print.
FEWEST_OBJECTS, MOST_OBJECTS = 2, 8
SMALLEST_SHARE = 0.01  # of the image's area
TYPICAL = (
    f"with {FEWEST_OBJECTS} to {MOST_OBJECTS} objects, all of them polygons of at least "
    f"{SMALLEST_SHARE:.0%} of the image, and no crowd"
)

Content = Mapping[str, Any]  # one image or annotation, as COCO writes it


@dataclass(frozen=True)
class TrainingObject:
    """An object that is no crowd.

    Attributes:
        category: its name, as people are shown it.
        segmentation: polygons or an RLE mask, as COCO writes them.
        box: of its annotation.
        area: of its mask, in px.
    """

    category: str
    segmentation: Any
    box: Box
    area: float


@dataclass(frozen=True)
class TrainingImage:
    """An image with its objects, the largest first.

    Attributes:
        id: in its annotation file.
        file: with the pixels.
        width: in px.
        height: in px.
        objects: those that are no crowd.
        crowds: how many others there are; runs do not train on them.
    """

    id: int
    file: Path
    width: int
    height: int
    objects: tuple[TrainingObject, ...]
    crowds: int = 0


def images_named(
    split: Split, image_ids: Sequence[int], checked: CheckedData
) -> tuple[TrainingImage, ...]:
    """The images with these ids, in this order.

    Args:
        split: that they are of.
        image_ids: as its annotation files have them.
        checked: where it is remembered of annotations that passed their checks.

    Raises:
        DataError: an id is unknown, an image has no object that is no crowd, or the annotations
            cannot be used; says why.
    """
    found: dict[int, TrainingImage] = {}
    known: list[int] = []
    for part in split.parts:
        for image in _images(part, checked, image_ids):
            found[image.id] = image
        known += [image.id for image in outline_of(part, checked).images]
    for image_id in image_ids:
        if image_id not in found:
            raise DataError(_unknown_image(image_id, split, known))
        if not found[image_id].objects:
            raise DataError(
                f"Image {image_id} of {split.where} has no object that is no crowd, so there is "
                "nothing to show of it. Name another image."
            )
    return tuple(found[image_id] for image_id in image_ids)


def typical_images(split: Split, count: int, checked: CheckedData) -> tuple[TrainingImage, ...]:
    """The first images that are `TYPICAL`, in the order of their file; at most `count`.

    Args:
        split: that they are of.
        count: at least 1.
        checked: as for `images_named`.

    Raises:
        DataError: there is none, or the annotations cannot be used; says why.
    """
    images = (image for part in split.parts for image in _images(part, checked))
    found = tuple(islice(filter(_is_typical, images), count))
    if not found:
        raise DataError(
            f"{split.where} has no image {TYPICAL}. Name images to show with --images ID."
        )
    return found


def _is_typical(image: TrainingImage) -> bool:
    least = SMALLEST_SHARE * image.width * image.height
    return (
        not image.crowds
        and FEWEST_OBJECTS <= len(image.objects) <= MOST_OBJECTS
        and all(isinstance(one.segmentation, list) and one.area >= least for one in image.objects)
    )


def _images(
    part: Part, checked: CheckedData, only: Iterable[int] | None = None
) -> Iterator[TrainingImage]:
    outline_of(part, checked)  # so that every key below is there
    content = read_annotations(part.annotations)
    names = {category["id"]: printable(str(category["name"])) for category in content["categories"]}
    annotations: dict[int, list[Content]] = defaultdict(list)
    for annotation in content["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    wanted = None if only is None else set(only)
    for image in content["images"]:
        if wanted is None or image["id"] in wanted:
            yield _image(part.images, image, annotations[image["id"]], names)


def _image(
    folder: Path, image: Content, annotations: Sequence[Content], names: Mapping[int, str]
) -> TrainingImage:
    objects = [_object(one, names) for one in annotations if not one["iscrowd"]]
    return TrainingImage(
        id=image["id"],
        file=folder / image["file_name"],
        width=image["width"],
        height=image["height"],
        objects=tuple(sorted(objects, key=lambda one: -one.area)),
        crowds=len(annotations) - len(objects),
    )


def _object(annotation: Content, names: Mapping[int, str]) -> TrainingObject:
    left, top, width, height = annotation["bbox"]
    return TrainingObject(
        category=names[annotation["category_id"]],
        segmentation=annotation["segmentation"],
        box=(left, top, left + width, top + height),
        area=annotation["area"],
    )


def _unknown_image(image_id: int, split: Split, known: Sequence[int]) -> str:
    some = ", ".join(map(str, known[:NAMED_AS_EXAMPLES]))
    rest = ", ..." if len(known) > NAMED_AS_EXAMPLES else ""
    return (
        f"Unknown image {image_id}: {split.where} does not list it. It lists {len(known):,} "
        f"images, among them: {some}{rest}"
    )
