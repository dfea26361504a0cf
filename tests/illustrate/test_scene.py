"""What there is to draw of an image."""

import numpy as np
import pytest
from PIL import Image

from harness.errors import DataError
from harness.illustrate.pair import read_pair
from harness.illustrate.scene import change_of, scene_of
from tests.illustrate.two_runs import TwoRuns, detection


@pytest.fixture
def two(tmp_path):
    return TwoRuns(tmp_path)


def pair_of(two):
    return read_pair(two.spec("baseline"), two.spec("k=2"), ("A", "B"), two.place.runs)


def scene(two, image_id):
    pair = pair_of(two)
    return scene_of(pair, change_of(pair, image_id))


def test_the_arrow_is_where_the_outlines_are_furthest_apart(two):
    # From x = 10 to columns 16 and 18 of 20: right edges at 25.5 and 27.5, 2 px apart. Both are as
    # far from each other; the arrow takes the first run's.
    found = scene(two, 2)
    (arrow,) = found.arrows
    assert (arrow.x, arrow.distance) == (25.5, 2)
    assert arrow.outward == (-1, 0)
    right = [max(lines[0][:, 0]) for lines in (*found.truth.values(), found.seen[0].objects[1])]
    assert right == [29.5, 25.5]


def test_where_one_run_misses_an_object_there_is_no_arrow(two):
    found = scene(two, 3)
    assert (list(found.seen[0].objects), list(found.seen[1].objects)) == ([], [1])
    assert found.arrows == []


def test_of_detections_matched_with_none_the_sure_ones_are_drawn(two):
    others = [detection(4, (40, 2, 9, 9), 0.49), detection(4, (2, 2, 9, 9), 0.5)]
    two.predict("k=2", others)
    (lines,) = scene(two, 4).seen[1].others
    assert lines[0].min(axis=0).tolist() == [1.5, 1.5]


def test_a_photograph_is_turned_as_exif_says(two):
    # Orientation 6 is a quarter turn to the right: the white upper half comes to the right.
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[:30] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = two.data / "val" / "1.png"
    Image.fromarray(pixels).save(path, exif=exif)
    photograph = scene(two, 1).photograph
    assert photograph.shape == (40, 60, 3)
    assert photograph[0, [0, 59], 0].tolist() == [0, 255]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (None, r"1\.png \(image 1 of own_val\) cannot be read: No such file"),
        ((40, 60), "is 40 x 60 pixels, its annotations say 60 x 40. `harn"),
    ],
)
def test_an_image_that_is_gone_or_of_another_size_is_named(two, size, message):
    path = two.data / "val" / "1.png"
    path.unlink()
    if size:
        Image.new("RGB", size).save(path)
    with pytest.raises(DataError, match=message):
        scene(two, 1)


def test_an_image_that_does_not_exist_is_told_with_those_that_do(two):
    with pytest.raises(DataError, match=r"Unknown image 9: .*val.json lists the ids 1, 2, 3, 4.$"):
        change_of(pair_of(two), 9)
