"""Fig. 4: a binary mask and its classical distance image (III-B)."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

from harness.illustrate.examples import Example, drawn_examples
from harness.illustrate.panels import DISTANCE_COLOURS, add_scale, finish, show
from harness.illustrate.rois import Image
from harness.report.style import SINGLE_IN, STYLE

HEIGHT_IN = 2.05


def distance_image(mask: Image) -> Image:
    """Euclidean distance of each pixel to the nearest background pixel, in px, shape (H, W).

    Args:
        mask: 0 or 1, shape (H, W). All around it is background: it fills the box of its object.
    """
    surrounded = np.pad(mask, 1)
    return np.asarray(ndimage.distance_transform_edt(surrounded)[1:-1, 1:-1])


def fig4(example: Example | None = None) -> Figure:
    """(a) a mask; (b) its distance image as a heat map.

    Args:
        example: the object; a drawn shape by default.
    """
    shown = example or drawn_examples()[0]
    distances = distance_image(shown.mask)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(SINGLE_IN, HEIGHT_IN), layout="constrained")
        left, right = panels = figure.subplots(1, 2)
        show(left, shown.mask, 0, 1)
        heat = show(right, distances, 0, float(distances.max()), DISTANCE_COLOURS)
        left.set_title("(a) mask", loc="left", pad=3)
        right.set_title("(b) distance image", loc="left", pad=3)
        add_scale(figure, heat, panels, "distance, px", aspect=25, pad=0.02)
        finish(
            figure,
            f"Mask of {shown.name}, 28×28 px as the mask head learns it, and the Euclidean "
            "distance of each pixel to the nearest background pixel. Around the mask, which fills "
            "its object's box, is background.",
        )
    return figure
