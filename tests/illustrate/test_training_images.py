import json

import pytest

from harness.data.coco import TRAIN_2014, VALMINUSMINIVAL_2014
from harness.data.splits import Split, locate
from harness.errors import DataError
from harness.illustrate.training_images import TYPICAL, images_named, typical_images
from tests.data.small_coco import SMALL, rewrite, write_coco


def test_images_come_in_the_order_of_their_names_largest_objects_first(split, checked):
    images = images_named(split, [30, 14], checked)
    assert [image.id for image in images] == [30, 14]
    for image in images:
        areas = [one.area for one in image.objects]
        assert areas == sorted(areas, reverse=True)
        assert image.file.exists()
    assert [one.category for one in images[1].objects] == ["star", "blob"]


def test_crowds_are_counted_and_no_objects(split, checked, shapes):
    content = json.loads((shapes / "annotations" / "instances_train.json").read_text())
    of_8 = [one["iscrowd"] for one in content["annotations"] if one["image_id"] == 8]
    [image] = images_named(split, [8], checked)
    assert image.crowds == sum(of_8) == 1
    assert len(image.objects) == len(of_8) - 1


def test_an_unknown_image_is_refused_with_some_that_are_known(split, checked):
    message = (
        r"^Unknown image 999: .*instances_train\.json does not list it\. It lists 60 images, "
        r"among them: 1, 2, 3, 4, 5, \.\.\.$"
    )
    with pytest.raises(DataError, match=message):
        images_named(split, [14, 999], checked)


def test_an_image_without_objects_is_refused(split, checked):
    with pytest.raises(DataError, match=r"^Image 6 of .* has no object that is no crowd, so .*"):
        images_named(split, [6], checked)


def test_typical_images_are_the_first_that_are(split, checked):
    images = typical_images(split, 3, checked)
    assert [image.id for image in images] == [14, 30, 34]
    for image in images:
        assert 2 <= len(image.objects) <= 8
        assert not image.crowds
        assert all(isinstance(one.segmentation, list) for one in image.objects)
        assert all(one.area >= 0.01 * 128 * 128 for one in image.objects)


def test_fewer_typical_images_than_asked_for_are_all_that_there_are(split, checked):
    every = typical_images(split, 1000, checked)
    assert typical_images(split, len(every), checked) == every
    assert TYPICAL == (
        "with 2 to 8 objects, all of them polygons of at least 1% of the image, and no crowd"
    )


@pytest.fixture
def coco(tmp_path, monkeypatch) -> Split:
    """trainval35k in small: two files, one triangle on each image."""
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    write_coco(tmp_path / "coco", TRAIN_2014, VALMINUSMINIVAL_2014)
    return locate("coco_2014_trainval35k", None, SMALL)


def test_images_of_a_split_in_two_files_are_found_in_both(coco, checked):
    assert [image.file.parent.name for image in images_named(coco, [42, 9], checked)] == [
        "val2014",
        "train2014",
    ]
    with pytest.raises(DataError, match=r"It lists 5 images, among them: 9, 25, 30, 42, 73$"):
        images_named(coco, [1], checked)


def test_a_split_without_typical_images_is_refused_with_the_way_out(coco, checked):
    # One triangle on each image, and an image is typical with two objects.
    with pytest.raises(DataError, match=r"has no image with 2 to 8 .* with --images ID\.$"):
        typical_images(coco, 8, checked)


def test_annotations_that_cannot_be_used_are_refused_as_everywhere(coco, checked):
    rewrite(coco.parts[0].annotations, lambda content: content["annotations"][0].pop("bbox"))
    with pytest.raises(DataError, match="bbox"):
        images_named(coco, [9], checked)
