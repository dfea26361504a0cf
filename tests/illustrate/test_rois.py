import numpy as np
import pytest
import torch

from harness.illustrate.rois import SIDE, bitmask_of, roi_of_bitmask, roi_of_polygons

L_SHAPE = [[10.0, 20.0, 40.0, 20.0, 40.0, 35.5, 22.0, 35.5, 22.0, 80.0, 10.0, 80.0]]
TWO_PARTS = [[5.0, 5.0, 30.0, 8.0, 20.0, 40.0], [50.0, 50.0, 70.0, 52.0, 66.0, 90.0]]
CASES = [(L_SHAPE, (10.0, 20.0, 40.0, 80.0)), (TWO_PARTS, (5.0, 5.0, 70.0, 90.0))]
HEIGHT, WIDTH = 100, 80


@pytest.mark.parametrize(("polygons", "box"), CASES)
def test_polygons_are_cut_to_their_box_as_detectron2_does(polygons, box):
    from detectron2.structures import PolygonMasks

    theirs = PolygonMasks([polygons]).crop_and_resize(torch.tensor([box]), SIDE)[0].numpy()
    assert np.array_equal(roi_of_polygons(polygons, box), theirs)


@pytest.mark.parametrize(("polygons", "box"), CASES)
def test_a_bitmask_is_cut_to_its_box_as_detectron2_does(polygons, box):
    from detectron2.structures import BitMasks

    mask = bitmask_of(polygons, HEIGHT, WIDTH)
    theirs = BitMasks(mask[None]).crop_and_resize(torch.tensor([box]), SIDE)[0].numpy()
    assert np.array_equal(roi_of_bitmask(mask, box), theirs)


def test_run_lengths_are_a_mask_whether_packed_or_not():
    # Down the columns of a 2x3 image: 1 pixel off, 3 on, 2 off.
    expected = [[0, 1, 0], [1, 1, 0]]
    assert bitmask_of({"size": [2, 3], "counts": [1, 3, 2]}, 2, 3).astype(int).tolist() == expected
    assert bitmask_of({"size": [2, 3], "counts": "132"}, 2, 3).astype(int).tolist() == expected
