"""What stands below a list of differences: how to read it, and why what is not known is not."""

from collections.abc import Iterator

import pandas as pd

from harness.report.notes import MISSING, NO_GROUND_TRUTH
from harness.report.printed_differences import (
    HEADING_OF,
    IMAGES,
    SEEDS,
    Differences,
    comparisons,
    sized,
    verdicts,
)
from harness.report.verdicts import LARGER, SMALLER, Verdict
from harness.statistics.difference import DECIDED_FROM

READING = (
    "ours: method minus baseline in AP points, mean over n seeds; runs of a seed share their base. "
    "95% interval: ours ± t √(seeds² + images²), of two standard errors of that mean: ± seeds, "
    "from the spread over seeds, and ± images, from drawing the test images anew."
)
READING_PUBLISHED = (
    "A published difference is of one run on each side, with noise that nobody knows, and is taken "
    f"as it is. With {DECIDED_FROM} seeds or more, and test images drawn anew: reproduced, the "
    "interval lies on the published side of 0 (smaller, larger: but all of it beside what is "
    "published); contradicted, it lies on the other side, or holds 0 and not what is published; "
    "undecided, it holds both."
)
READING_EQUAL = (
    "Two that are printed the same (0.00): reproduced, the interval holds nothing that would print "
    "as a difference; contradicted, nothing that would not."
)
BY_ITSELF = "Each interval{} is for itself: nothing is corrected for there being {}."
NOT_DRAWN = (
    "not every run was scored on test images drawn anew (harness collect does it where the runs' "
    "predictions are)"
)
OUTCOMES = tuple(
    sized(one.value, size)
    for one in Verdict
    for size in (("", SMALLER, LARGER) if one is Verdict.REPRODUCED else ("",))
)
# By whether the spread over seeds is known, and over draws of the test images.
COUNTED = {
    (True, True): "",
    (False, True): f"{SEEDS} is {MISSING} at n = 1: one seed shows no spread, so the interval "
    "counts test images only.",
    (True, False): f"{IMAGES} is {MISSING}: {NOT_DRAWN}, so the interval counts seeds "
    "only, and is too narrow to decide anything.",
    (False, False): f"No interval: one seed shows no spread, and {NOT_DRAWN}.",
}


def notes(table: Differences) -> list[str]:
    """What stands below the lines, one note each: how to read them, and why what is not known."""
    frame = table.shown
    return [*_reading(table), *_counted(frame), *_verdicts(frame), *_reasons(frame)]


def _reading(table: Differences) -> Iterator[str]:
    yield READING
    if table.published:
        yield READING_PUBLISHED
    if (table.shown["published"] == 0).any():
        yield READING_EQUAL
    yield BY_ITSELF.format(" and each verdict" if table.published else "", len(table.shown))
    more = [metric for metric in table.frame["metric"].unique() if metric not in HEADING_OF]
    if more:
        yield f"In the CSV file also: {', '.join(more)}."


def _counted(frame: pd.DataFrame) -> Iterator[str]:
    known = frame.loc[frame["ours"].notna(), ["seeds_error", "images_error"]].notna()
    for parts in known.drop_duplicates().itertuples(index=False, name=None):
        if COUNTED[parts]:
            yield COUNTED[parts]
    if (frame["ours"].isna() & (frame["n"] > 0)).any():
        yield f"{NO_GROUND_TRUTH}: the test split has no object of that size."


def _verdicts(frame: pd.DataFrame) -> Iterator[str]:
    judged = frame[frame["published"].notna()]
    if len(judged):
        told = verdicts(judged)
        found = [f"{told.count(one)} {one}" for one in OUTCOMES]
        yield f"Of {len(judged)} published differences: {', '.join(found)}."


def _reasons(frame: pd.DataFrame) -> Iterator[str]:
    """Why a verdict is none, each reason once; where the interval decides, all is in its line."""
    frame = frame[frame["verdict"] != ""]
    comparable = frame["verdict"] != Verdict.NOT_COMPARABLE.value
    decided = (frame["n"] >= DECIDED_FROM) & frame[["ours", "images_error"]].notna().all(axis=1)
    undecided = frame[~(comparable & decided)]
    for (verdict, because), lines in undecided.groupby(["verdict", "because"], sort=False):
        yield f"{verdict}, {_which(lines, frame)}: {because}."


def _which(lines: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Lines by their comparison: "all", or "k=2 − baseline (all), k=3 − baseline (mAP, AP50)"."""
    if len(lines) == len(frame):
        return "all"
    all_names, told = comparisons(frame), []
    for name, some in lines.groupby(comparisons(lines), sort=False):
        metrics = [HEADING_OF[metric] for metric in some["metric"]]
        whole = len(some) == (all_names == name).sum()
        told.append(f"{name} ({'all' if whole else ', '.join(metrics)})")
    return ", ".join(told)
