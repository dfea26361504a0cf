import json
import math

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from harness.evaluation import coco_ap

ENGINES = ("pycocotools", "hotcoco")
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_task = pytest.mark.parametrize("task", ["segm", "bbox"])
approx = pytest.approx


def by_both(gt_json, results_json, task):
    """AP by each engine, as bytes: NaN equals NaN, and nothing else is forgiven."""
    return [
        np.array(list(coco_ap(gt_json, results_json, task=task, engine=engine).values())).tobytes()
        for engine in ENGINES
    ]


@each_engine
@each_task
def test_an_exact_detection_of_the_only_object_is_100_and_absent_sizes_are_nan(scene, task, engine):
    # The object has 100 pixels, so it is small; there is nothing medium or large to find.
    ap = coco_ap(*scene.write(), task=task, engine=engine)
    assert ap == approx(
        {"AP": 100, "AP50": 100, "AP75": 100, "APs": 100, "APm": math.nan, "APl": math.nan},
        nan_ok=True,
    )


@each_engine
@each_task
def test_iou_just_above_0_6_passes_three_of_ten_thresholds(new_scene, task, engine):
    # The object has 100 x 100, the detection its upper 62 rows: IoU 0.62, so it is right at 0.50,
    # 0.55 and 0.60 and wrong at the other seven of 0.50:0.05:0.95.
    scene = new_scene()
    scene.add_object(0, 0, 100, 100)
    scene.detect(0, 0, 100, 62, score=0.5)
    ap = coco_ap(*scene.write(), task=task, engine=engine)
    assert (ap["AP"], ap["AP50"], ap["AP75"], ap["APl"]) == approx((30, 100, 0, 30))


@each_engine
def test_precision_is_averaged_over_101_recalls(new_scene, engine):
    # Two objects. By score: a wrong detection, then a right one. At the right one recall is 1/2 and
    # precision 1/2: the recalls 0.00 .. 0.50 are 51 of 101, each with precision 1/2, the rest 0.
    scene = new_scene()
    scene.add_object(0, 0, 10, 10)
    scene.add_object(50, 0, 10, 10)
    scene.detect(100, 100, 10, 10, score=0.9)
    scene.detect(0, 0, 10, 10, score=0.8)
    assert coco_ap(*scene.write(), engine=engine)["AP"] == approx(100 * 51 / 101 / 2)


@each_engine
def test_a_detection_inside_a_crowd_is_neither_right_nor_wrong(scene, engine):
    scene.add_object(60, 60, 80, 80, iscrowd=1)
    scene.detect(70, 70, 20, 20, score=0.9)
    assert coco_ap(*scene.write(), engine=engine)["AP"] == approx(100)


@each_engine
def test_only_the_best_100_detections_of_an_image_count(scene, engine):
    # The right one has score 0.5 and comes after 100 wrong ones.
    for _ in range(100):
        scene.detect(100, 100, 10, 10, score=0.9)
    assert coco_ap(*scene.write(), engine=engine)["AP"] == 0


@each_engine
@pytest.mark.parametrize(("side", "sizes"), [(32, ("APs", "APm")), (96, ("APm", "APl"))])
def test_an_object_on_the_border_of_two_sizes_belongs_to_both(new_scene, side, sizes, engine):
    scene = new_scene()
    scene.add_object(0, 0, side, side)
    scene.detect(0, 0, side, side, score=0.5)
    ap = coco_ap(*scene.write(), engine=engine)
    assert {key for key in ("APs", "APm", "APl") if not math.isnan(ap[key])} == set(sizes)


@each_engine
def test_a_mask_is_sized_by_its_pixels_even_with_a_box_beside_it(scene, engine):
    # A wrong detection, with more score than the right one: two small squares far apart, 200 pixels
    # in a box of 100 x 100. By its pixels it is small and halves the precision of APs; by its box
    # it would be large and APs 100.
    scene.detect(100, 50, 100, 100, score=0.9)
    scene.results[-1]["segmentation"] = scene.mask((100, 50, 10, 10), (190, 140, 10, 10))
    assert coco_ap(*scene.write(), engine=engine)["APs"] == approx(50)


@each_engine
@each_task
def test_no_detections_at_all_is_0_where_there_is_something_to_find(scene, task, engine):
    scene.results.clear()
    ap = coco_ap(*scene.write(), task=task, engine=engine)
    assert (ap["AP"], ap["AP50"], ap["AP75"], ap["APs"]) == (0, 0, 0, 0)
    assert math.isnan(ap["APm"])
    assert math.isnan(ap["APl"])


