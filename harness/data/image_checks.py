"""Whether images, and their stuff maps, are there, whole, and of the size that annotations say."""

import os
from collections.abc import Sequence
from pathlib import Path

from harness.data.annotations import Image, Outline, Part
from harness.data.findings import Finding, first_of
from harness.data.image_files import ImageFile, Look, look_at, read_image_file, read_stuff_map
from harness.data.progress import Progress, unheard
from harness.data.stuff_maps import MODE, stuff_map_of
from harness.paths import CheckedData


def examine_images(
    part: Part, outline: Outline, checked: CheckedData, progress: Progress = unheard
) -> Finding:
    """Whether each image that the annotations list can be trained on; lacks those that cannot.

    Args:
        part: annotations and images.
        outline: of the annotations.
        checked: where it is remembered of files.
        progress: as of `look_at`.
    """
    names = [image.file_name for image in outline.images]
    look = look_at(part.images, names, checked, read_image_file, progress)
    faults = _unreadable(part.images, look)
    if look.missing:
        faults.append(
            f"{part.annotations}: {len(look.missing):,} of its {len(names):,} images are missing "
            f"in {part.images}, {first_of(look.missing)}. Copy them there, or remove them and "
            "their annotations."
        )
    files = [(image, look.whole.get(image.file_name)) for image in outline.images]
    others = [(image, file) for image, file in files if file and not _fits(image, file)]
    if others:
        image, file = others[0]
        faults.append(
            f"{part.annotations}: image {image.id} is {_size(image)} px, its file "
            f"{part.images / image.file_name} {_size(file)} (width x height){_more(others)}. Masks "
            "would not lie on their objects: correct the annotations, or copy the file again."
        )
    wrong = [*look.unreadable, *look.missing, *(image.file_name for image, _ in others)]
    return Finding(str(part.images), f"{len(names):,} images", tuple(faults), lacks=tuple(wrong))


def examine_stuff_maps(
    part: Part, outline: Outline, checked: CheckedData, progress: Progress = unheard
) -> Finding:
    """Whether each image has a stuff map that a semantic branch can learn from.

    Args:
        part: annotations and images.
        outline: of the annotations.
        checked: where it is remembered of files.
        progress: as of `look_at`.
    """
    folder = stuff_map_of(part.images / "any").parent
    names = [
        os.path.relpath(stuff_map_of(part.images / image.file_name), folder)
        for image in outline.images
    ]
    look = look_at(folder, names, checked, read_stuff_map, progress)
    faults = _unreadable(folder, look)
    if look.missing:
        faults.append(
            f"{folder}: {len(look.missing):,} of {len(names):,} stuff maps are missing, "
            f"{first_of(look.missing)}. Each image that HTC trains on needs one: unpack "
            "COCO-stuff's there."
        )
    pairs = zip(outline.images, names, strict=True)
    maps = [(image, name, look.whole[name]) for image, name in pairs if name in look.whole]
    deep = [(name, file) for _, name, file in maps if file.mode != MODE]
    if deep:
        name, file = deep[0]
        faults.append(
            f"{folder / name}: a stuff map has one channel of 8 bits (Pillow's mode "
            f"{MODE}), this file has mode {file.mode}{_more(deep)}. Export it as grey, a "
            "pixel's class as its value."
        )
    others = [(image, name, file) for image, name, file in maps if not _fits(image, file)]
    if others:
        image, name, file = others[0]
        faults.append(
            f"{folder / name}: the stuff map is {_size(file)} px, its image {image.file_name} "
            f"{_size(image)} (width x height){_more(others)}. Export it at the size of the image."
        )
    return Finding(str(folder), f"{len(names):,} stuff maps", tuple(faults))


def _unreadable(folder: Path, look: Look) -> list[str]:
    wrong = list(look.unreadable.items())
    if not wrong:
        return []
    name, reason = wrong[0]
    return [f"{folder / name}: {reason}{_more(wrong)}. Copy or fetch it again."]


def _fits(image: Image, file: ImageFile) -> bool:
    return (image.width, image.height) == (file.width, file.height)


def _size(one: Image | ImageFile) -> str:
    return f"{one.width}x{one.height}"


def _more(wrong: Sequence[object]) -> str:
    others = len(wrong) - 1
    if not others:
        return ""
    return f" ({others:,} more {'file is' if others == 1 else 'files are'} wrong like it)"
