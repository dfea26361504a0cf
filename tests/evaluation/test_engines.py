"""Whether the two evaluators agree, and that pycocotools is asked where they might not."""

import json

import pytest

from harness.evaluation import evaluate
from harness.evaluation.engines import ENGINES, precision_by
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.results_file import read_results
from tests.evaluation.random_data import RandomData

each_task = pytest.mark.parametrize("task", ["segm", "bbox"])


def by_both(gt_json, results_json, task):
    """Precision at all thresholds, recalls, categories, areas and numbers of detections."""
    for engine in ENGINES:
        ground_truth = read_ground_truth(gt_json, task)  # anew: pycocotools writes into it
        results = read_results(results_json, ground_truth, task)
        yield precision_by(engine, ground_truth, results, task)


def assert_same_bits(gt_json, results_json, task):
    official, fast = by_both(gt_json, results_json, task)
    assert official.evaluator.startswith("pycocotools ")
    assert fast.evaluator.startswith("hotcoco ")
    assert official.values.shape == fast.values.shape
    assert official.values.tobytes() == fast.values.tobytes()


@pytest.mark.parametrize("first", range(0, 300, 25))
def test_both_engines_agree_to_the_last_bit_on_random_data(tmp_path, first):
    gt_json, results_json = tmp_path / "gt.json", tmp_path / "results.json"
    for seed in range(first, first + 25):
        data = RandomData(seed)
        gt_json.write_text(json.dumps(data.ground_truth()))
        results_json.write_text(json.dumps(data.results))
        for task in ("segm", "bbox"):
            assert_same_bits(gt_json, results_json, task)


def test_random_data_has_all_that_could_make_a_difference():
    data = [RandomData(seed) for seed in range(300)]
    objects = [annotation for one in data for annotation in one.annotations]
    pixels = {annotation["area"] for annotation in objects}
    assert pixels >= {side * side + more for side in (32, 96) for more in (-1, 0, 1)}
    assert {annotation["iscrowd"] for annotation in objects} == {0, 1}
    assert {type(annotation["segmentation"]) for annotation in objects} == {dict, list}
    assert any(not one.annotations for one in data)
    assert any(not one.results for one in data)
    assert any(len(one.categories) == 30 for one in data)
    ids = [[image["id"] for image in one.images] for one in data]
    assert any(sorted(one) != one for one in ids)
    full, empty, without_objects = 0, 0, 0
    for one in data:
        places = [(result["image_id"], result["category_id"]) for result in one.results]
        known = {annotation["category_id"] for annotation in one.annotations}
        full += max(map(places.count, set(places)), default=0) > 100
        empty += len({annotation["image_id"] for annotation in one.annotations}) < len(one.images)
        without_objects += any(category_id not in known for _, category_id in places)
    assert min(full, empty, without_objects) > 30


@pytest.mark.parametrize("engine", ENGINES)
def test_the_objects_of_coco_given_back_as_detections_are_100_in_every_column(moved, engine):
    evaluation = evaluate(*moved(pixels=0), engine=engine)
    assert list(evaluation.ap.values()) == pytest.approx([100] * 8)


@each_task
def test_both_engines_agree_to_the_last_bit_on_moved_objects_of_coco(moved, task):
    files = moved(pixels=4)
    assert_same_bits(*files, task)
    ap = evaluate(*files, task=task).ap
    # What moved by up to 4 pixels is found at a low threshold, and not at a high one.
    assert ap["AP50"] > ap["AP75"] > ap["AP80"] > ap["AP90"]
    assert 10 < ap["AP"] < 90


def asked(scene, task="segm"):
    """Who evaluates a scene when hotcoco is asked for, and that pycocotools says the same."""
    files = scene.write()
    official, fast = (evaluate(*files, task=task, engine=engine) for engine in ENGINES)
    assert repr(fast.ap) == repr(official.ap)
    return fast.evaluator.split()[0]


def test_hotcoco_is_asked_where_the_two_agree(scene):
    assert asked(scene) == "hotcoco"


@pytest.mark.parametrize(("side", "engine"), [(1e100, "hotcoco"), (1e200, "pycocotools")])
def test_boxes_whose_areas_could_overflow_are_left_to_pycocotools(scene, side, engine):
    # 1e200 * 1e200 is infinite: then the IoU of a box with itself is inf / inf, and hotcoco says 0.
    scene.annotations[0]["bbox"] = scene.results[0]["bbox"] = [0, 0, side, side]
    assert asked(scene, task="bbox") == engine
    assert asked(scene, task="segm") == "hotcoco"


def test_annotation_ids_used_twice_are_left_to_pycocotools_and_nothing_is_printed(scene, capfd):
    scene.annotations.append(dict(scene.annotations[0]))
    scene.gt_json = scene.gt_json.with_name("minival.json")
    assert asked(scene) == "pycocotools"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("image_id", [-1, 2**64])
def test_an_id_that_hotcoco_refuses_is_left_to_pycocotools(scene, image_id):
    for item, key in ((scene.images[0], "id"), (scene.annotations[0], "image_id")):
        item[key] = image_id
    scene.results[0]["image_id"] = image_id
    assert asked(scene) == "pycocotools"


def test_a_field_of_a_type_that_hotcoco_refuses_is_left_to_pycocotools(scene):
    scene.annotations[0]["bbox"] = "none"
    assert asked(scene) == "pycocotools"
    scene.annotations[0].pop("bbox")
    scene.results[0]["segmentation"]["size"] = [160.0, 200.0]
    assert asked(scene) == "pycocotools"


def test_the_names_of_categories_make_no_difference(scene, capfd):
    scene.categories.extend([{"id": 1}, {"id": 2, "name": 7, "supercategory": 7}])
    assert asked(scene) == "hotcoco"
    assert capfd.readouterr() == ("", "")
