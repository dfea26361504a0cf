import math

import pytest

from harness.evaluation import coco_ap

ENGINES = ("pycocotools", "hotcoco")
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_task = pytest.mark.parametrize("task", ["segm", "bbox"])
approx = pytest.approx


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
