import math

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from harness.evaluation import coco_ap, evaluate
from harness.evaluation.coco import PLACES
from harness.records import EXTENDED_METRICS, METRICS

ENGINES = ("pycocotools", "hotcoco")
each_engine = pytest.mark.parametrize("engine", ENGINES)
approx = pytest.approx


@pytest.fixture
def two_categories(new_scene):
    """Of category 0 one object found exactly and one not at all, of category 1 a part of one.

    The part has 84 of 100 rows, an IoU of 0.84.
    """
    scene = new_scene(categories=3)
    scene.add_object(0, 0, 10, 10)
    scene.add_object(50, 0, 10, 10)
    scene.add_object(0, 20, 100, 100, category_id=1)
    scene.detect(0, 0, 10, 10, score=0.9)
    scene.detect(0, 20, 100, 84, score=0.8, category_id=1)
    return scene


@each_engine
def test_each_category_has_its_own_ap_and_the_whole_is_their_mean(two_categories, engine):
    # Category 0: recall 1/2 with precision 1, so 51 of 101 recalls at every threshold. Category 1:
    # right at the seven thresholds 0.50 .. 0.80 of ten. Category 2 has nothing to find.
    half = 100 * 51 / 101
    evaluation = evaluate(*two_categories.write(), engine=engine)
    ap = {name: metrics["AP"] for name, metrics in evaluation.per_category.items()}
    assert ap == approx({"0": half, "1": 70, "2": math.nan}, nan_ok=True)
    assert evaluation.ap["AP"] == approx((half + 70) / 2)


@each_engine
def test_ap80_and_ap90_are_the_ap_at_one_threshold(two_categories, engine):
    # An IoU of 0.84 is right at 0.80 and wrong at 0.90.
    part = evaluate(*two_categories.write(), engine=engine).per_category["1"]
    found = {metric: part[metric] for metric in ("AP50", "AP75", "AP80", "AP90")}
    assert found == approx({"AP50": 100, "AP75": 100, "AP80": 100, "AP90": 0})


@each_engine
@pytest.mark.parametrize(
    ("rows", "ap80", "ap90"), [(79, 0, 0), (80, 100, 0), (89, 100, 0), (90, 100, 100)]
)
def test_an_iou_exactly_on_a_threshold_passes_it(new_scene, rows, ap80, ap90, engine):
    scene = new_scene()
    scene.add_object(0, 0, 100, 100)
    scene.detect(0, 0, 100, rows, score=0.5)
    ap = evaluate(*scene.write(), engine=engine).ap
    assert (ap["AP80"], ap["AP90"]) == approx((ap80, ap90))


@each_engine
def test_coco_ap_is_the_first_six_metrics(two_categories, engine):
    files = two_categories.write()
    evaluation = evaluate(*files, engine=engine)
    assert tuple(evaluation.ap) == tuple(evaluation.per_category["0"]) == EXTENDED_METRICS
    first_six = coco_ap(*files, engine=engine)
    assert tuple(first_six) == METRICS
    assert repr(first_six) == repr({metric: evaluation.ap[metric] for metric in METRICS})


@each_engine
def test_the_first_six_are_to_the_last_bit_what_pycocotools_prints(two_categories, engine, capsys):
    gt_json, results_json = two_categories.write()
    truth = COCO(gt_json)
    official = COCOeval(truth, truth.loadRes(str(results_json)), "segm")
    official.evaluate()
    official.accumulate()
    official.summarize()
    capsys.readouterr()
    expected = [float(value) * 100 if value > -1 else math.nan for value in official.stats[:6]]
    found = list(coco_ap(gt_json, results_json, engine=engine).values())
    assert np.array(found).tobytes() == np.array(expected).tobytes()


def test_the_places_of_the_metrics_are_where_pycocotools_has_these_thresholds():
    thresholds = COCOeval(iouType="segm").params.iouThrs
    at = {metric: thresholds[place] for metric, (place, _) in PLACES.items()}
    assert {metric: at[metric] for metric in ("AP50", "AP75", "AP80", "AP90")} == {
        "AP50": [0.5],
        "AP75": approx([0.75]),
        "AP80": approx([0.8]),
        "AP90": approx([0.9]),
    }


def test_what_was_compared_is_counted(two_categories):
    # Annotations of images and categories that the file does not list are not compared.
    two_categories.add_object(60, 60, 80, 80, iscrowd=1)
    two_categories.add_object(0, 0, 9, 9, category_id=77)
    two_categories.add_object(0, 0, 9, 9, image_id=77)
    evaluation = evaluate(*two_categories.write(), task="bbox")
    counts = (evaluation.images, evaluation.objects, evaluation.crowds, evaluation.detections)
    assert counts == (1, 3, 1, 2)
    assert evaluation.task == "bbox"
    assert evaluation.evaluator.startswith("pycocotools 2.")


def test_categories_are_named_in_the_order_of_their_ids(two_categories):
    for category, name in zip(two_categories.categories, ("cat", "dog", "ant"), strict=True):
        category["name"] = name
    two_categories.categories.reverse()
    per_category = evaluate(*two_categories.write()).per_category
    assert list(per_category) == ["cat", "dog", "ant"]
    assert per_category["dog"]["AP"] == approx(70)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("cat", "dog", "cat"), ["cat (id 0)", "dog (id 1)", "cat (id 2)"]),
        (("cat", None, "ant"), ["cat (id 0)", "unnamed (id 1)", "ant (id 2)"]),
        (("a", "a", "a (id 0)"), ["a (id 0)", "a (id 1)", "a (id 0) (id 2)"]),
    ],
)
def test_categories_without_a_name_of_their_own_go_by_their_ids_too(two_categories, names, shown):
    for category, name in zip(two_categories.categories, names, strict=True):
        category["name"] = name
    assert list(evaluate(*two_categories.write()).per_category) == shown
