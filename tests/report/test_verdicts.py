import math
from pathlib import Path

import pytest

from harness.grid import Setting
from harness.grid.experiments import load_grid
from harness.grid.fair import obstacles_of_pair
from harness.records import METRICS
from harness.report.published import read_published
from harness.report.verdicts import (
    DECIDED_FROM,
    Verdict,
    judge,
    published_difference,
    published_pairs,
)

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results" / "published"
BOTH = ("seeds", "images")
R, C, U = Verdict.REPRODUCED, Verdict.CONTRADICTED, Verdict.UNDECIDED


# Printed +0.26 with two decimals: 0.25 to 0.27 print as that. Both ends of an interval lie below 0,
# between 0 and 0.25, between 0.25 and 0.27, above 0.27, or on one of these borders, of which the
# interval then excludes neither side.
@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (-0.40, -0.10, C, "lies on the other side of 0 than"),
        (-0.40, 0.00, C, "holds 0 and excludes"),  # touches 0: not on the other side of it
        (-0.40, 0.20, C, "holds 0 and excludes"),
        (-0.40, 0.25, U, "holds 0 and"),  # touches what prints as +0.26
        (-0.40, 0.26, U, "holds 0 and"),
        (-0.40, 0.50, U, "holds 0 and"),
        (0.00, 0.00, C, "holds 0 and excludes"),
        (0.00, 0.20, C, "holds 0 and excludes"),
        (0.00, 0.26, U, "holds 0 and"),
        (0.00, 0.50, U, "holds 0 and"),
        (0.05, 0.20, R, "excludes 0 but is smaller than"),
        (0.05, 0.25, R, "excludes 0 and holds"),
        (0.05, 0.26, R, "excludes 0 and holds"),
        (0.05, 0.50, R, "excludes 0 and holds"),
        (0.255, 0.265, R, "excludes 0 and holds"),
        (0.26, 0.50, R, "excludes 0 and holds"),
        (0.27, 0.50, R, "excludes 0 and holds"),
        (0.30, 0.50, R, "excludes 0 and is larger than"),
    ],
)
def test_a_printed_gain_is_judged_by_where_our_interval_lies(low, high, verdict, reason):
    def told(low, high, published):
        signs = [f"{bound:+.3f}".replace("-", "−") for bound in (low, high)]
        return f"ours, {signs[0]} to {signs[1]} at n = 5, {reason} the published {published}"

    found = judge(0.26, 0.01, low, high, 5, BOTH, ())
    assert (found.verdict, found.because) == (verdict, told(low, high, "+0.26"))
    # A printed loss is judged as its mirror image.
    found = judge(-0.26, 0.01, -high, -low, 5, BOTH, ())
    assert (found.verdict, found.because) == (verdict, told(-high, -low, "−0.26"))


@pytest.mark.parametrize(
    ("low", "high", "size"),
    [(0.05, 0.20, "smaller"), (0.05, 0.26, ""), (0.30, 0.50, "larger"), (-0.40, 0.20, "")],
)
def test_a_reproduced_gain_says_where_its_size_is_not_the_published_one(low, high, size):
    # As above, 0.25 to 0.27; a loss is smaller where it is nearer to 0. What holds 0 has no size.
    assert judge(0.26, 0.01, low, high, 5, BOTH, ()).size == size
    assert judge(-0.26, 0.01, -high, -low, 5, BOTH, ()).size == size


# The least gain that can be printed, +0.01: anything above 0 and below 0.02 prints as that.
@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (-0.200, -0.001, C, "lies on the other side of 0 than"),
        (-0.200, 0.000, U, "holds 0 and"),
        (-0.200, 0.200, U, "holds 0 and"),
        (0.001, 0.200, R, "excludes 0 and holds"),
        (0.030, 0.200, R, "excludes 0 and is larger than"),
    ],
)
def test_the_least_printed_gain_is_still_a_gain(low, high, verdict, reason):
    found = judge(0.01, 0.01, low, high, 3, BOTH, ())
    assert found.verdict is verdict
    assert found.because.endswith(f" at n = 3, {reason} the published +0.01")


# Printed as equal: anything between -0.01 and 0.01 prints as that. Holding 0 is not enough.
@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (-0.500, -0.100, C, "excludes all that prints as"),
        (-0.500, -0.010, U, "holds differences as well as"),
        (-0.500, -0.005, U, "holds differences as well as"),
        (-0.500, 0.500, U, "holds differences as well as"),  # any wide interval holds 0
        (-0.009, 0.009, R, "holds nothing but what prints as"),
        (-0.010, 0.009, U, "holds differences as well as"),
        (-0.009, 0.010, U, "holds differences as well as"),
        (0.002, 0.008, R, "holds nothing but what prints as"),
        (0.005, 0.500, U, "holds differences as well as"),
        (0.010, 0.500, U, "holds differences as well as"),
        (0.100, 0.500, C, "excludes all that prints as"),
    ],
)
def test_two_numbers_that_are_printed_the_same_show_no_side(low, high, verdict, reason):
    found = judge(0.0, 0.01, low, high, 8, BOTH, ())
    assert found.verdict is verdict
    assert found.because.endswith(f" at n = 8, {reason} the published 0.00")


