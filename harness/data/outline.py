"""The outlines of annotation files that passed their checks, remembered by their sha256.

To read train2017's JSON and check its 860,000 annotations takes most of a minute; to hash it, a
second or two. So annotations are checked once, and again only when a byte of them has changed.
"""

import json
from contextlib import suppress
from dataclasses import astuple

from harness.data.annotations import Image, Outline, Part, annotations_hash, check_annotations
from harness.errors import ResultsError
from harness.files import read_json, write_text
from harness.paths import CheckedData

CHECKS = 2  # of annotations; raised when they ask for more, so that all are checked again


def outline_of(part: Part, checked: CheckedData) -> Outline:
    """The outline of annotations that pass `check_annotations`, now or before.

    Args:
        part: the annotations.
        checked: where it is remembered.

    Raises:
        DataError: they do not pass.
    """
    digest = annotations_hash(part.annotations)
    file = checked.annotations(part.annotations.stem, digest)
    # None yet, damaged, or of another version.
    with suppress(ResultsError, TypeError, KeyError, ValueError):
        remembered = read_json(file, "It is made again.")
        if (remembered["sha256"], remembered["checks"]) == (digest, CHECKS):
            return _outline(**remembered["outline"])
    outline = check_annotations(part)
    content = vars(outline) | {"images": [astuple(image) for image in outline.images]}
    known = {"sha256": digest, "checks": CHECKS, "outline": content}
    write_text(file, json.dumps(known))
    return outline


def _outline(
    categories: list[list[object]], images: list[list[object]], annotations: int, objects: int
) -> Outline:
    return Outline(
        tuple((int(str(one)), str(name)) for one, name in categories),
        tuple(Image(*image) for image in images),  # type: ignore[arg-type]
        annotations,
        objects,
    )
