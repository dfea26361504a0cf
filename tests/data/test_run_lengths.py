import numpy as np
import pytest
from pycocotools import mask as rle

from harness.data.run_lengths import covers, decompressed
from harness.evaluation.run_lengths import DAMAGED, read_masks


def encode(pixels):
    return rle.encode(np.asfortranarray(pixels, np.uint8))["counts"].decode()


def test_run_lengths_are_read_as_written():
    # "0" is 0, "1" is 1 and so on: runs of 1, 2 and 3; then +1 to the run of 2, so 3.
    assert decompressed("1231") == [1, 2, 3, 3]
    # "O" is 0b011111: the 5 bits of -1. Runs 5, 5, 5 and 5 - 1.
    assert decompressed("555O") == [5, 5, 5, 4]


def test_random_masks_cover_their_images_and_no_others():
    rng = np.random.default_rng(0)
    for height, width in rng.integers(1, 60, (200, 2)).tolist():
        mask = encode(rng.random((height, width)) < rng.choice([0, 0.05, 0.5, 1]))
        assert covers(mask, height * width)
        assert not covers(mask, height * width + 1)


def test_a_mask_cut_short_covers_no_image():
    mask = encode(np.eye(40))
    assert not any(covers(mask[:length], 1600) for length in range(len(mask)))


def test_runs_that_add_up_with_a_negative_one_among_them_cover_nothing():
    # Runs 5, 5, 5 and 5 - 6: 14 in all.
    assert decompressed("555J") == [5, 5, 5, -1]
    assert not covers("555J", 14)
    assert not covers([5, 5, 5, -1], 14)


@pytest.mark.parametrize("counts", ["", "1o", "1 1", "1é1", "1231", "555O", "P[2", "123\ud800"])
def test_one_mask_is_counted_as_the_many_of_a_results_file(counts):
    [many] = read_masks([counts]).pixels
    runs = decompressed(counts)
    assert many == (sum(runs) if runs else DAMAGED)
