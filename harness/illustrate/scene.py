"""What there is to draw of one image of two runs: its photograph, outlines and arrows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.data.fields import Item, listed
from harness.errors import DataError
from harness.evaluation.changes import ImageChange, file_name_of
from harness.evaluation.objects import objects_of, places
from harness.evaluation.run_lengths import pixels_of, read_masks
from harness.illustrate.outlines import Apart, Outline, furthest_apart, outline
from harness.illustrate.pair import RunPair
from harness.illustrate.photographs import Photograph, read_photograph

SURE = 0.5  # the score from which a detection is drawn that is matched with no object
MOST_ARROWS = 3  # in an image
LEAST_APART_PX = 1.0  # of outlines, for an arrow


@dataclass(frozen=True)
class Seen:
    """What one run saw in an image.

    Attributes:
        objects: the outline of the detection matched with each object, by the object's number;
            those missed are left out.
        others: outlines of the detections of score `SURE` or more that are matched with none.
    """

    objects: Mapping[int, Outline]
    others: Sequence[Outline]


@dataclass(frozen=True)
class Scene:
    """One image of two runs.

    Attributes:
        photograph: as large as the annotations say.
        change: what became of its objects. Numbers are their places there, from 1.
        truth: the outline of each object, by its number.
        seen: what each run saw.
        arrows: where outlines of an object that both found are furthest apart, the largest
            distance first, `MOST_ARROWS` at most.
    """

    photograph: Photograph
    change: ImageChange
    truth: Mapping[int, Outline]
    seen: tuple[Seen, Seen]
    arrows: Sequence[Apart]


def scene_of(pair: RunPair, change: ImageChange) -> Scene:
    """What there is to draw of an image.

    Args:
        pair: the two runs.
        change: one of `pair.images`, or that of an image without objects.

    Raises:
        DataError: its file is missing, damaged, or not of the size that the annotations say.
    """
    image = next(one for one in pair.ground_truth["images"] if one["id"] == change.image_id)
    a, b = (_seen(pair, change, run, image) for run in (0, 1))
    return Scene(
        photograph=_photograph(pair, image),
        change=change,
        truth=_truth(pair, change, image),
        seen=(a, b),
        arrows=_arrows(a, b),
    )


def change_of(pair: RunPair, image_id: int) -> ImageChange:
    """What became of the objects of an image that a person named; it may have none.

    Raises:
        DataError: there is no such image.
    """
    known = {image["id"]: image for image in pair.ground_truth["images"]}
    if image_id not in known:
        raise DataError(
            f"Unknown image {image_id}: {pair.split.where} lists the ids {listed(sorted(known))}."
        )
    found = {one.image_id: one for one in pair.images}
    return found.get(image_id) or ImageChange(image_id, file_name_of(known[image_id]), ())


def _seen(pair: RunPair, change: ImageChange, run: int, image: Item) -> Seen:
    results = pair.results[run]
    numbers = {
        found.position: number
        for number, one in enumerate(change.objects, start=1)
        if (found := (one.a, one.b)[run])
    }
    here = [
        position
        for position, result in enumerate(results)
        if result["image_id"] == image["id"] and (position in numbers or result["score"] >= SURE)
    ]
    masks = read_masks([results[position]["segmentation"]["counts"] for position in here])
    outlines = {
        position: outline(pixels_of(masks, place, image["height"], image["width"]))
        for place, position in enumerate(here)
    }
    return Seen(
        {numbers[position]: lines for position, lines in outlines.items() if position in numbers},
        [lines for position, lines in outlines.items() if position not in numbers],
    )


def _truth(pair: RunPair, change: ImageChange, image: Item) -> Mapping[int, Outline]:
    annotations = [pair.ground_truth["annotations"][one.position] for one in change.objects]
    alone = pair.ground_truth | {"images": [image], "annotations": annotations}
    objects = objects_of(alone, places(alone), "segm")
    return {
        int(position) + 1: outline(pixels_of(objects.spans, row, image["height"], image["width"]))
        for row, position in enumerate(objects.position)
    }


def _arrows(a: Seen, b: Seen) -> Sequence[Apart]:
    both = sorted(a.objects.keys() & b.objects.keys())
    apart = [furthest_apart(a.objects[number], b.objects[number]) for number in both]
    return _largest(one for one in apart if one.distance > LEAST_APART_PX)


def _largest(apart: Iterable[Apart]) -> Sequence[Apart]:
    return sorted(apart, key=lambda one: -one.distance)[:MOST_ARROWS]


def _photograph(pair: RunPair, image: Item) -> Photograph:
    what = f"image {image['id']} of {pair.split.name}"
    if not isinstance(image.get("file_name"), str):
        raise DataError(f"{pair.split.where}: {what} has no file_name, so it cannot be drawn.")
    path = pair.split.parts[0].images / image["file_name"]
    return read_photograph(path, what, image["width"], image["height"])
