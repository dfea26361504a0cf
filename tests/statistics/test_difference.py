"""A difference between two methods: worked numbers, limits, what is paired, what is unknown."""

import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics.difference import Difference, degrees_of_freedom, paired_difference

DELTAS = (0.1, 0.2, 0.3)  # mean 0.2, sample variance 0.01


def interval(difference: Difference) -> tuple[float, float]:
    return difference.low, difference.high


def draws_of(*variances: float) -> np.ndarray:
    """A row for each seed of two draws that have this sample variance: ±√(v / 2)."""
    return np.array([[-math.sqrt(v / 2), math.sqrt(v / 2)] for v in variances])


def test_seeds_alone_give_the_paired_t_interval():
    # 0.01 / 3 is the variance of the mean; t of 2 degrees of freedom is 4.3027.
    found = paired_difference(DELTAS, None)
    assert found.delta == pytest.approx(0.2)
    assert found.seed_variance == pytest.approx(0.01 / 3)
    assert math.isnan(found.image_variance)
    assert found.degrees_of_freedom == 2
    half = 4.302653 * math.sqrt(0.01 / 3)
    assert interval(found) == pytest.approx((0.2 - half, 0.2 + half), rel=1e-6)
    assert found.counted == ("seeds",)


def test_both_parts_add_and_are_kept_apart():
    # V = 0.01 / 3 + 0.02 / 3 = 0.01; degrees of freedom 0.01² x 2 / (0.01 / 3)² = 18, whose t is
    # 2.1009. The same draws move all seeds alike, so that their mean moves as much as each.
    found = paired_difference(DELTAS, draws_of(0.02 / 3, 0.02 / 3, 0.02 / 3))
    assert found.seed_variance == pytest.approx(0.01 / 3)
    assert found.image_variance == pytest.approx(0.02 / 3)
    assert found.std_error == pytest.approx(0.1)
    assert found.degrees_of_freedom == pytest.approx(18)
    assert interval(found) == pytest.approx((0.2 - 0.210092, 0.2 + 0.210092), abs=1e-6)
    assert found.counted == ("seeds", "images")


def test_without_a_spread_over_images_it_is_the_paired_t_interval():
    found = paired_difference(DELTAS, np.full((3, 4), 0.2))
    assert interval(found) == pytest.approx(interval(paired_difference(DELTAS, None)))
    assert found.degrees_of_freedom == pytest.approx(2)


def test_without_a_spread_over_seeds_it_is_a_normal_interval():
    # 1.959964 x 0.1.
    found = paired_difference((0.25, 0.25), draws_of(0.01, 0.01))
    assert found.seed_variance == 0
    assert found.degrees_of_freedom == math.inf
    assert interval(found) == pytest.approx((0.25 - 0.1959964, 0.25 + 0.1959964))


def test_the_same_run_twice_differs_by_nothing_for_sure():
    found = paired_difference((0.0, 0.0, 0.0), np.zeros((3, 5)))
    assert interval(found) == (0.0, 0.0)


def test_one_seed_has_the_images_part_only_and_says_so():
    found = paired_difference((0.2,), draws_of(0.01))
    assert math.isnan(found.seed_variance)
    assert found.counted == ("images",)
    assert interval(found) == pytest.approx((0.2 - 0.1959964, 0.2 + 0.1959964))


def test_one_seed_without_draws_has_no_interval():
    found = paired_difference((0.2,), None)
    assert found.delta == pytest.approx(0.2)
    assert found.counted == ()
    assert np.isnan([found.std_error, *interval(found)]).all()


def test_noise_of_a_shared_base_leaves_the_difference():
    # Bases that differ by 1.0 AP: method 30.6, 29.7, 30.3 and baseline 30.5, 29.5, 30.0. Unpaired,
    # (0.21 + 0.25) / 3 = 0.153 would be the variance of their difference, 46 times as much.
    method, baseline = np.array([30.6, 29.7, 30.3]), np.array([30.5, 29.5, 30.0])
    found = paired_difference(list(method - baseline), None)
    assert found.seed_variance == pytest.approx(0.01 / 3)
    unpaired = (method.var(ddof=1) + baseline.var(ddof=1)) / 3
    assert unpaired / found.seed_variance == pytest.approx(46)


def test_what_all_seeds_share_of_the_images_does_not_shrink_with_them():
    # Variance 0.04 in each of four seeds: 0.04 where all move together; nothing where two move
    # against two, since the mean stays.
    together, apart = draws_of(*[0.04] * 4), draws_of(*[0.04] * 4)
    apart[:2] *= -1
    deltas = (0.1, 0.2, 0.1, 0.2)
    assert paired_difference(deltas, together).image_variance == pytest.approx(0.04)
    assert paired_difference(deltas, apart).image_variance == pytest.approx(0.0)


def test_a_metric_without_ground_truth_has_no_difference():
    found = paired_difference((0.1, math.nan, 0.3), draws_of(0.01, 0.01, 0.01))
    numbers = (found.delta, found.seed_variance, found.image_variance, found.std_error)
    assert np.isnan([*numbers, *interval(found)]).all()
    assert found.n == 3