def test_a_gain_of_one_printed_digit_leaves_more_room():
    # Printed +0.2 with one digit: 0.1 to 0.3 print as that. With two, 0.19 to 0.21.
    assert judge(0.2, 0.1, -0.05, 0.15, 3, BOTH, ()).verdict is U
    assert judge(0.2, 0.01, -0.05, 0.15, 3, BOTH, ()).verdict is C
    assert judge(0.2, 0.1, -0.05, 0.05, 3, BOTH, ()).verdict is C


def test_obstacles_come_first_and_are_told():
    found = judge(
        0.26, 0.01, 0.2, 0.3, 5, BOTH, ("scale: demo (paper)", "schedule: num_gpus 1 (4)")
    )
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.because == (
        "in the way, the paper's values in brackets: scale: demo (paper); schedule: num_gpus 1 (4)"
    )


@pytest.mark.parametrize(
    ("n", "reason"),
    [(0, "n = 0 seeds"), (1, "n = 1 seed"), (2, "n = 2 seeds")],
)
def test_below_three_seeds_nothing_is_decided(n, reason):
    assert DECIDED_FROM == 3
    found = judge(0.26, 0.01, math.nan, math.nan, n, BOTH, ())
    assert (found.verdict, found.because) == (U, f"{reason}; 3 are needed")
    assert judge(0.26, 0.01, 0.2, 0.3, n, BOTH, ()).verdict is U
    assert judge(0.26, 0.01, 0.2, 0.3, 3, BOTH, ()).verdict is R


def test_an_interval_of_seeds_alone_decides_nothing():
    # All of 0.2 to 0.3 lies above 0, but how far other test images would move it nobody knows.
    found = judge(0.26, 0.01, 0.2, 0.3, 3, ("seeds",), ())
    assert (found.verdict, found.because) == (
        *(
            U,
            "the test images were not drawn anew, so that what they add to the noise is not known",
        ),
    )


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.2), (math.nan, math.nan)])
def test_an_interval_that_is_none_is_a_wrong_call(low, high):
    with pytest.raises(ValueError, match=f"low={low}, high={high}: no interval"):
        judge(0.26, 0.01, low, high, 3, BOTH, ())


@pytest.fixture
def tables():
    """(cells, published) of each of the three tables at paper scale."""
    names = ("table1", "table2", "table3")
    grid = load_grid(names, Setting(), ROOT / "experiments")
    return {name: (grid.table(name), read_published(PUBLISHED, name)) for name in names}


def test_thirteen_pairs_are_published_and_all_are_fair_in_our_grid(tables):
    pairs = [
        pair for cells, published in tables.values() for pair in published_pairs(cells, published)
    ]
    assert [(method.name, baseline.row) for method, baseline in pairs] == [
        *((f"table1/k={k}", "baseline") for k in range(1, 7)),
        *((f"table2/{loss}", "baseline") for loss in ("mse_edge", "mse_contour", "contour")),
        *((f"table3/{row}+contour", row) for row in ("R50", "R101", "X101", "HTC")),
    ]
    assert {obstacles_of_pair(method.spec, baseline.spec) for method, baseline in pairs} == {()}


def test_a_row_that_the_paper_does_not_print_makes_no_pair(tables):
    cells, published = tables["table1"]
    assert len(published_pairs(cells, published.drop(index="k=6"))) == 5
    assert published_pairs(cells, published.drop(index="baseline")) == []


@pytest.mark.parametrize(
    ("table", "row", "baseline", "metric", "value", "half_width"),
    [
        # 34.54 - 34.28: each may be 0.005 off. In binary it is 0.2599999999999980.
        ("table1", "k=2", "baseline", "AP", 0.26, 0.01),
        ("table1", "k=4", "baseline", "APs", 0.0, 0.01),  # 15.82 both
        ("table2", "mse_edge", "baseline", "AP50", -0.07, 0.01),
        # 37.9 - 37.7: each may be 0.05 off.
        ("table3", "HTC+contour", "HTC", "AP", 0.2, 0.1),
    ],
)
def test_a_published_difference_is_as_sure_as_it_is_printed(
    tables, table, row, baseline, metric, value, half_width
):
    found = published_difference(tables[table][1], row, baseline, metric)
    assert found.value == value
    assert found.half_width == pytest.approx(half_width)


def test_78_differences_are_published_one_of_them_of_equal_numbers(tables):
    found = [
        (method.name, metric, published_difference(published, method.row, baseline.row, metric))
        for cells, published in tables.values()
        for method, baseline in published_pairs(cells, published)
        for metric in METRICS
    ]
    assert len(found) == 78
    assert [(row, metric) for row, metric, one in found if one.value == 0] == [
        ("table1/k=4", "APs")
    ]
