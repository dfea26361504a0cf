"""AP with a weight for each image, against pycocotools where images stand so often."""

import itertools
import json

import numpy as np
import pytest

from harness.evaluation import coco_ap
from harness.evaluation.accumulate import average_precision
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.ranking import rankings, read_truth
from harness.evaluation.results_file import read_results
from harness.records import METRICS
from tests.evaluation.conftest import Scene
from tests.evaluation.random_data import RandomData

each_task = pytest.mark.parametrize("task", ["segm", "bbox"])


def weighted(files, task, weights):
    gt_json, results_json = files
    ground_truth = read_ground_truth(gt_json, task)
    truth = read_truth(ground_truth, task)
    ranked = rankings(truth, read_results(results_json, ground_truth, task), [task])[task]
    values = average_precision(ranked, np.array(weights, np.int32))
    return values[:, : len(METRICS)]


def write(folder, data):
    gt_json, results_json = folder / "gt.json", folder / "results.json"
    gt_json.write_text(json.dumps(data.ground_truth()))
    results_json.write_text(json.dumps(data.results))
    return gt_json, results_json


def repeated(data, weights):
    """The data with each image, in the order of ids, as often as its weight; copies side by side.

    An annotation's own copies keep their order, since ties are broken by it.
    """
    images = sorted(data.images, key=lambda image: image["id"])
    ids, numbers = itertools.count(), itertools.count(1)
    copies = {
        image["id"]: [next(ids) for _ in range(weight)]
        for image, weight in zip(images, weights, strict=True)
    }
    data.images = [image | {"id": new} for image in images for new in copies[image["id"]]]
    data.annotations = [
        one | {"image_id": new, "id": next(numbers)}
        for one in data.annotations
        for new in copies[one["image_id"]]
    ]
    data.results = [
        one | {"image_id": new} for one in data.results for new in copies[one["image_id"]]
    ]
    return data


@each_task
@pytest.mark.parametrize("first", range(0, 100, 25))
def test_with_all_weights_1_it_is_coco_ap(tmp_path, first, task):
    for seed in range(first, first + 25):
        data = RandomData(seed)
        files = write(tmp_path, data)
        expected = list(coco_ap(*files, task=task).values())
        found = weighted(files, task, [[1] * len(data.images)])
        np.testing.assert_allclose(found, [expected], rtol=0, atol=1e-9)


@each_task
@pytest.mark.parametrize("first", range(0, 100, 25))
def test_a_weight_is_how_often_an_image_stands_there(tmp_path, first, task):
    for seed in range(first, first + 25):
        data = RandomData(seed)
        images = len(data.images)
        weights = data.rng.multinomial(images, [1 / images] * images)
        found = weighted(write(tmp_path, data), task, [weights])
        files = write(tmp_path, repeated(data, weights))
        expected = list(coco_ap(*files, task=task).values())
        np.testing.assert_allclose(found, [expected], rtol=0, atol=1e-9)


def test_copies_of_an_image_bring_detections_of_one_score_in_turn(new_scene):
    # One object, a right and a wrong detection with one score, all twice: right, wrong, right,
    # wrong. Recall 1/2 at precision 1, recall 1 at 2/3: (51 * 1 + 50 * 2/3) / 101.
    scene = new_scene()
    scene.add_object(0, 0, 40, 40)
    scene.detect(0, 0, 40, 40, score=0.5)
    scene.detect(100, 100, 40, 40, score=0.5)
    found = weighted(scene.write(), "segm", [[2]])
    assert found[0, 0] == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)


def test_each_row_of_weights_has_its_own_ap(new_scene):
    # Image 0's object is found, image 1's is not: AP 100 with the first alone, 0 with the second,
    # and none at all where both are left out.
    scene = new_scene(images=2)
    for image_id in (0, 1):
        scene.add_object(0, 0, 40, 40, image_id=image_id)
    scene.detect(0, 0, 40, 40, score=0.5, image_id=0)
    found = weighted(scene.write(), "segm", [[1, 0], [0, 1], [0, 0]])
    np.testing.assert_allclose(found[:, 0], [100, 0, np.nan], atol=1e-9)


def test_of_two_annotations_with_one_id_the_last_counts_twice_as_in_pycocotools(tmp_path):
    # Only COCO's own minival may have such: two objects of id 1, and only the second is found.
    scene = Scene(tmp_path)
    scene.gt_json = tmp_path / "instances_minival2014.json"
    scene.add_object(0, 0, 40, 40)
    scene.add_object(100, 100, 40, 40)
    scene.annotations[1]["id"] = 1
    scene.detect(0, 0, 40, 40, score=0.9)
    scene.detect(100, 100, 40, 40, score=0.8)
    files = scene.write()
    expected = coco_ap(*files)["AP"]
    assert 0 < expected < 100
    assert weighted(files, "segm", [[1]])[0, 0] == pytest.approx(expected)


def test_a_mask_of_the_ground_truth_whose_numbers_are_padded_is_read(scene):
    # The first number gets seven characters more, which hold nothing: all but the last say that
    # the number goes on.
    counts = scene.annotations[0]["segmentation"]["counts"]
    end = next(place for place, letter in enumerate(counts) if not (ord(letter) - 48) & 0x20)
    goes_on = chr(ord(counts[end]) + 0x20)
    padded = counts[:end] + goes_on + chr(48 + 0x20) * 6 + "0" + counts[end + 1 :]
    scene.annotations[0]["segmentation"]["counts"] = padded
    files = scene.write()
    assert coco_ap(*files)["AP"] == pytest.approx(100)
    assert weighted(files, "segm", [[1]])[0, 0] == pytest.approx(100)
