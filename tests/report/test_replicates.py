import math

import numpy as np
import pytest

from harness.report.claims import CLAIMS
from harness.report.replicates import best_row, shares

CLAIM = {claim.name: claim for claim in CLAIMS}


def networks(**gains):
    """Replicates of the mAP of Table III: each network's baseline is at 30."""
    cells = {}
    for network, gain in gains.items():
        cells["table3", network] = {"AP": np.full(len(gain), 30.0)}
        cells["table3", f"{network}+contour"] = {"AP": 30.0 + np.array(gain)}
    return cells


def test_the_share_of_a_statement_is_that_of_the_replicates_in_which_it_holds():
    cells = networks(
        R50=[0.3, 0.2, 0.1, -0.1],  # 3 of 4 gain
        R101=[0.1, -0.1, 0.0, -0.2],  # 1 of 4: no gain is none
        X101=[0.1, 0.1, 0.1, 0.1],
        HTC=[-1.0, -1.0, -1.0, -1.0],
    )
    assert shares(CLAIM["gains in mAP"], cells) == [0.75, 0.25, 1.0, 0.0]


def test_differences_are_taken_within_a_replicate():
    # Both rows move by points from one replicate to the next, and the gain is 0.2 in each.
    moves = np.array([28.0, 30.0, 33.0])
    cells = {
        ("table3", "R50"): {"AP": moves},
        ("table3", "R50+contour"): {"AP": moves + 0.2},
    }
    assert shares(CLAIM["gains on Mask R-CNN"], cells)[0] == 1.0  # within 0.13 to 0.26


def test_replicates_count_unrounded():
    # +0.0002 and -0.0002: a gain and a loss, and all four are 34.54 to the hundredth.
    cells = {
        ("table3", "R50"): {"AP": np.array([34.5441, 34.5443])},
        ("table3", "R50+contour"): {"AP": np.array([34.5443, 34.5441])},
    }
    assert shares(CLAIM["gains in mAP"], cells)[0] == 0.5


def test_replicates_without_a_number_are_left_out():
    cells = networks(R50=[0.3, math.nan, -0.1, math.nan], R101=[math.nan] * 4)
    found = shares(CLAIM["gains in mAP"], cells)
    assert found[0] == 0.5  # of the two that are known
    assert np.isnan(found[1:]).all()  # X101 and HTC have no replicates at all


def test_rows_with_different_numbers_of_replicates_are_refused():
    cells = networks(R50=[0.3, 0.2])
    cells["table3", "R50"] = {"AP": np.full(3, 30.0)}
    with pytest.raises(ValueError, match="cells behind 'R50 mAP' have 2 and 3 replicates"):
        shares(CLAIM["gains in mAP"], cells)


def test_the_best_row_has_the_share_of_replicates_in_which_it_is_highest():
    replicates = {
        "k=1": np.array([1.0, 5.0, 1.0, 1.0]),
        "k=2": np.array([2.0, 4.0, 2.0, 2.0]),
        "k=3": np.array([0.0, 0.0, 3.0, 0.0]),
    }
    assert best_row(replicates) == {"k=1": 0.25, "k=2": 0.5, "k=3": 0.25}


def test_ties_are_split_evenly():
    # A tie of two, then one of three: (1/2 + 1/3) / 2, the same, and (0 + 1/3) / 2.
    found = best_row({"a": np.array([1, 2.0]), "b": np.array([1, 2.0]), "c": np.array([0, 2.0])})
    assert found == pytest.approx({"a": 5 / 12, "b": 5 / 12, "c": 1 / 6})
    assert sum(found.values()) == pytest.approx(1)


def test_among_rows_that_do_not_differ_each_is_best_equally_often():
    # Six rows of noise alone, 6,000 draws: each share is 1/6 = 0.167, its standard error 0.0048.
    draws = np.random.default_rng(0).normal(size=(6, 6000))
    found = best_row({f"k={k}": row for k, row in enumerate(draws, start=1)})
    assert list(found.values()) == pytest.approx([1 / 6] * 6, abs=0.02)


def test_a_replicate_in_which_a_row_has_no_number_says_nothing_of_the_best():
    found = best_row({"a": np.array([1.0, 1.0]), "b": np.array([math.nan, 2.0])})
    assert found == {"a": 0.0, "b": 1.0}
    assert all(math.isnan(share) for share in best_row({"a": np.array([math.nan])}).values())


def test_of_no_rows_none_is_best():
    assert best_row({}) == {}