def test_draws_without_ground_truth_are_left_out():
    nothing = np.full((3, 1), math.nan)
    draws = draws_of(0.01, 0.01, 0.01)
    found = paired_difference(DELTAS, np.hstack([draws, nothing]))
    assert found.image_variance == pytest.approx(0.01)
    # One draw is left, which has no variance: the images are not counted, and it says so.
    found = paired_difference(DELTAS, np.hstack([draws[:, :1], nothing]))
    assert found.counted == ("seeds",)


def test_draws_of_fewer_seeds_stand_in_for_those_of_all():
    # Two of three seeds, which move against each other in part: ±0.1 and ±0.3 are ±0.2 on average,
    # of variance 0.08. All three seeds count in the other part.
    found = paired_difference(DELTAS, np.array([[-0.1, 0.1], [-0.3, 0.3]]))
    assert found.image_variance == pytest.approx(0.08)
    assert (found.n, found.seed_variance) == pytest.approx((3, 0.01 / 3))


def test_a_larger_image_part_of_fewer_seeds_brings_no_degrees_of_freedom():
    # S / n is 0.01 / 3. Two seeds move by ±0.05, the third against them: a mean of ±0.05 / 3, whose
    # variance is a 6th of S / n. Without the third it is ±0.05, 0.005 or 1.5 S / n: by Welch and
    # Satterthwaite 12.5 degrees of freedom in place of 2.7, and an interval that is narrower.
    move = np.array([[-0.05, 0.05]] * 2 + [[0.05, -0.05]])
    whole, lacking = paired_difference(DELTAS, move), paired_difference(DELTAS, move[:2])
    assert degrees_of_freedom(0.01 / 3, 0.005, 3) == pytest.approx(12.5)
    assert 2.178813 * math.sqrt(0.01 / 3 + 0.005) < whole.high - 0.2  # t of 12 degrees
    assert lacking.degrees_of_freedom == 2
    assert lacking.high - 0.2 == pytest.approx(4.302653 * math.sqrt(0.01 / 3 + 0.005), rel=1e-6)


def test_a_wider_confidence_is_a_wider_interval():
    # t of 2 degrees of freedom: 9.9248 at 99%.
    found = paired_difference(DELTAS, None, confidence=0.99)
    assert found.high == pytest.approx(0.2 + 9.924843 * math.sqrt(0.01 / 3), rel=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 32])
@pytest.mark.parametrize("images", [0.0, 1e-4, 0.01, 1.0, 1e9])  # the last: as good as normal
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_an_interval_has_the_quantile_of_t(n, images, confidence):
    found = Difference(0.2, n, 0.01 / n, images, confidence)
    quantile = stats.t.ppf((1 + confidence) / 2, found.degrees_of_freedom)
    assert found.high - 0.2 == pytest.approx(quantile * found.std_error, rel=1e-10)
    without_seeds = Difference(0.2, n, 0.0, 1.0, confidence)
    assert without_seeds.high - 0.2 == pytest.approx(
        stats.norm.ppf((1 + confidence) / 2), rel=1e-10
    )


def test_degrees_of_freedom_go_from_those_of_the_seeds_to_infinity():
    # (1 + B / (S / n))² (n - 1): 4 = 1² x 4, 16 = 2² x 4.
    assert degrees_of_freedom(0.5, 0.0, 5) == 4
    assert degrees_of_freedom(0.5, 0.5, 5) == 16
    assert degrees_of_freedom(1e-300, 1.0, 5) == math.inf
    assert degrees_of_freedom(0.0, 0.0, 5) == math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), None), "deltas must hold one value per seed; got none"),
        (
            (DELTAS, np.zeros((4, 9))),
            r"\(1 to 3, 2 or more\), at most a row for each delta; got \(4,",
        ),
        ((DELTAS, np.zeros((0, 9))), r"got \(0, 9\)"),
        ((DELTAS, np.zeros((3, 1))), r"got \(3, 1\)"),
        ((DELTAS, np.zeros(3)), r"got \(3,\)"),
        ((DELTAS, None, 95), "confidence must be between 0 and 1; got 95"),
    ],
)
def test_a_wrong_call_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(*arguments)


TRUTH, TRIALS, DRAWS = 0.2, 2000, 200


@pytest.mark.parametrize("n", [3, 5, 8])
def test_intervals_of_95_percent_hold_the_truth_about_as_often(n):
    # Parts of the same size: seeds 0.3 / √n, and images just that. Integration over the sample
    # variance of the seeds gives 94.1, 94.7 and 94.9%; 2,000 trials have a standard error of 0.5%.
    draw = np.random.default_rng(20 + n)
    image_std = 0.3 / math.sqrt(n)
    deltas = TRUTH + draw.normal(0, 0.3, (TRIALS, n)) + draw.normal(0, image_std, (TRIALS, 1))
    drawn = draw.normal(0, image_std, (TRIALS, 1, DRAWS)) + deltas[:, :, None]
    found = [paired_difference(list(d), r) for d, r in zip(deltas, drawn, strict=True)]
    held = np.mean([one.low <= TRUTH <= one.high for one in found])
    assert 0.93 <= held <= 0.97
