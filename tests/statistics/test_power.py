"""Power: against published values of the paired t-test, its limits, and the test itself."""

import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics.difference import degrees_of_freedom
from harness.statistics.power import (
    Noise,
    detection_power,
    seeds_needed,
    smallest_by_images,
    smallest_detectable,
)

ONE = Noise(seed_std=1.0)


@pytest.mark.parametrize(
    ("n", "effect", "published"),
    [(10, 1.0, 0.803), (15, 0.8, 0.821), (34, 0.5, 0.808), (199, 0.2, 0.802)],
)
def test_without_an_image_part_it_is_the_power_of_the_paired_t_test(n, effect, published):
    # Two-sided at 5%: sample sizes for 80% that power tables and calculators give for a paired
    # t-test with Cohen's d, and the power that they reach.
    assert detection_power(ONE, n, effect) == pytest.approx(published, abs=0.001)
    assert detection_power(ONE, n - 1, effect) < 0.8 < detection_power(ONE, n, effect)


@pytest.mark.parametrize(("effect", "seeds"), [(0.8, 15), (0.5, 34), (0.2, None)])
def test_the_seeds_that_a_difference_takes_are_those_of_the_tables(effect, seeds):
    # The last takes 199, which is more than the 64 looked at.
    assert seeds_needed(ONE, effect) == seeds
    assert seeds_needed(ONE, 0.2, most=200) == 199


@pytest.mark.parametrize("n", [2, 3, 5, 20, 64])
@pytest.mark.parametrize("image_std", [0.0, 1e-3, 0.2, 1e3, 1e9])  # the last: as good as normal
@pytest.mark.parametrize("level", [0.1, 0.05, 0.01])
def test_power_is_that_of_the_noncentral_t(n, image_std, level):
    noise = Noise(0.35, image_std)
    std_error = math.sqrt(0.35**2 / n + image_std**2)
    degrees = degrees_of_freedom(0.35**2 / n, image_std**2, n)
    quantile = stats.t.ppf(1 - level / 2, degrees)
    for shift in (0.0, 0.1, 1.0, 2.8, 8.0, 30.0, 50.0, 1e4):
        expected = stats.nct.sf(quantile, degrees, shift)
        found = detection_power(noise, n, shift * std_error, level=level)
        assert found == pytest.approx(expected, abs=1e-10)
    by_images = stats.norm.ppf(1 - level / 2) + stats.norm.ppf(0.8)
    assert smallest_by_images(noise, level=level) == pytest.approx(image_std * by_images, rel=1e-10)


def test_a_difference_scales_with_its_noise():
    small = smallest_detectable(Noise(0.1, 0.05), 5)
    assert smallest_detectable(Noise(0.3, 0.15), 5) == pytest.approx(3 * small)


@pytest.mark.parametrize("n", [2, 3, 8, 64])
@pytest.mark.parametrize("image_std", [0.0, 0.2])
@pytest.mark.parametrize("power", [0.06, 0.5, 0.8, 0.999])
def test_the_smallest_difference_is_detected_with_the_power_asked_for(n, image_std, power):
    noise = Noise(0.35, image_std)
    smallest = smallest_detectable(noise, n, power=power)
    assert detection_power(noise, n, smallest) == pytest.approx(power, abs=1e-6)


def test_a_stricter_level_takes_a_larger_difference():
    assert smallest_detectable(ONE, 5, level=0.01) > smallest_detectable(ONE, 5)


def test_a_difference_of_nothing_is_found_on_its_side_in_half_of_the_level():
    assert detection_power(ONE, 5, 0.0) == pytest.approx(0.025)


def test_no_verdict_rests_on_fewer_than_three_seeds():
    # 1,000 times its noise: two seeds would detect it.
    assert detection_power(ONE, 2, 1000.0) > 0.8
    assert seeds_needed(ONE, 1000.0) == 3


def test_images_alone_forbid_what_no_number_of_seeds_can_mend():
    # (1.959964 + 0.841621) x 0.1 = 0.2802 is the least that infinitely many seeds detect.
    noise = Noise(0.35, 0.1)
    assert smallest_by_images(noise) == pytest.approx(0.2801585)
    assert smallest_detectable(noise, 1_000_000) == pytest.approx(0.2801585, abs=1e-4)
    assert seeds_needed(noise, 0.28, most=3000) is None
    assert seeds_needed(noise, 0.3, most=3000) is not None
    assert smallest_by_images(ONE) == 0


def test_with_an_image_part_it_is_what_tests_on_simulated_runs_detect():
    # Six seeds with 0.3 between them, images 0.1 and known. The formula holds S at its mean and
    # gives 80%; integration over S gives 79.4%, and 40,000 trials have a standard error of 0.2%.
    n, noise, trials = 6, Noise(0.3, 0.1), 40_000
    truth = smallest_detectable(noise, n)
    draw = np.random.default_rng(0)
    deltas = truth + draw.normal(0, 0.3, (trials, n)) + draw.normal(0, 0.1, (trials, 1))
    seeds = deltas.var(axis=1, ddof=1) / n
    whole = seeds + 0.1**2
    quantile = stats.t.ppf(0.975, whole**2 * (n - 1) / seeds**2)
    detected = np.mean(deltas.mean(axis=1) > quantile * np.sqrt(whole))
    assert detected == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Noise(0.0), "seed_std must be positive and finite; got 0.0"),
        (lambda: Noise(math.nan), "seed_std must be positive and finite; got nan"),
        (lambda: Noise(1.0, -0.1), "image_std must be 0 or more and finite; got -0.1"),
        (lambda: Noise(1.0, math.inf), "image_std must be 0 or more and finite; got inf"),
        (lambda: detection_power(ONE, 1, 0.5), "n must be 2 or more; got 1"),
        (lambda: smallest_detectable(ONE, 3, power=0.05), "between level=0.05 and 1; got 0.05"),
    ],
)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
