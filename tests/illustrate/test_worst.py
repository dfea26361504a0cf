"""The browser's pictures: which there are, what they say, and that they are small."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from harness.illustrate.pair import read_pair
from harness.illustrate.scene import scene_of
from harness.illustrate.side_by_side import draw_side_by_side
from harness.illustrate.worst import (
    MaskPicture,
    selection,
    told_not_drawn,
    worst_files,
    worst_pictures,
)
from tests.illustrate.look import faults
from tests.illustrate.two_runs import TwoRuns, detection


@pytest.fixture
def two(tmp_path):
    return TwoRuns(tmp_path)


def pair_of(two, names=("table1/baseline · 1", "table1/k=2 · 2")):
    return read_pair(two.spec("baseline"), two.spec("k=2"), names, two.place.runs)


def test_the_largest_changes_come_first_and_what_did_not_change_not_at_all(two):
    pair = pair_of(two)
    assert [one.change.image_id for one in worst_pictures(pair, 20)] == [3, 2]
    assert [one.change.image_id for one in worst_pictures(pair, 1)] == [3]


def test_a_picture_is_an_image_file_of_its_size_the_photograph_enlarged(two):
    # 60 px fit 10 times into 640: each run's photograph is 600 px wide, with 3 margins of 10.
    (one,) = worst_pictures(pair_of(two), 1)
    image = Image.open(io.BytesIO(one.content))
    assert image.size == (one.width, one.height)
    assert (one.width, image.format, one.media_type) == (1230, "WEBP", "image/webp")
    assert len(one.content) < 150_000


def test_a_file_is_png_and_the_same_bytes_each_time(two):
    pair = pair_of(two)
    (one,), (again,) = worst_files(pair, 1), worst_files(pair, 1)
    assert Image.open(io.BytesIO(one.content)).format == "PNG"
    assert one.content == again.content


def test_words_tell_what_the_picture_shows(two):
    # Boundaries are round(0.02 * 72.1) = 1 pixel wide. Of 16 x 20: 68 pixels; of the object: 76. In
    # common: the left column, 20, and 15 more above and below: 50. 50 / (68 + 76 - 50) = 53.2.
    # Of 18 x 20: 72; in common 20 + 17 + 17 = 54; 54 / (72 + 76 - 54) = 57.4.
    missed, moved = worst_pictures(pair_of(two), 2)
    assert moved.lines == (
        "1 cat: mask IoU 80.0 to 90.0 (+10.0), Boundary IoU 53.2 to 57.4 (+4.3)",
    )
    assert missed.lines[0].endswith("Boundary IoU 0.0 to 100.0 (+100.0); missed by A")
    assert moved.alt == (
        "Image 2 (2.png): 1 object. Predicted masks of table1/baseline · 1 (A) beside those of "
        f"table1/k=2 · 2 (B); mean Boundary IoU 53 to 57. {moved.lines[0]}."
    )


def test_the_selection_says_that_no_image_is_typical(two):
    text = selection(pair_of(two))
    assert "in either direction" in text
    assert "missed where no detection reaches mask IoU 50 with it" in text
    assert "They differ in 2 of the 3 images that have objects." in text
    assert "no image is typical" in text


def test_an_image_without_photograph_takes_no_picture_from_the_others(two):
    (two.data / "val" / "3.png").unlink()
    (two.data / "val" / "2.png").write_text("no image")
    boxes = {1: (10, 10, 15, 20), 2: (10, 10, 17, 20), 3: (10, 10, 20, 20)}
    two.predict("k=2", [detection(image_id, box) for image_id, box in boxes.items()])
    missing, drawn, damaged = worst_pictures(pair_of(two), 3)
    assert [one.change.image_id for one in (missing, drawn, damaged)] == [3, 1, 2]
    assert isinstance(drawn, MaskPicture)
    assert "3.png (image 3 of own_val) cannot be read: No such file" in missing.why
    assert "2.png (image 2 of own_val) cannot be read: cannot identify" in damaged.why
    assert told_not_drawn([missing, damaged]) == (
        "Not drawn: Image 3 (3.png), Image 2 (2.png). Their photographs are missing, damaged, or "
        "not of the size that annotations say; `harness prepare` tells which and why."
    )
    assert told_not_drawn([missing]).startswith("Not drawn: Image 3 (3.png). Its photograph is mi")
    assert told_not_drawn([]) == ""


def test_a_large_photograph_is_shrunk_on_a_page_and_larger_in_a_file(two, monkeypatch):
    from tests.illustrate import two_runs

    monkeypatch.setattr(two_runs, "WIDTH", 1280)
    monkeypatch.setattr(two_runs, "HEIGHT", 640)
    large = TwoRuns(two.project.parent / "large")
    pair = pair_of(large)
    (page,), (file,) = worst_pictures(pair, 1), worst_files(pair, 1)
    assert page.width == 2 * 640 + 30
    assert (file.width, file.height) == pytest.approx((2 * page.width, 2 * page.height), abs=2)


def test_names_in_other_scripts_and_with_dollars_are_drawn_without_a_warning(two):
    two.category = "人 🐈 $x$"
    two.write_data()
    for row in ("baseline", "k=2"):
        two.predict(row, [])
    pair = pair_of(TwoRuns(two.project.parent / "again"), ("行 $a$", "b" * 200))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (one,) = worst_pictures(pair, 1)
    assert np.asarray(Image.open(io.BytesIO(one.content))).std() > 0


def test_a_long_name_is_shortened_before_the_id_of_its_run(two):
    names = ("n" * 200 + " · 11111111", "short · 22222222")
    pair = pair_of(two, names)
    change = pair.images[1]
    figure = draw_side_by_side(scene_of(pair, change), pair, 1, 640)
    long, short, _ = (text.get_text().splitlines()[0] for text in figure.texts)
    assert (long[:5], long[-12:], len(long)) == ("A: nn", "… · 11111111", 75)
    assert short == "B: short · 22222222"


@pytest.mark.parametrize("times", [1, 20])
def test_no_words_overlap_or_leave_a_picture(two, times):
    pair = pair_of(two, ("table1/k=2, " * times, "a row by another name, " * times))
    for change in pair.images:
        assert faults(draw_side_by_side(scene_of(pair, change), pair, 1, 640)) == []
