"""What became of each object: worked examples, then random data against whole images."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from harness.evaluation.changes import image_changes, most_changed, most_moved
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.results_file import read_results
from tests.evaluation.random_data import RandomData
from tests.evaluation.test_average_precision import write
from tests.evaluation.test_boundary import boundary, rugged

approx = pytest.approx


@pytest.fixture
def changes(tmp_path):
    """A function that compares a scene's own detections (b) with none or others (a)."""

    def compare(scene, results_a=()):
        gt_json, results_json = scene.write()
        ground_truth = read_ground_truth(gt_json, "segm")
        return image_changes(
            ground_truth, list(results_a), read_results(results_json, ground_truth, "segm")
        )

    return compare


def taken(scene):
    """The scene's detections so far, which it then has no more."""
    results, scene.results = scene.results, []
    return results


def test_both_ious_of_both_runs_stand_beside_each_other(new_scene, changes):
    # Boundaries are round(0.02 * 256.1) = 5 pixels wide. The object is 100 x 100, its boundary
    # 100 * 100 - 90 * 90 = 1900 pixels.
    # a is its left 80 columns: mask IoU 80 / 100; its boundary has 8000 - 70 * 90 = 1700 pixels.
    # In common: all of a's but the right 5 columns of 90 inner rows, 1700 - 450 = 1250. Boundary
    # IoU 1250 / (1900 + 1700 - 1250) = 53.19. b is the object itself.
    scene = new_scene()
    scene.add_object(20, 20, 100, 100)
    scene.detect(20, 20, 80, 100, score=0.5)
    first = taken(scene)
    scene.detect(20, 20, 100, 100, score=0.3)
    ((one,),) = (image.objects for image in changes(scene, first))
    assert one.mask_iou == approx((80, 100))
    assert one.boundary_iou == approx((125000 / 2350, 100))
    assert one.boundary_change == approx(100 - 125000 / 2350)
    assert (one.a.score, one.b.score) == (0.5, 0.3)
    assert (one.annotation_id, one.category, one.by_both) == (1, "0", True)


def test_a_missed_object_has_no_detection_and_counts_0(new_scene, changes):
    # 100 x 49 of 100 x 100 is an IoU of 0.49, which does not match.
    scene = new_scene()
    scene.add_object(20, 20, 100, 100)
    scene.detect(20, 20, 100, 49, score=0.9)
    ((one,),) = (image.objects for image in changes(scene))
    assert (one.a, one.b) == (None, None)
    assert one.boundary_change == 0
    scene.detect(20, 20, 100, 100, score=0.1)
    ((one,),) = (image.objects for image in changes(scene))
    assert one.a is None
    assert one.b.position == 1
    assert one.boundary_iou == approx((0, 100))


def test_the_surest_detection_takes_the_object_as_in_the_evaluation(new_scene, changes):
    # An IoU of 0.6 at score 0.9 goes before the exact one at 0.8.
    scene = new_scene()
    scene.add_object(20, 20, 100, 100)
    scene.detect(20, 20, 100, 100, score=0.8)
    scene.detect(20, 20, 100, 60, score=0.9)
    ((one,),) = (image.objects for image in changes(scene))
    assert (one.b.position, one.b.mask_iou) == (1, approx(60))


def test_another_category_finds_nothing_and_a_crowd_is_no_object(new_scene, changes):
    scene = new_scene(categories=2)
    scene.add_object(20, 20, 50, 50)
    scene.add_object(100, 20, 50, 50, iscrowd=1)
    scene.detect(20, 20, 50, 50, score=0.9, category_id=1)
    scene.detect(100, 20, 50, 50, score=0.9)
    (image,) = changes(scene)
    assert [(one.annotation_id, one.b) for one in image.objects] == [(1, None)]


def test_of_a_category_the_best_100_detections_of_an_image_count(new_scene, changes):
    scene = new_scene()
    scene.add_object(20, 20, 50, 50)
    for _ in range(100):
        scene.detect(120, 100, 10, 10, score=0.6)
    scene.detect(20, 20, 50, 50, score=0.5)
    assert changes(scene)[0].objects[0].b is None
    scene.results.pop(0)
    assert changes(scene)[0].objects[0].b.position == 99


