import math

import numpy as np
import pytest

from harness.evaluation import coco_ap, paired_bootstrap
from harness.evaluation.bootstrap import draws
from tests.evaluation.random_data import RandomData
from tests.evaluation.test_average_precision import repeated, write

approx = pytest.approx


@pytest.fixture
def two(new_scene):
    """Thirty images, in each one object, found by both files, more exactly by the second.

    Returns the ground truth and the two results files.
    """
    rng = np.random.default_rng(0)
    scene = new_scene(images=30)
    for image_id in range(30):
        scene.add_object(20, 20, 100, 100, image_id=image_id)
    files = []
    for name, most in (("a", 30), ("b", 22)):
        scene.results.clear()
        for image_id in range(30):
            shift = int(rng.integers(0, most))
            score = float(rng.random())
            scene.detect(20 + shift, 20, 100, 100, score=score, image_id=image_id)
        gt_json, results_json = scene.write()
        files.append(results_json.rename(results_json.with_name(f"{name}.json")))
    return gt_json, *files


def test_delta_is_the_second_ap_minus_the_first_in_every_metric(two):
    gt_json, a, b = two
    found = paired_bootstrap(gt_json, a, b, replicates=10)
    first, second = coco_ap(gt_json, a), coco_ap(gt_json, b)
    assert found.delta == approx(second["AP"] - first["AP"], abs=1e-9)
    for metric in first:
        expected = second[metric] - first[metric]
        assert found.by_metric[metric].delta == approx(expected, abs=1e-9, nan_ok=True)
    assert {"AP80", "AP90"} <= set(found.by_metric)


def test_a_file_compared_with_itself_differs_by_nothing_in_every_draw(two):
    found = paired_bootstrap(two[0], two[1], two[1], replicates=50)
    assert found.replicates.tolist() == [0] * 50
    assert (found.delta, found.std_error, found.low, found.high) == (0, 0, 0, 0)


def test_the_interval_is_the_percentiles_of_the_draws(two):
    found = paired_bootstrap(*two, replicates=200, confidence=0.8)
    assert [found.low, found.high] == approx(np.quantile(found.replicates, [0.1, 0.9]).tolist())
    assert found.std_error == approx(np.std(found.replicates, ddof=1))
    assert found.low < found.delta < found.high


def test_one_seed_draws_the_same_images_and_another_others(two):
    first, again, other = (
        paired_bootstrap(*two, replicates=20, seed=seed).replicates.tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_metric_without_ground_truth_is_nan(two):
    small = paired_bootstrap(*two, replicates=10).by_metric["APs"]
    assert all(map(math.isnan, (small.delta, small.low, small.high, small.std_error)))


def turned(data):
    """The same detections, the surest of them now the least sure."""
    for one in data.results:
        one["score"] = 1 - one["score"]
    return data


def test_draws_are_data_sets_in_which_images_stand_several_times(tmp_path):
    # The draws that the seed makes, one data set for each, by an evaluator that knows no weights.
    gt_json, results = write(tmp_path, turned(RandomData(5)))
    a = results.rename(tmp_path / "a.json")
    found = paired_bootstrap(gt_json, a, write(tmp_path, RandomData(5))[1], replicates=25, seed=7)

    images = len(RandomData(5).images)
    assert images > 2
    expected = []
    for weights in draws(images, replicates=25, seed=7):
        one, other = (
            coco_ap(*write(tmp_path, repeated(data, weights)))["AP"]
            for data in (turned(RandomData(5)), RandomData(5))
        )
        expected.append(other - one)
    np.testing.assert_allclose(found.replicates, expected, rtol=0, atol=1e-9)
    assert np.nanstd(expected) > 0


def test_boxes_and_boundaries_are_compared_too(two):
    gt_json, a, b = two
    of_boxes = paired_bootstrap(*two, task="bbox", replicates=10)
    boxes = [coco_ap(gt_json, results, task="bbox")["AP"] for results in (a, b)]
    assert of_boxes.delta == approx(boxes[1] - boxes[0], abs=1e-9)
    of_masks, of_boundaries = (
        paired_bootstrap(*two, task=task, replicates=10).delta for task in ("segm", "boundary")
    )
    assert of_boundaries != of_masks


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"task": "masks"}, "task must be one of segm, bbox, boundary; got 'masks'"),
        ({"replicates": 1}, "replicates must be at least 2; got 1"),
        ({"confidence": 95}, "confidence must be between 0 and 1; got 95"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(two, wrong, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        paired_bootstrap(*two, **wrong)


def test_each_draw_has_as_many_images_as_there_are_and_each_is_as_likely():
    drawn = draws(images=50, replicates=2000, seed=0)
    assert (drawn.sum(axis=1) == 50).all()
    # 2,000 draws of 50: each image 2,000 times on average, with a standard deviation of 44.
    assert abs(drawn.sum(axis=0) - 2000).max() < 4 * 44
    # Not there at all: (1 - 1/50)^50 = 36.4 % of the time.
    assert (drawn == 0).mean() == approx(0.364, abs=0.005)


def test_draws_are_the_same_in_every_version_of_numpy():
    # What was drawn with an earlier one can be compared with what is drawn with this.
    pinned = [[1, 2, 0, 1], [0, 1, 1, 2], [2, 1, 0, 1]]
    assert draws(images=4, replicates=3, seed=0).tolist() == pinned
    assert draws(images=0, replicates=3, seed=0).shape == (3, 0)
