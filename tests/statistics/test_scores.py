import math
from dataclasses import replace

import numpy as np
import pytest

from harness.statistics.scores import Score, difference, mean, redrawn

approx = pytest.approx


def row(*values, draws=None):
    """A row whose run of seed 0, 1, ... has these values; its draws are the value plus these."""
    return {
        seed: Score(
            f"run{seed}", {"AP": value}, {} if draws is None else {"AP": value + np.array(draws)}
        )
        for seed, value in enumerate(values)
    }


def test_the_error_of_a_mean_is_the_spread_over_seeds_by_the_root_of_n():
    # 30, 31, 32: mean 31, standard deviation 1, so 1 / sqrt(3).
    found = mean(row(30, 31, 32), "AP")
    assert (found.value, found.std_error, found.n) == approx((31, 1 / math.sqrt(3), 3))


def test_one_seed_has_no_error_and_none_has_no_mean():
    assert math.isnan(mean(row(30), "AP").std_error)
    assert math.isnan(mean({}, "AP").value)
    assert mean(row(30, 31), "APs").n == 0


def test_a_difference_is_of_the_seeds_that_both_rows_have():
    # Seeds 0 and 1: 31 - 30 and 33 - 31. The baseline's seed 2 has no partner.
    found = difference(row(31, 33), row(30, 31, 50), "AP")
    assert (found.delta, found.n) == approx((1.5, 2))


def test_rows_without_a_seed_in_common_have_no_difference():
    assert difference(row(30), {}, "AP") is None
    assert difference({1: Score("a", {"AP": 1.0})}, row(30), "AP") is None


def test_what_images_do_to_both_rows_leaves_their_difference():
    # Both rows move by the same in each draw, so the images add nothing to the variance.
    found = difference(row(31, 33, draws=[-2, 0, 2]), row(30, 31, draws=[-2, 0, 2]), "AP")
    assert found.image_variance == approx(0)
    assert found.counted == ("seeds", "images")


def test_where_no_seed_has_draws_of_both_runs_only_seeds_are_counted():
    found = difference(row(31, 33, draws=[-2, 2]), row(30, 31), "AP")
    assert found.counted == ("seeds",)


def test_a_run_without_draws_makes_a_difference_no_surer():
    # Each seed moves by ±1 in the draws: variance 2, of the mean of three seeds as of that of two.
    method, baseline = row(31, 31.1, 31.2, draws=[-1, 1]), row(30, 30, 30, draws=[0, 0])
    whole = difference(method, baseline, "AP")
    lacking = difference(method, baseline | {2: Score("run2", {"AP": 30})}, "AP")
    assert (whole.image_variance, lacking.image_variance) == approx((2, 2))
    assert (lacking.n, lacking.delta) == approx((3, whole.delta))
    assert lacking.low < whole.low


def test_seeds_and_images_are_drawn_alike_for_all_rows():
    # The second row is 1 above the first in each seed, so it is in each replicate.
    one, other = redrawn([row(30, 40, draws=[0, 5, 9]), row(31, 41, draws=[0, 5, 9])], "AP")
    assert (other - one).tolist() == approx([1, 1, 1])
    # A mean of two seeds, drawn with replacement: 30, 35 or 40, plus that draw's images.
    assert set(one - [0, 5, 9]) <= {30, 35, 40}


def test_of_one_seed_a_replicate_is_the_draw_of_images():
    (found,) = redrawn([row(30, draws=[0, 5, 9])], "AP")
    assert found.tolist() == [30, 35, 39]


def on(what, scores):
    return {seed: replace(one, tested_on=what) for seed, one in scores.items()}


def test_rows_that_were_tested_on_other_images_have_no_difference_and_no_replicates():
    # Draw 0 of one set of images has nothing to do with draw 0 of another.
    one, other = row(31, 33, draws=[-2, 2]), row(30, 31, draws=[-2, 2])
    on_minival, on_val = on("minival", one), on("val2017", other)
    assert difference(on_minival, on_val, "AP") is None
    assert [found.size for found in redrawn([on_minival, on_val], "AP")] == [0, 0]
    # Nor where it is so in one run alone.
    assert difference(on_minival, on("minival", other) | {1: on_val[1]}, "AP") is None
    alike = on("minival", other)
    assert difference(on_minival, alike, "AP").delta == approx(1.5)
    assert [found.size for found in redrawn([on_minival, alike], "AP")] == [2, 2]


def test_where_it_is_not_known_what_runs_were_tested_on_they_are_compared():
    one, other = row(31, 33, draws=[-2, 2]), row(30, 31, draws=[-2, 2])
    assert difference(on("minival", one), other, "AP").n == 2


def test_there_are_replicates_only_where_every_run_of_the_common_seeds_has_draws():
    assert [found.size for found in redrawn([row(30, draws=[1]), row(30)], "AP")] == [0, 0]
    # Of three seeds the last lacks them in one row: two would say more than they know.
    one, other = row(30, 31, 32, draws=[0, 1]), row(30, 31, 32, draws=[0, 1])
    bare = {2: Score("run2", {"AP": 32})}
    assert [found.size for found in redrawn([one, other], "AP")] == [2, 2]
    assert [found.size for found in redrawn([one, other | bare], "AP")] == [0, 0]
    # A seed that one row has alone counts in neither, with draws or without.
    two = {seed: other[seed] for seed in (0, 1)}
    assert [found.size for found in redrawn([one | bare, two], "AP")] == [2, 2]
    assert redrawn([], "AP") == []
