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
    with pytest.raises(DataError, match=r"none\.json: cannot be read \(No such file"):
        coco_ap(missing, results_json)


def test_a_file_cut_short_is_refused(scene):
    gt_json, results_json = scene.write()
    gt_json.write_text(gt_json.read_text()[:40])
    with pytest.raises(DataError, match=r"gt\.json: not valid JSON, perhaps cut short .* export"):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize("content", [[], {"images": []}, {"images": 3}, {"images": [1]}])
def test_a_file_without_the_lists_of_coco_is_refused(scene, content):
    gt_json, results_json = scene.write()
    gt_json.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"no list of objects called '.*'. Needed: one"):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize("key", ["height", "width"])
def test_an_image_without_its_size_is_refused(scene, key):
    del scene.images[0][key]
    assert f"image 0: {key} is None. Allowed: integers" in refusal(scene)


@pytest.mark.parametrize("annotation_id", [0, -1, None, "7"])
def test_an_annotation_id_that_would_read_as_unmatched_is_refused(scene, annotation_id):
    # With id 0, pycocotools says AP 0 for an exact detection, and hotcoco says 100.
    scene.annotations[0]["id"] = annotation_id
    message = refusal(scene)
    assert f"gt.json: annotation number 1 has id {annotation_id!r}." in message
    assert message.endswith("number the annotations from 1.")


@pytest.mark.parametrize("key", ["iscrowd", "area", "segmentation"])
def test_an_annotation_without_a_field_that_counts_is_refused(scene, key):
    del scene.annotations[0][key]
    message = refusal(scene)
    assert f"gt.json: annotation number 1 (id 1): {key} is missing. Needed: " in message
    assert message.endswith("export the annotations again in COCO's format.")


def test_an_annotation_without_a_box_is_refused_for_boxes_alone(scene):
    del scene.annotations[0]["bbox"]
    assert "bbox is missing. Needed: [x, y, width, height]" in refusal(scene, task="bbox")
    assert coco_ap(*scene.write(), task="segm")["AP"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("iscrowd", 2, "0, or 1 for a crowd"),
        ("iscrowd", None, "0, or 1 for a crowd"),
        ("area", float("nan"), "a finite number of pixels"),
        ("area", "100", "a finite number of pixels"),
        ("segmentation", [], "an RLE mask, or polygons of 3 points or more"),
        ("segmentation", [[0, 0, 9, 9]], "an RLE mask, or polygons of 3 points or more"),
    ],
)
def test_a_field_that_the_evaluators_read_differently_is_refused(scene, key, value, allowed):
    scene.annotations[0][key] = value
    assert f"(id 1): {key} is {value!r}. Allowed: {allowed}; export" in refusal(scene)
