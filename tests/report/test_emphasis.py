from pathlib import Path

import numpy as np
import pandas as pd

from harness.records import METRICS
from harness.report.emphasis import emphasise
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
