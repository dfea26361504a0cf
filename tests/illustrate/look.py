"""What is wrong with the words in a figure, by the boxes in which they are drawn."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SLACK_PX = 1.0


def drawn_texts(figure: Figure) -> list[Text]:
    """All texts that a drawing puts on the canvas; hidden ticks and empty titles are none."""
    drawn: dict[int, Text] = {}
    draw = Text.draw

    def note(text, renderer, *rest, **options):
        if text.get_visible() and text.get_text().strip():
            drawn[id(text)] = text
        return draw(text, renderer, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        FigureCanvasAgg(figure).draw()
    return list(drawn.values())


def faults(figure: Figure) -> list[str]:
    """Texts that reach out of the figure, and pairs that overlap."""
    texts = drawn_texts(figure)
    boxes = [text.get_window_extent() for text in texts]
    canvas = figure.bbox.padded(SLACK_PX)
    found = [
        f"{text.get_text()!r} leaves the figure"
        for text, box in zip(texts, boxes, strict=True)
        if not _within(box, canvas)
    ]
    pairs = itertools.combinations(zip(texts, boxes, strict=True), 2)
    found += [
        f"{one.get_text()!r} overlaps {other.get_text()!r}"
        for (one, first), (other, second) in pairs
        if first.padded(-SLACK_PX).overlaps(second.padded(-SLACK_PX))
    ]
    return found


def _within(box: Bbox, canvas: Bbox) -> bool:
    return canvas.contains(box.x0, box.y0) and canvas.contains(box.x1, box.y1)


def rendered(figure: Figure) -> list[AxesImage]:
    """The images of all panels, from the top left to the bottom right; colour bars are none."""
    return [image for axes in figure.get_axes() for image in axes.get_images()]


def images_of(figure: Figure) -> list[np.ndarray]:
    """Their pixels, as they were given to the figure."""
    return [np.asarray(image.get_array()) for image in rendered(figure)]


def words_of(figure: Figure) -> str:
    """All that is written in a figure, on one line."""
    return " ".join(text.get_text().replace("\n", " ") for text in drawn_texts(figure))
