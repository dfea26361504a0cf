"""What the fields of COCO's two formats may hold, and how a message shows what they do hold."""

import math
from typing import Any

Item = dict[str, Any]  # an image, an annotation, a category or a result
BOX = "[x, y, width, height] in pixels, finite, width and height not negative"


def is_finite(value: object) -> bool:
    """Whether it is a number, and neither NaN nor infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and are_finite([value])


def are_finite(numbers: list[Any]) -> bool:
    """Whether all are finite numbers: their sum tells, much faster than a look at each."""
    try:
        return math.isfinite(sum(numbers))
    except (TypeError, OverflowError):
        return False


def is_box(value: object) -> bool:
    """Whether it is [x, y, width, height]; a side of 0 is allowed, as COCO itself has two."""
    return isinstance(value, list) and len(value) == 4 and are_finite(value) and min(value[2:]) >= 0


def shortened(value: object, width: int = 60) -> str:
    """A value as it stands in a message: its beginning, where it is long."""
    text = repr(value)
    return text if len(text) <= width else f"{text[:width]}..."


def printable(text: str) -> str:
    """Text of a file as a person is shown it: what cannot be printed is a question mark.

    JSON may hold half an emoji, a line end in a name, and what steers a terminal.
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def listed(numbers: list[int], most: int = 10) -> str:
    """The first few, and how many there are."""
    more = f", ... {len(numbers)} in all" if len(numbers) > most else ""
    return ", ".join(map(str, numbers[:most])) + more
