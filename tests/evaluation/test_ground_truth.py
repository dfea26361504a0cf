import gzip
import json

import pytest

from harness.errors import DataError
from harness.evaluation import coco_ap


def refusal(scene, task="segm"):
    """The message with which the files of a scene are refused."""
    with pytest.raises(DataError) as caught:
        coco_ap(*scene.write(), task=task)
    return str(caught.value)


def test_a_missing_file_is_named(scene):
    _, results_json = scene.write()
    missing = results_json.with_name("none.json")
    with pytest.raises(DataError, match=r"Cannot read the annotations .*none\.json: No such file"):
        coco_ap(missing, results_json)


def test_a_file_cut_short_is_refused(scene):
    gt_json, results_json = scene.write()
    gt_json.write_text(gt_json.read_text()[:40])
    with pytest.raises(DataError, match=r"gt\.json: cut short or damaged, .* its 40 bytes"):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize("content", [[], {"images": []}, {"images": 3}, {"images": [1]}])
def test_a_file_without_the_lists_of_coco_is_refused(scene, content):
    gt_json, results_json = scene.write()
    gt_json.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"no list of objects called '.*'. COCO's format is one"):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize("key", ["height", "width"])
def test_an_image_without_its_size_is_refused(scene, key):
    del scene.images[0][key]
    assert f"image 0: {key} is None. It is the size in pixels" in refusal(scene)


def test_an_image_id_that_no_result_can_name_is_refused(scene):
    scene.images[0]["id"] = "0"
    assert "gt.json: image id '0' is not allowed" in refusal(scene)


@pytest.mark.parametrize("annotation_id", [0, -1, None, "7"])
def test_an_annotation_id_that_would_read_as_unmatched_is_refused(scene, annotation_id):
    # With id 0, pycocotools says AP 0 for an exact detection, and hotcoco says 100.
    scene.annotations[0]["id"] = annotation_id
    message = refusal(scene)
    assert f"gt.json: annotation id {annotation_id!r} is not allowed" in message
    assert message.endswith("Number the annotations from 1.")


@pytest.mark.parametrize("key", ["image_id", "category_id", "iscrowd", "area", "segmentation"])
def test_an_annotation_without_a_field_that_counts_is_refused(scene, key):
    del scene.annotations[0][key]
    assert f"gt.json: annotation 1: has no {key}. Each annotation needs" in refusal(scene)


def test_an_annotation_without_a_box_is_refused_for_boxes_alone(scene):
    del scene.annotations[0]["bbox"]
    assert "annotation 1: has no bbox." in refusal(scene, task="bbox")
    assert coco_ap(*scene.write(), task="segm")["AP"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("iscrowd", 2, "It is 0, or 1 for a crowd"),
        ("area", float("nan"), "It is the mask's area in pixels, finite"),
        ("area", "100", "It is the mask's area in pixels, finite"),
        ("segmentation", [], "It is an RLE mask or a list of polygons"),
    ],
)
def test_a_field_that_the_evaluators_read_differently_is_refused(scene, key, value, allowed):
    scene.annotations[0][key] = value
    assert f"annotation 1: {key} is {value!r}. {allowed}" in refusal(scene)


def test_a_polygon_that_pycocotools_would_take_for_a_box_is_refused(scene):
    scene.annotations[0]["segmentation"] = [[0, 0, 9, 9]]
    assert "annotation 1: polygon 1 of its segmentation has 2 points" in refusal(scene)


