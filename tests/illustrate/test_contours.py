"""What is drawn lies where it should, pixel by pixel."""

import io

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from harness.evaluation.changes import ImageChange
from harness.illustrate.contours import (
    draw_arrows,
    draw_seen,
    show_photograph,
    tail,
)
from harness.illustrate.outlines import Apart, outline
from harness.illustrate.panels import drawable
from harness.illustrate.scene import Scene, Seen

ENLARGED = 10  # px of the drawing for a pixel of the image


def drawn(draw, photograph):
    """The drawing on axes that are exactly the photograph, as floats of shape (h, w, 3)."""
    height, width = photograph.shape[:2]
    figure = Figure(figsize=(width * ENLARGED / 100, height * ENLARGED / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    show_photograph(axes, photograph, (width, height))
    draw(axes)
    content = io.BytesIO()
    with matplotlib.rc_context({"savefig.dpi": 100}):
        figure.savefig(content, format="rgba")
    pixels = np.frombuffer(content.getvalue(), np.uint8)
    return pixels.reshape(height * ENLARGED, width * ENLARGED, 4)[..., :3].astype(float)


def test_a_photograph_fills_its_axes_pixel_by_pixel():
    photograph = np.random.default_rng(0).integers(0, 255, (6, 9, 3)).astype(np.uint8)
    found = drawn(lambda axes: None, photograph)
    expected = photograph.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    assert np.abs(found - expected).max() <= 1


def test_an_outline_lies_on_the_edge_of_its_mask_and_nowhere_else():
    # The mask's pixels are white in the photograph: columns 4 to 8, rows 3 to 6, so in the drawing
    # 40 to 90 and 30 to 70. A line of 1.44 points is 2 px wide, with its halo 3: all that differs
    # from the photograph lies within 2 px of that rectangle, and all of its sides are covered.
    mask = np.zeros((10, 14), bool)
    mask[3:7, 4:9] = True
    photograph = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    seen = Seen({1: outline(mask)}, ())
    plain, found = (
        drawn(draw, photograph)
        for draw in (lambda axes: None, lambda axes: draw_seen(axes, seen, 1.44))
    )
    rows, columns = np.nonzero(np.abs(found - plain).sum(axis=2) > 30)
    assert (columns.min(), rows.min()) == pytest.approx((40, 30), abs=2.5)
    assert (columns.max(), rows.max()) == pytest.approx((89, 69), abs=2.5)
    inside = np.zeros(plain.shape[:2], bool)
    inside[rows, columns] = True
    # But for the corners, which marching squares cut off by half a pixel.
    assert inside[36:64, 38:42].any(axis=1).all()
    assert inside[36:64, 88:92].any(axis=1).all()
    assert not inside[36:64, 46:84].any()


def test_an_arrow_comes_from_outside_of_the_bulge_where_that_is_in_the_image():
    place = Apart(50, 50, (1.0, 0.0), 4)
    assert tail(place, (100, 100), 20) == pytest.approx((20, 0))


def test_an_arrow_at_the_border_turns_until_it_is_within_the_image():
    # Outward is right, where 10 px are left for an arrow of 20. In steps of 22.5 degrees: at 67.5
    # it ends 20 cos = 7.7 px to the right, at 45 it would be 14.1.
    dx, dy = tail(Apart(89.5, 50, (1.0, 0.0), 4), (100, 100), 20)
    assert (dx, abs(dy)) == pytest.approx((7.65, 18.48), abs=0.01)


def test_an_arrow_longer_than_the_image_leaves_it_as_little_as_can_be():
    dx, dy = tail(Apart(5, 50, (1.0, 0.0), 4), (10, 100), 20)
    assert (dx, abs(dy)) == pytest.approx((0, 20), abs=1e-9)


def test_an_arrow_points_at_its_place_in_the_drawing():
    # To (10, 10) from the right: its tip is 0.15 of its length away, all of it right of the place.
    photograph = np.zeros((20, 40, 3), np.uint8)
    scene = Scene(
        photograph,
        ImageChange(1, "1.png", ()),
        {},
        (Seen({}, ()), Seen({}, ())),
        [Apart(10, 10, (1.0, 0.0), 3)],
    )
    found = drawn(lambda axes: draw_arrows(axes, scene, 72), photograph)
    red = (found[..., 0] > 150) & (found[..., 2] < 60)
    rows, columns = np.nonzero(red)
    # 72 points are 100 px, so 15 px from the centre of pixel 10, at 105.
    assert columns.min() == pytest.approx(120, abs=6)
    assert columns.max() == pytest.approx(205, abs=3)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(105, abs=1)
    tip = rows[columns < 130]
    assert tip.mean() == pytest.approx(105, abs=1)


def test_letters_that_the_font_lacks_become_boxes():
    assert drawable("k=2 · 人 é\nβ") == "k=2 · □ é\nβ"
