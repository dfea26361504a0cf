import numpy as np
import pytest

from harness.illustrate.distance_image import distance_image, fig4
from harness.illustrate.examples import drawn_examples
from tests.illustrate.look import images_of, words_of


def test_a_distance_is_that_to_the_nearest_background_pixel():
    # One background pixel at (0, 0): (3, 2) is √13 from it, and 3 px from the background on the
    # right of a 5x5 mask, so 3 counts.
    mask = np.ones((5, 5))
    mask[0, 0] = 0
    assert distance_image(mask)[0, 0] == 0
    assert distance_image(mask)[1, 1] == pytest.approx(np.sqrt(2))
    assert distance_image(mask)[2, 2] == pytest.approx(np.sqrt(8))


def test_around_a_mask_that_fills_its_box_is_background():
    assert distance_image(np.ones((3, 5))).tolist() == [
        [1, 1, 1, 1, 1],
        [1, 2, 2, 2, 1],
        [1, 1, 1, 1, 1],
    ]


def test_the_figure_shows_a_mask_and_its_distance_image_in_px():
    example = drawn_examples()[2]
    mask, distances = images_of(fig4(example))
    assert np.array_equal(mask, example.mask)
    assert np.array_equal(distances, distance_image(example.mask))
    assert "distance, px" in words_of(fig4(example))
    assert "Mask of drawn ring, 28×28 px" in words_of(fig4(example))
