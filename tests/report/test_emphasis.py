from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.records import METRICS
from harness.report.emphasis import cannot_be_told_from_best, emphasise
from harness.report.published import read_published

PUBLISHED = Path(__file__).parents[2] / "results" / "published"


def marks(*values, **options):
    return emphasise(pd.Series(values, dtype=float), **options).tolist()


def test_table_2_is_marked_as_in_the_paper():
    table = read_published(PUBLISHED, "table2")[list(METRICS)]
    b, u = "bold", "underline"
    assert table.apply(emphasise).to_numpy().tolist() == [
        # AP AP50 AP75 APs APm APl
        ["", "", "", "", "", ""],  # baseline
        ["", "", "", "", "", u],  # mse_edge
        [u, u, b, u, b, ""],  # mse_contour
        [b, b, u, b, u, b],  # contour
    ]


def test_all_that_share_the_highest_value_are_bold_and_the_next_lower_is_underlined():
    assert marks(36.5, 36.1, 36.5, 36.3) == ["bold", "", "bold", "underline"]


def test_all_that_share_the_second_highest_value_are_underlined():
    assert marks(36.1, 36.5, 36.1, 35.0) == ["underline", "bold", "underline", ""]


def test_values_that_print_the_same_are_marked_the_same():
    # 36.541 and 36.544 are both printed 36.54.
    assert marks(36.541, 36.544, 36.53) == ["bold", "bold", "underline"]


def test_values_are_rounded_as_they_are_printed():
    # 2.675 is a little less in binary, and printed 2.67 although it looks like half way to 2.68.
    assert f"{2.675:.2f}" == "2.67"
    assert marks(2.675, 2.67, 2.66) == ["bold", "bold", "underline"]


def test_the_printed_decimals_decide_what_is_a_tie():
    assert marks(37.71, 37.69, 37.5, decimals=1) == ["bold", "bold", "underline"]


def test_nan_is_never_marked():
    assert marks(np.nan, 36.5, np.nan, 36.1) == ["", "bold", "", "underline"]
    assert marks(np.nan, np.nan) == ["", ""]


def test_the_only_value_is_bold_and_nothing_is_underlined():
    assert marks(np.nan, 36.5) == ["", "bold"]


def test_equal_values_alone_are_all_bold():
    assert marks(36.5, 36.5) == ["bold", "bold"]


def test_no_values_have_no_marks():
    assert marks() == []


def test_rows_keep_their_names_and_the_numbers_stay():
    values = pd.Series([1.004, 2.0], index=["baseline", "k=2"], name="AP")
    assert emphasise(values).index.tolist() == ["baseline", "k=2"]
    assert values.tolist() == [1.004, 2.0]


def honest_marks(values, behind):
    return cannot_be_told_from_best(pd.Series(values, dtype=float), behind).to_dict()


def test_bold_is_the_best_and_all_that_it_cannot_be_told_from():
    # k=2 is 0.15 ahead of k=1, which may be -0.1 to 0.4, and 0.36 of k=6, which is at least 0.05.
    assert honest_marks(
        {"k=1": 34.39, "k=2": 34.54, "k=6": 34.18}, {"k=1": (-0.1, 0.4), "k=6": (0.05, 0.67)}
    ) == {"k=1": "bold", "k=2": "bold", "k=6": ""}


def test_an_interval_that_touches_0_tells_nothing_apart():
    assert honest_marks({"a": 2.0, "b": 1.0}, {"b": (0.0, 2.0)}) == {"a": "bold", "b": "bold"}


def test_with_too_few_seeds_nothing_can_be_told_apart():
    # Ten points apart, and still one run each.
    assert honest_marks({"a": 40.0, "b": 30.0}, {"b": None}) == {"a": "bold", "b": "bold"}


def test_rows_are_told_apart_one_by_one():
    # b was run with too few seeds, c was not.
    assert honest_marks({"a": 3.0, "b": 1.0, "c": 2.0}, {"b": None, "c": (0.5, 1.5)}) == {
        "a": "bold",
        "b": "bold",
        "c": "",
    }


def test_equal_best_values_are_judged_by_their_interval():
    assert honest_marks({"a": 2.0, "b": 2.0}, {"b": (-1.0, 1.0)}) == {"a": "bold", "b": "bold"}


def test_a_row_without_a_number_is_plain_and_needs_no_interval():
    assert honest_marks({"a": np.nan, "b": 2.0}, {}) == {"a": "", "b": "bold"}
    assert honest_marks({"a": np.nan}, {}) == {"a": ""}


def test_a_row_that_nothing_is_said_of_is_a_wrong_call():
    # Left out by mistake, it would look as if it could not be told apart.
    with pytest.raises(ValueError, match="behind has nothing for c: give an interval or None"):
        honest_marks({"a": 3.0, "b": 1.0, "c": 2.0}, {"b": None})
