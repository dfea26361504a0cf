"""Photographs are read as detectron2 reads them."""

import numpy as np
import pytest
from PIL import Image

from harness.errors import DataError
from harness.illustrate.photographs import read_photograph

LIES = [[1, 2, 3], [4, 5, 6]]  # grey values, as the file has them
QUARTER = [[4, 1], [5, 2], [6, 3]]  # turned to the right


def saved(path, exif):
    Image.fromarray(np.array(LIES, np.uint8)).save(path, exif=exif)
    return path


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize(
    ("value", "upright"),
    [
        (1, LIES),
        (2, [[3, 2, 1], [6, 5, 4]]),
        (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]),
        (5, [[1, 4], [2, 5], [3, 6]]),
        (6, QUARTER),
        (7, [[6, 3], [5, 2], [4, 1]]),
        (8, [[3, 6], [2, 5], [1, 4]]),
        (9, LIES),  # there is none
    ],
)
def test_a_photograph_stands_upright_as_exif_says(tmp_path, value, upright):
    height, width = np.shape(upright)
    path = saved(tmp_path / "1.png", orientation(value))
    pixels = read_photograph(path, "image 1", width, height)
    assert pixels.shape == (height, width, 3)
    assert pixels[..., 0].tolist() == upright
    assert (pixels == pixels[..., :1]).all()  # of grey all three channels are alike


def test_damage_in_the_rest_of_exif_is_no_damage_of_the_photograph(tmp_path):
    # A text under the tag of the width, which is a number: Pillow's exif_transpose fails by it.
    exif = orientation(6)
    exif[0x010F] = "maker"
    content = exif.tobytes().replace(b"\x01\x0f", b"\x01\x00")
    path = saved(tmp_path / "1.png", content)
    assert read_photograph(path, "image 1", 2, 3)[..., 0].tolist() == QUARTER


def test_exif_that_cannot_be_read_turns_nothing(tmp_path):
    path = saved(tmp_path / "1.png", b"Exif\x00\x00no TIFF at all")
    assert read_photograph(path, "image 1", 3, 2)[..., 0].tolist() == LIES


def test_a_photograph_of_another_size_than_its_annotations_say_is_refused(tmp_path):
    path = saved(tmp_path / "1.png", orientation(6))
    with pytest.raises(
        DataError, match=r"1\.png \(image 1\) is 2 x 3 pixels, its annotations say 3 x 2\. `harn"
    ):
        read_photograph(path, "image 1", 3, 2)


def missing(path, monkeypatch):
    path.unlink()


def cut_short(path, monkeypatch):
    path.write_bytes(path.read_bytes()[:60])


def no_image(path, monkeypatch):
    path.write_text("no image")


def far_too_large(path, monkeypatch):
    # Pillow refuses what has more than twice these pixels: a file of 6 here.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (missing, r"No such file or directory\. `harness prepare` names"),
        (cut_short, "Truncated File Read"),
        (no_image, "cannot identify image file"),
        (far_too_large, "Image size .6 pixels. exceeds limit"),
    ],
)
def test_a_photograph_that_is_gone_or_damaged_is_named(tmp_path, monkeypatch, spoil, why):
    path = saved(tmp_path / "1.png", orientation(1))
    spoil(path, monkeypatch)
    with pytest.raises(DataError, match=rf"1\.png \(image 1\) cannot be read: {why}"):
        read_photograph(path, "image 1", 3, 2)


def test_a_file_name_that_no_file_can_have_is_a_clear_error_too(tmp_path):
    with pytest.raises(DataError, match=r"a\?\.png \(image 1\) cannot be read: embedded null byte"):
        read_photograph(tmp_path / "a\0.png", "image 1", 3, 2)
