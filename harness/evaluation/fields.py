"""What the fields of COCO's two formats may hold, and how a message shows what they do hold."""

import math
from typing import Any

Item = dict[str, Any]  # an image, an annotation or a result
FIELD = {"segm": "segmentation", "bbox": "bbox"}  # what a task compares
BOX = "[x, y, width, height] in pixels, finite, width and height not negative"


def is_finite(value: object) -> bool:
    """Whether it is a number, and neither NaN nor infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_box(value: object) -> bool:
    """Whether it is [x, y, width, height]."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(is_finite(number) for number in value)
        and min(value[2:]) >= 0
    )


def shortened(value: object, width: int = 60) -> str:
    """A value as it stands in a message: its beginning, where it is long."""
    text = repr(value)
    return text if len(text) <= width else f"{text[:width]}..."
