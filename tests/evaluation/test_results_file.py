import gzip
import json

import pytest

from harness.errors import ResultsError
from harness.evaluation import coco_ap


def refusal(scene, task="segm"):
    """The message with which the files of a scene are refused."""
    with pytest.raises(ResultsError) as caught:
        coco_ap(*scene.write(), task=task)
    return str(caught.value)


def test_a_missing_file_is_named(scene):
    gt_json, _ = scene.write()
    with pytest.raises(ResultsError, match=r"none\.json: cannot be read \(No such file"):
        coco_ap(gt_json, gt_json.with_name("none.json"))


@pytest.mark.parametrize("length", [0, 1, 60])
def test_a_file_cut_short_is_refused(scene, length):
    gt_json, results_json = scene.write()
    results_json.write_text(results_json.read_text()[:length])
    message = r"results\.json: not valid JSON, perhaps cut short \(.*\)\. .*; predict again\."
    with pytest.raises(ResultsError, match=message):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize(
    ("content", "named"),
    [({"annotations": []}, "holds an object, not a list"), ([7], "result 1 is 7, not an object")],
)
def test_anything_but_a_list_of_detections_is_refused(scene, content, named):
    gt_json, results_json = scene.write()
    results_json.write_text(json.dumps(content))
    with pytest.raises(ResultsError, match=f"{named}. Needed: a list of detections in COCO"):
        coco_ap(gt_json, results_json)


@pytest.mark.parametrize(
    ("key", "table"), [("image_id", "1 images"), ("category_id", "1 categories")]
)
@pytest.mark.parametrize("value", [99, "0", None])
def test_an_id_outside_the_ground_truth_is_refused(scene, key, table, value):
    scene.detect(20, 20, 10, 10, score=0.4)
    scene.results[1][key] = value
    message = refusal(scene)
    assert f"results.json: result 2: {key} {value!r} is not in the ground truth." in message
    assert f"Allowed: the ids of its {table}; predict on the split that is evaluated" in message


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf"), "0.5", True])
def test_a_score_that_has_no_place_in_the_order_is_refused(scene, score):
    scene.results[0]["score"] = score
    assert f"result 1: score is {score!r}. Needed: a finite number; predict" in refusal(scene)


def test_a_missing_score_is_refused(scene):
    del scene.results[0]["score"]
    assert "result 1: score is missing. Needed: a finite number" in refusal(scene)


def test_boxes_are_no_masks(scene):
    del scene.results[0]["segmentation"]
    message = refusal(scene)
    assert "result 1: has only a box, no segmentation. Needed: a mask" in message
    assert message.endswith(
        'predict again with masks, or evaluate with task="bbox" (harness score --task bbox).'
    )


def test_polygons_are_refused(scene):
    scene.results[0]["segmentation"] = [[20, 20, 30, 20, 30, 30, 20, 30]]
    message = refusal(scene)
    assert "result 1: its segmentation is a list of polygons. Needed: compressed RLE" in message


@pytest.mark.parametrize("mask", [7, {"size": [160, 200]}, {"size": [2, 2], "counts": [0, 4]}])
def test_anything_else_than_compressed_rle_is_refused(scene, mask):
    scene.results[0]["segmentation"] = mask
    assert f"its segmentation is {mask!r}. Needed: compressed RLE" in refusal(scene)


def test_a_mask_of_another_size_than_its_image_is_refused(scene):
    scene.results[0]["segmentation"]["size"] = [200, 160]
    message = refusal(scene)
    assert "result 1: its mask has size [200, 160], its image 0 has [160, 200] (height," in message


@pytest.mark.parametrize("counts", ["", "0", "not a mask"])
def test_a_damaged_mask_is_refused(scene, counts):
    scene.results[0]["segmentation"]["counts"] = counts
    message = refusal(scene)
    assert "result 1: its mask is damaged or cut short. Needed: run lengths that add" in message
    assert "the 32000 pixels of image 0; predict again." in message


@pytest.mark.parametrize(
    "box", [None, [1, 2, 3], [1, 2, 3, float("nan")], [1, 2, -3, 4], ["1", 2, 3, 4]]
)
def test_a_damaged_box_is_refused(scene, box):
    scene.results[0]["bbox"] = box
    assert f"result 1: bbox is {box!r}. Needed: [x, y, width" in refusal(scene, task="bbox")


def test_masks_are_not_read_when_boxes_are_evaluated(scene):
    scene.results[0]["segmentation"] = "nothing"
    assert coco_ap(*scene.write(), task="bbox")["AP"] == pytest.approx(100)


def test_a_score_too_large_for_a_float_is_refused(scene):
    scene.results[0]["score"] = 10**400
    assert "result 1: score is 1000" in refusal(scene)


def test_brackets_without_end_are_no_json(scene):
    gt_json, results_json = scene.write()
    results_json.write_text("[" * 100_000)
    with pytest.raises(ResultsError, match=r"results\.json: not valid JSON, perhaps cut short"):
        coco_ap(gt_json, results_json)


def test_gzip_is_read_whatever_its_name(scene):
    gt_json, results_json = scene.write()
    results_json.write_bytes(gzip.compress(results_json.read_bytes()))
    assert coco_ap(gt_json, results_json)["AP"] == pytest.approx(100)


def test_gzip_cut_short_is_refused(scene):
    gt_json, results_json = scene.write()
    results_json.write_bytes(gzip.compress(results_json.read_bytes())[:60])
    message = r"results\.json: not valid JSON, perhaps cut short \(it is gzip, and does not unpack:"
    with pytest.raises(ResultsError, match=message):
        coco_ap(gt_json, results_json)