@pytest.mark.parametrize("engine", ["pycocotools", "hotcoco"])
@pytest.mark.parametrize("counts", ["half", [0, 100], [-100, 32100], []])
def test_a_mask_that_pycocotools_would_compare_forever_is_refused(scene, counts, engine):
    # The image has 160 x 200 = 32000 pixels.
    mask = scene.annotations[0]["segmentation"]
    half = mask["counts"][: len(mask["counts"]) // 2]
    mask["counts"] = half if counts == "half" else counts
    with pytest.raises(DataError, match=r"gt\.json: annotation 1: the counts .* 32000 pixels"):
        coco_ap(*scene.write(), engine=engine)


def test_a_mask_of_another_size_than_its_image_is_refused(scene):
    scene.annotations[0]["segmentation"]["size"] = [200, 160]
    assert "RLE mask has size [200, 160], its image [160, 200]" in refusal(scene)


@pytest.mark.parametrize("engine", ["pycocotools", "hotcoco"])
def test_an_object_of_an_image_that_is_not_listed_is_not_looked_at(scene, engine):
    scene.annotations.append(scene.annotations[0] | {"id": 2, "image_id": 99})
    assert coco_ap(*scene.write(), engine=engine)["AP"] == pytest.approx(100)


@pytest.mark.parametrize("table", ["images", "categories"])
def test_without_images_or_categories_nothing_is_evaluated(scene, table):
    getattr(scene, table).clear()
    assert f"gt.json: its list {table!r} is empty. Export the annotations again" in refusal(scene)


@pytest.mark.parametrize(
    ("table", "kind", "used"),
    [("images", "image", 0), ("categories", "category", 0), ("annotations", "annotation", 1)],
)
def test_an_id_used_twice_is_refused(scene, table, kind, used):
    # Of two annotations with one id, pycocotools counts the last one twice and the other not at
    # all; of two categories with one id, hotcoco counts both.
    items = getattr(scene, table)
    items.append(dict(items[0]))
    assert f"{kind} id {used} is used 2 times. An id stands for one {kind}" in refusal(scene)


def test_coco_s_own_minival_may_use_an_annotation_id_twice(scene):
    scene.annotations.append(dict(scene.annotations[0]))
    gt_json, results_json = scene.write()
    minival = gt_json.rename(gt_json.with_name("instances_minival2014.json"))
    # The one object counts as two, and one of them is found: recall 0.5, 51 of 101 recalls.
    assert coco_ap(minival, results_json)["AP"] == pytest.approx(100 * 51 / 101)


@pytest.mark.parametrize("value", [None, "0", [0]])
def test_a_category_id_that_no_result_can_name_is_refused(scene, value):
    scene.categories[0]["id"] = value
    assert f"category number 1 in its list has id {value!r}. An id is an integer" in refusal(scene)


@pytest.mark.parametrize("key", ["image_id", "category_id"])
@pytest.mark.parametrize("value", ["0", 0.0, [0], False])
def test_an_annotation_that_names_its_image_or_category_otherwise_is_refused(scene, key, value):
    scene.annotations[0][key] = value
    assert f"annotation 1: {key} is {value!r}. It is an integer" in refusal(scene)


def test_numbers_too_large_for_a_float_are_refused(scene):
    scene.annotations[0]["area"] = 10**400
    assert "annotation 1: area is 1000" in refusal(scene)
    scene.annotations[0]["id"] = 10**400
    assert "annotation id 1000" in refusal(scene)


def test_brackets_without_end_are_no_json(scene):
    gt_json, results_json = scene.write()
    gt_json.write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"gt\.json: cut short or damaged, no valid JSON in its"):
        coco_ap(gt_json, results_json)


def test_gzip_is_read_whatever_its_name(scene):
    gt_json, results_json = scene.write()
    gt_json.write_bytes(gzip.compress(gt_json.read_bytes()))
    assert coco_ap(gt_json, results_json)["AP"] == pytest.approx(100)


def test_gzip_cut_short_is_refused(scene):
    gt_json, results_json = scene.write()
    gt_json.write_bytes(gzip.compress(gt_json.read_bytes())[:80])
    message = r"gt\.json: cut short or damaged, .* 80 bytes: it is gzip, and does not unpack: Comp"
    with pytest.raises(DataError, match=message):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize("far", [1e20, -2_000_000])
def test_a_polygon_along_which_pycocotools_would_walk_forever_is_refused(scene, far):
    scene.annotations[0]["segmentation"] = [[20, 20, 30, 20, 30, far]]
    named = f"annotation 1: polygon 1 of its segmentation has the coordinate {far!r}. They are pix"
    assert named in refusal(scene)


def test_an_image_too_large_for_masks_is_refused(scene):
    scene.images[0]["width"] = 2**31
    assert "image 0: has 2147483648 x 160 pixels. An RLE mask has 4,294,967,295" in refusal(scene)
