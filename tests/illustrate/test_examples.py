import numpy as np
import pytest

from harness.illustrate.examples import (
    DISPLACED_PX,
    KINDS,
    STAND_INS,
    drawn_examples,
    largest_objects,
    stand_in_response,
)
from harness.illustrate.rois import SIDE
from harness.illustrate.training_images import images_named


def test_drawn_examples_are_masks_that_fill_their_frame():
    examples = drawn_examples()
    assert [example.name for example in examples] == [f"drawn {kind}" for kind in KINDS]
    for example in examples:
        assert example.mask.shape == (SIDE, SIDE)
        assert set(np.unique(example.mask)) == {0.0, 1.0}
        # The sharp tip of a star may cover no pixel of the outermost row.
        rows, columns = (np.flatnonzero(example.mask.any(axis=axis)) for axis in (1, 0))
        for filled in (rows, columns):
            assert filled[0] <= 1
            assert filled[-1] >= SIDE - 2


def test_drawn_examples_are_the_same_ones_always():
    pairs = zip(drawn_examples(), drawn_examples(), strict=True)
    assert all(np.array_equal(one.mask, other.mask) for one, other in pairs)


def test_a_stand_in_response_lies_beside_the_mask_and_is_soft_along_it():
    mask = np.zeros((SIDE, SIDE))
    mask[8:20, 8:20] = 1
    response = stand_in_response(mask)
    assert 0 <= response.min() < 0.01 < 0.99 < response.max() <= 1
    # A square's centre is at 13.5, its response's 0.6 px higher and 0.8 px further right.
    weights = response / response.sum()
    centre = [(np.arange(SIDE) * weights.sum(axis=axis)).sum() for axis in (1, 0)]
    assert centre == pytest.approx([13.5 + DISPLACED_PX[0], 13.5 + DISPLACED_PX[1]], abs=1e-3)
    soft = (response > 0.1) & (response < 0.9)
    assert 3 < soft[14].sum() / 2 < 5  # px on each of two sides of a row


def test_words_say_that_responses_are_no_networks_and_what_they_are():
    assert "not of a trained network" in STAND_INS
    assert "0.8 px right and 0.6 px up" in STAND_INS
    assert "σ = 1.5 px" in STAND_INS


def test_the_example_of_an_image_is_its_largest_object(split, checked):
    images = images_named(split, [14, 30], checked)
    first, second = largest_objects(images, "bitmask")
    # Both stars are the largest of their images.
    assert first.name == "star (largest object of image 14)"
    assert second.name == "star (largest object of image 30)"
    assert first.mask.shape == (SIDE, SIDE)
    share = images[0].objects[0].area / np.prod(
        np.subtract(*np.split(np.array(images[0].objects[0].box), 2))
    )
    assert first.mask.mean() == pytest.approx(share, abs=0.03)


def test_both_mask_formats_show_nearly_the_same_object(split, checked):
    images = images_named(split, [14], checked)
    [drawn], [sampled] = (largest_objects(images, one) for one in ("polygon", "bitmask"))
    assert 0 < (drawn.mask != sampled.mask).mean() < 0.1
