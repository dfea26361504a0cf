import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon

from harness.errors import DataError
from harness.illustrate.polygons import COLOURS, fig7
from harness.illustrate.training_images import images_named, typical_images
from tests.illustrate.look import drawn_texts, faults, words_of


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


def test_an_image_that_is_missing_is_named_with_the_way_out(split, checked, tmp_path):
    from dataclasses import replace

    [image] = images_named(split, [14], checked)
    gone = replace(image, file=tmp_path / "gone.png")
    message = (
        r"^Image 14 cannot be read from .*gone\.png: No such file or directory\. `harness prep"
    )
    with pytest.raises(DataError, match=message):
        fig7([gone], "")
