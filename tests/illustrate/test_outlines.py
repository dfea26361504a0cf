"""Outlines run where masks end, and the furthest place is where a ruler would find it."""

import numpy as np
import pytest
from scipy.spatial.distance import directed_hausdorff

from harness.illustrate.outlines import furthest_apart, outline

approx = pytest.approx


def box(x, y, width, height, size=(30, 40)):
    pixels = np.zeros(size, bool)
    pixels[y : y + height, x : x + width] = True
    return pixels


def test_an_outline_runs_along_the_edges_of_pixels():
    # Pixels 10 to 14 across and 5 to 7 down, whose centres are whole numbers: their edges lie at
    # 9.5 and 14.5, 4.5 and 7.5.
    ((*points,),) = outline(box(10, 5, 5, 3))
    x, y = np.transpose(points)
    assert (x.min(), x.max(), y.min(), y.max()) == (9.5, 14.5, 4.5, 7.5)
    assert tuple(points[0]) == tuple(points[-1])


def test_an_outline_is_closed_at_the_border_of_the_image():
    (points,) = outline(np.ones((3, 4), bool))
    assert points.min(axis=0).tolist() == [-0.5, -0.5]
    assert points.max(axis=0).tolist() == [3.5, 2.5]


def test_each_part_and_each_hole_has_a_line():
    pixels = box(5, 5, 10, 10) | box(20, 5, 5, 5)
    pixels[8:11, 8:11] = False
    assert len(outline(pixels)) == 3


def test_an_empty_mask_has_no_outline():
    assert len(outline(np.zeros((3, 4), bool))) == 0


def test_the_furthest_place_is_the_tip_of_a_bulge_and_outward_is_away_from_the_other():
    # The second mask is the first with a bump of 4 pixels to its right, at row 15: its end, at
    # x = 20 + 4 - 0.5 = 23.5, is 4 px from the edge of the first at 19.5.
    one = box(10, 10, 10, 10)
    found = furthest_apart(outline(one), outline(one | box(20, 15, 4, 1)))
    assert (found.x, found.y, found.distance) == approx((23.5, 15, 4))
    assert found.outward == approx((1, 0))


def test_the_furthest_place_may_be_on_either_outline():
    one, other = outline(box(10, 10, 10, 10)), outline(box(10, 10, 10, 4))
    there, back = furthest_apart(one, other), furthest_apart(other, one)
    # From the lower edge at 19.5 up to that of the other at 13.5.
    assert there == back
    assert (there.y, there.distance) == approx((19.5, 6))


def test_equal_outlines_are_nowhere_apart():
    lines = outline(box(10, 10, 10, 10))
    assert furthest_apart(lines, lines).distance == 0


def test_the_distance_is_that_of_hausdorff_on_random_masks():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = (outline(rng.random((20, 20)) < 0.3) for _ in range(2))
        a, b = np.concatenate(one), np.concatenate(other)
        expected = max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0])
        assert furthest_apart(one, other).distance == approx(expected)
