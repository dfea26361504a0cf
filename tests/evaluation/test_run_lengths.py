import numpy as np
import pytest
from pycocotools import mask as rle

from harness.evaluation.run_lengths import DAMAGED, pixels_of, read_masks


def count_pixels(masks):
    return read_masks(masks).pixels


def encode(pixels):
    return rle.encode(np.asfortranarray(pixels, np.uint8))["counts"].decode()


def test_run_lengths_are_read_as_written():
    # "0" is 0, "1" is 1 and so on: runs of 1, 2 and 3; then +1 to the run of 2, so 3. In all 9.
    assert count_pixels(["1231"]).tolist() == [9]


def test_a_difference_counts_in_every_second_run_after_it():
    # Runs 1, 1, 1, then +2, +0, +0, +0 over runs 1 to 4: 1, 1, 1, 3, 1, 3, 1. In all 11.
    assert count_pixels(["1112000"]).tolist() == [11]


def test_differences_may_be_negative():
    # "O" is 0b011111: the 5 bits of -1. Runs 5, 5, 5 and 5 - 1. In all 19.
    assert count_pixels(["555O"]).tolist() == [19]


def test_random_masks_add_up_to_their_images():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 60, (500, 2))
    masks = [encode(rng.random(size) < rng.choice([0, 0.05, 0.5, 1])) for size in sizes]
    assert count_pixels(masks).tolist() == sizes.prod(axis=1).tolist()


def test_runs_longer_than_an_ordinary_image_are_read():
    pixels = np.zeros((4000, 5000))
    pixels[-1, -1] = 1
    assert count_pixels([encode(pixels)]).tolist() == [20_000_000]


def test_a_mask_cut_short_does_not_add_up():
    mask = encode(np.eye(40))
    counted = count_pixels([mask[:length] for length in range(len(mask))])
    assert (counted != 1600).all()


@pytest.mark.parametrize("counts", ["", "1o", "ooooooo0", "1 1", "1é1", "1\ud8001"])
def test_what_is_no_sequence_of_numbers_is_damaged(counts):
    # "o" says that the number goes on; a number of 8 characters is longer than any image.
    assert count_pixels(["11", counts, "12"]).tolist() == [2, DAMAGED, 3]


def test_a_run_below_0_is_damaged():
    # Runs 1, 1, 1, then -2 over run 1. They would add up to 2.
    assert count_pixels(["111N"]).tolist() == [DAMAGED]


def test_spans_are_where_pixels_are_set():
    rng = np.random.default_rng(1)
    drawn = [rng.random(size) < 0.5 for size in rng.integers(1, 30, (50, 2))]
    found = read_masks([encode(pixels) for pixels in drawn])
    for mask, pixels in enumerate(drawn):
        read = np.zeros(pixels.size, bool)
        for span in range(found.first[mask], found.first[mask + 1]):
            read[found.starts[span] : found.ends[span]] = True
        assert (read == pixels.ravel(order="F")).all()
    assert found.areas.tolist() == [pixels.sum() for pixels in drawn]


def test_runs_with_nothing_between_them_are_one_span():
    # Leave 1, set 2, leave 0, set 3, leave 1; the fourth and fifth as 3 - 2 and 1 - 0.
    found = read_masks(["12011"])
    assert list(zip(found.starts, found.ends, strict=True)) == [(1, 6)]


def test_no_masks_are_no_counts():
    assert count_pixels([]).tolist() == []


def test_pixels_are_those_that_pycocotools_draws():
    rng = np.random.default_rng(0)
    drawn = [rng.random((7, 11)) < part for part in (0, 0.3, 0.7, 1)]
    spans = read_masks([encode(one) for one in drawn])
    for place, expected in enumerate(drawn):
        assert (pixels_of(spans, place, 7, 11) == expected).all()
