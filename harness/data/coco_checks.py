"""Whether an annotation file under the name of one of COCO's is that file."""

import hashlib

from harness.data.annotations import Image, Outline, Part
from harness.data.coco import CATEGORY_IDS, CocoFile
from harness.data.findings import first_of

WAY_OUT = "Fetch COCO's own, or give data of your own with --data."


def coco_faults(part: Part, known: CocoFile, outline: Outline) -> tuple[str, ...]:
    """What says that an annotation file is not the one of COCO, a line each.

    The number of images is held against COCO's; ids of minival, and of val2017 which stands in for
    it, against a published list, so that another 5,000 images of val2014 are found. No list is
    known here for the other files: of train2017 as trainval35k, the number is checked, and that no
    image is tested on (`shared_images`).
    """
    file, faults = part.annotations, []
    if len(outline.images) != known.count:
        faults.append(
            f"{file}: lists {len(outline.images):,} images, not {known.count:,}. {WAY_OUT}"
        )
    elif known.image_ids not in (None, hash_of_ids(outline)):
        faults.append(
            f"{file}: its {known.count:,} image ids are not those of COCO's minival, which are "
            f"val2017's: it is another part of COCO under that name. {WAY_OUT}"
        )
    strange = [f"{one} ({name})" for one, name in outline.categories if one not in CATEGORY_IDS]
    if strange:
        faults.append(
            f"{file}: COCO's category ids are {CATEGORY_IDS[0]} to {CATEGORY_IDS[-1]}, and "
            f"{len(strange)} of its {len(outline.categories)} are not, {first_of(strange)}. "
            f"{WAY_OUT}"
        )
    return tuple(faults)


def size_notes(part: Part, known: CocoFile) -> tuple[str, ...]:
    """A line, where the file has another size than COCO's: it was written anew, or cut short."""
    size = part.annotations.stat().st_size
    if known.size in (None, size):
        return ()
    return (f"{size:,} bytes, COCO's own has {known.size:,}: it was written anew, or cut short.",)


def hash_of_ids(outline: Outline) -> str:
    """The sha256 of image ids, rising, in decimal, joined by commas."""
    ids = sorted(image.id for image in outline.images)
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()


def shared_images(one: Part, of_one: Outline, other: Part, of_other: Outline) -> tuple[str, ...]:
    """A line, where an image stands in both of two files of COCO, whose ids are one series."""
    ids = {image.id for image in of_one.images}
    shared: list[Image] = [image for image in of_other.images if image.id in ids]
    if not shared:
        return ()
    return (
        f"{other.annotations}: {len(shared):,} of its images are in {one.annotations.name} too, "
        f"{first_of([str(image.id) for image in shared])}. No image may be in both. {WAY_OUT}",
    )
