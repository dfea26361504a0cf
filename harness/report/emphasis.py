"""Table II's rule: the highest value of a column stands in bold, the second highest underlined."""

import pandas as pd


def emphasise(values: pd.Series, *, decimals: int = 2) -> pd.Series:
    """How each number of one column is set; `frame.apply(emphasise)` does a table.

    Values count as they are printed, so two that look the same are set the same: all that print
    the highest value are bold, all that print the next lower one underlined. NaN stays plain, and
    the only value of a column is bold.

    Args:
        values: numbers in which higher is better.
        decimals: how many of them are printed.

    Returns:
        "bold", "underline" or "" in the place of each number.
    """
    shown = values.map(lambda value: round(float(value), decimals))  # rounds as formatting does
    highest = sorted(shown.dropna().unique(), reverse=True)[:2]
    marks = dict(zip(highest, ("bold", "underline"), strict=False))
    return shown.map(lambda value: marks.get(value, ""))