def test_an_image_differs_by_the_mean_over_its_objects_in_either_direction(new_scene, changes):
    # a finds the first, b the second: changes -100 and 100, and the third both miss.
    scene = new_scene()
    for x in (0, 60, 120):
        scene.add_object(x, 20, 40, 40)
    scene.detect(0, 20, 40, 40, score=0.9)
    first = taken(scene)
    scene.detect(60, 20, 40, 40, score=0.9)
    (image,) = changes(scene, first)
    assert (image.size, image.change, image.size_by_both) == approx((200 / 3, 0, 0))


def test_images_are_ranked_by_size_of_change_then_by_id_and_those_without_change_left_out(
    new_scene, changes
):
    # 0: both exact. 1: a exact, b misses: -100. 2: a misses, b exact: +100. 3: no object. 4: from
    # the upper half to all: mask IoU 50 to 100, which both find.
    scene = new_scene(images=5)
    for image_id in (0, 1, 2, 4):
        scene.add_object(20, 20, 100, 100, image_id=image_id)
    for image_id, height in ((0, 100), (1, 100), (4, 50)):
        scene.detect(20, 20, 100, height, score=0.9, image_id=image_id)
    first = taken(scene)
    for image_id in (0, 2, 4):
        scene.detect(20, 20, 100, 100, score=0.9, image_id=image_id)
    images = changes(scene, first)
    assert [one.image_id for one in images] == [0, 1, 2, 4]
    assert [one.image_id for one in most_changed(images, 9)] == [1, 2, 4]
    assert [one.image_id for one in most_changed(images, 1)] == [1]
    assert [one.image_id for one in most_moved(images, 9)] == [4]


def test_ious_are_those_of_whole_images_on_random_data(tmp_path):
    compared = 0
    for seed in range(40):
        data = rugged(RandomData(seed))
        gt_json, results_json = write(tmp_path, data)
        ground_truth = read_ground_truth(gt_json, "segm")
        results = read_results(results_json, ground_truth, "segm")
        for image in image_changes(ground_truth, [], results):
            for one in image.objects:
                if one.b is None:
                    continue
                annotation, result = data.annotations[one.position], results[one.b.position]
                assert annotation["image_id"] == result["image_id"] == image.image_id
                assert annotation["category_id"] == result["category_id"]
                masks = [item["segmentation"] for item in (result, annotation)]
                ours, theirs = (boundary(mask, 0.02) for mask in masks)
                assert one.b.mask_iou == approx(100 * iou(*masks))
                assert one.b.boundary_iou == approx(100 * iou(ours, theirs))
                compared += 0 < one.b.boundary_iou < 100
    assert compared > 30


def iou(one, other):
    return np.asarray(rle.iou([one], [other], [0])).item()


def test_as_many_objects_are_found_as_pycocotools_matches(tmp_path):
    for seed in range(40):
        data = rugged(RandomData(seed))
        if not data.results or not data.annotations:
            continue
        files = write(tmp_path, data)
        ground_truth = read_ground_truth(files[0], "segm")
        results = read_results(files[1], ground_truth, "segm")
        found = {
            one.annotation_id: one.b.position
            for image in image_changes(ground_truth, [], results)
            for one in image.objects
            if one.b
        }
        assert found == official(*files)


def official(gt_json, results_json):
    """The detection of each object that is found, as pycocotools matches at IoU 0.5."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth, results = COCO(gt_json), json.loads(results_json.read_text())
        evaluator = COCOeval(truth, truth.loadRes(results), "segm")
        evaluator.evaluate()
    found = {}
    for of_group in evaluator.evalImgs:
        if of_group is None or of_group["aRng"] != evaluator.params.areaRng[0]:
            continue
        matches = zip(
            of_group["gtIds"], of_group["gtIgnore"], of_group["gtMatches"][0], strict=True
        )
        found |= {
            annotation_id: int(result_id) - 1  # loadRes numbers results from 1
            for annotation_id, ignored, result_id in matches
            if result_id > 0 and not ignored
        }
    return found
