import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon
from PIL import Image

from harness.errors import DataError
from harness.illustrate.polygons import COLOURS, fig7
from harness.illustrate.training_images import (
    TrainingImage,
    TrainingObject,
    images_named,
    typical_images,
)
from tests.illustrate.look import drawn_texts, faults, images_of, words_of


def polygons_of(axes) -> list[Polygon]:
    return [patch for patch in axes.patches if isinstance(patch, Polygon)]


def test_each_object_has_its_polygon_in_a_colour_of_its_own(split, checked):
    images = images_named(split, [30], checked)
    [axes] = fig7(images, "").get_axes()
    drawn = polygons_of(axes)
    assert [to_hex(one.get_edgecolor()).upper() for one in drawn] == list(COLOURS[: len(drawn)])
    for patch, one in zip(drawn, images[0].objects, strict=True):
        [flat] = one.segmentation
        assert np.array_equal(patch.get_xy()[:-1], np.reshape(flat, (-1, 2)))


def test_each_name_stands_on_its_object(split, checked):
    images = images_named(split, [30], checked)
    [axes] = fig7(images, "").get_axes()
    assert {text.get_text() for text in axes.texts} == {"star", "flower", "gear"}
    polygons = dict(
        zip((one.category for one in images[0].objects), polygons_of(axes), strict=True)
    )
    for text in axes.texts:
        assert polygons[text.get_text()].get_path().contains_point(text.get_position())


def test_masks_that_are_no_polygons_have_their_outline_too(split, checked):
    every = typical_images(split, 1000, checked)
    named = images_named(split, [one for one in range(1, 61) if one % 25 != 6], checked)
    image = next(
        image
        for image in named
        if image not in every
        and any(not isinstance(one.segmentation, list) for one in image.objects)
    )
    [axes] = fig7([image], "").get_axes()
    masks = sum(not isinstance(one.segmentation, list) for one in image.objects)
    assert len(polygons_of(axes)) == len(image.objects) - masks
    assert len(axes.collections) == 2 * masks  # filled, and its outline


def test_names_overlap_nowhere_on_crowded_photographs(coco_mini, checked):
    from harness.data.splits import locate

    images = images_named(locate("own_train", str(coco_mini)), [790, 60623, 84284], checked)
    figure = fig7(images, "Chosen.")
    assert faults(figure) == []
    names = [text.get_text() for text in drawn_texts(figure)]
    assert "dining table" in names
    assert len(names) < sum(len(image.objects) for image in images)


def test_the_figure_names_its_images_and_says_which_they_are(split, checked):
    words = words_of(fig7(typical_images(split, 2, checked), "The first two."))
    assert "image 14" in words
    assert "image 30" in words
    assert "The first two. Colours tell instances of an image apart." in words


def of_one_object(path, category="cat", size=(60, 40)) -> TrainingImage:
    """An image of 60 x 40 in `path`, its object the left upper quarter."""
    flat = [0.0, 0.0, 30.0, 0.0, 30.0, 20.0, 0.0, 20.0]
    one = TrainingObject(category, [flat], (0, 0, 30, 20), 600)
    return TrainingImage(1, path, *size, (one,))


def test_a_photograph_is_turned_as_exif_says_and_its_outlines_are_not(tmp_path):
    # Orientation 6 is a quarter turn to the right: the white left of the file comes to the top.
    pixels = np.zeros((40, 60), np.uint8)
    pixels[:, :30] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "1.png", exif=exif)
    figure = fig7([of_one_object(tmp_path / "1.png", size=(40, 60))], "")
    [shown], [axes] = images_of(figure), figure.get_axes()
    assert shown.shape == (60, 40, 3)
    assert shown[[0, 59], 20, 0].tolist() == [255, 0]
    assert axes.get_images()[0].get_extent() == [0, 40, 60, 0]


@pytest.mark.parametrize("size", [(60, 40), (40, 60)])
def test_an_image_that_is_missing_or_of_another_size_is_named(tmp_path, size):
    if size != (60, 40):
        Image.new("RGB", (60, 40)).save(tmp_path / "1.png")
    what = "cannot be read: No such file" if size == (60, 40) else "is 60 x 40 pixels, its annot"
    with pytest.raises(DataError, match=rf"1\.png \(image 1\) {what}.* `harness prepare` names"):
        fig7([of_one_object(tmp_path / "1.png", size=size)], "")


def test_names_in_other_scripts_are_boxes_without_a_warning(tmp_path):
    Image.new("RGB", (60, 40)).save(tmp_path / "1.png")
    words = words_of(fig7([of_one_object(tmp_path / "1.png", "猫 cat $x$")], "Images of 人."))
    assert "□ cat $x$" in words
    assert "Images of □. Colours tell" in words
    assert "□: a letter that the font of figures does not have." in words


def test_a_name_wider_than_its_image_is_cut_and_stays_within_it(tmp_path):
    Image.new("RGB", (60, 40)).save(tmp_path / "1.png")
    image = of_one_object(tmp_path / "1.png", "a category of a very long name " * 6)
    figure = fig7([image] * 4, "")
    assert faults(figure) == []
    for axes in figure.get_axes():
        [name] = axes.texts
        assert name.get_text().startswith("a category of a very")
        assert name.get_text()[-1] == "…"
        frame, place = axes.get_window_extent(), name.get_window_extent()
        assert frame.x0 < place.x0 < place.x1 < frame.x1