@each_engine
@each_task
@pytest.mark.parametrize("detections", [0, 1])
def test_without_ground_truth_every_ap_is_nan(scene, task, engine, detections):
    scene.annotations.clear()
    del scene.results[detections:]
    ap = coco_ap(*scene.write(), task=task, engine=engine)
    assert all(math.isnan(value) for value in ap.values())


@each_engine
def test_nothing_is_printed(scene, capfd, engine):
    coco_ap(*scene.write(), engine=engine)
    assert capfd.readouterr() == ("", "")


def test_paths_may_be_strings(scene):
    gt_json, results_json = scene.write()
    assert coco_ap(str(gt_json), str(results_json))["AP"] == approx(100)


def test_an_unknown_task_is_named_with_those_that_exist(scene):
    with pytest.raises(ValueError, match=r"^task must be one of segm, bbox; got 'mask'$"):
        coco_ap(*scene.write(), task="mask")


def test_an_unknown_engine_is_named_with_those_that_exist(scene):
    message = r"^engine must be one of pycocotools, hotcoco; got 'coco'$"
    with pytest.raises(ValueError, match=message):
        coco_ap(*scene.write(), engine="coco")


def random_scene(new_scene, seed):
    """Objects, crowds, good and bad detections with tied scores; now and then empty or crowded."""
    rng = np.random.default_rng(seed)
    scene = new_scene(images=4, categories=2)
    for image_id in range(4):
        for _ in range(rng.choice([0, 1, 3, 6])):
            side = int(rng.choice([1, 10, 32, 50, 96, 120]))
            x, y = int(rng.integers(0, 200 - side)), int(rng.integers(0, 160 - side))
            place = {"image_id": image_id, "category_id": int(rng.integers(2))}
            scene.add_object(x, y, side, side, iscrowd=int(rng.random() < 0.2), **place)
            for _ in range(rng.choice([0, 1, 2])):
                dx, dy, grow = (int(shift) for shift in rng.integers(-2, 3, 3))
                size = max(side + grow, 1)
                score = float(rng.choice([0.25, 0.5, 0.75, rng.random()]))
                scene.detect(max(x + dx, 0), max(y + dy, 0), size, size, score=score, **place)
        for _ in range(rng.choice([0, 2, 120], p=[0.5, 0.4, 0.1])):
            x, y, width, height = (int(number) for number in rng.integers(1, 100, 4))
            score = float(rng.choice([0.25, 0.5, rng.random()]))
            scene.detect(x, y, width, height, score=score, image_id=image_id)
    return scene


@pytest.mark.parametrize("seed", range(60))
def test_both_engines_agree_to_the_last_bit_on_random_scenes(new_scene, seed):
    files = random_scene(new_scene, seed).write()
    for task in ("segm", "bbox"):
        official, fast = by_both(*files, task)
        assert official == fast


@pytest.fixture
def moved(coco_mini, tmp_path):
    """Write COCO's own objects, moved by some pixels, as detections: their two files."""
    gt_json = coco_mini / "annotations" / "instances_val2017.json"

    def write(pixels):
        rng = np.random.default_rng(0)
        index = COCO(gt_json)
        results = []
        for annotation in index.anns.values():
            if annotation["iscrowd"]:
                continue
            shift = rng.integers(-pixels, pixels + 1, 2)
            mask = np.roll(index.annToMask(annotation), shift, axis=(0, 1))
            encoded = rle.encode(np.asfortranarray(mask))
            results.append(
                {
                    "image_id": annotation["image_id"],
                    "category_id": annotation["category_id"],
                    "score": round(float(rng.random()), 2),
                    "bbox": rle.toBbox(encoded).tolist(),
                    "segmentation": {**encoded, "counts": encoded["counts"].decode()},
                }
            )
        results_json = tmp_path / "results.json"
        results_json.write_text(json.dumps(results))
        return gt_json, results_json

    return write


@each_engine
def test_the_objects_of_coco_given_back_as_detections_are_100_in_every_column(moved, engine):
    ap = coco_ap(*moved(pixels=0), engine=engine)
    assert list(ap.values()) == approx([100] * 6)


@each_task
def test_both_engines_agree_to_the_last_bit_on_moved_objects_of_coco(moved, task):
    files = moved(pixels=4)
    official, fast = by_both(*files, task)
    assert official == fast
    assert 10 < coco_ap(*files, task=task)["AP"] < 90
