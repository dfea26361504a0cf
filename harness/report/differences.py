"""The differences of one table: each row against its baseline, how sure it is, and what of it.

A tidy frame, one line for each row and metric. What people read is made of it in
`printed_differences.py`.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.grid import Cell
from harness.grid.fair import baseline_of, faults_of_pair, obstacles_of_pair
from harness.records import METRICS
from harness.report.other_code import PARTS
from harness.report.verdicts import (
    Judgement,
    PublishedDifference,
    Verdict,
    judge,
    published_difference,
    published_pairs,
)
from harness.statistics.difference import Difference
from harness.statistics.scores import Scores, common_seeds, difference, tested_alike

NUMBERS = (
    *("published", "ours", "std_error", "low", "high"),
    *("degrees_of_freedom", "seeds_error", "images_error"),
)
COLUMNS = (
    *("row", "baseline", "metric", *NUMBERS, "n", "seeds", "runs"),
    *("verdict", "because", "size"),
)
OTHER_CODE = f"code: one of the two was made with another {' or '.join(PARTS.values())}"
TESTED_ELSEWHERE = (
    "test images: the two were not tested on the same images and the same draws of them"
)
NO_GROUND_TRUTH = "the test split has no object of that size"


@dataclass(frozen=True)
class _Pair:
    """A row and its baseline.

    Attributes:
        method, baseline: of one table.
        faults: why the two may not be compared with each other.
        obstacles: why their difference may not be compared with a printed one.
        fair: whether they differ in the loss alone and were tested alike, so that they have a
            difference.
        scores: of the two.
    """

    method: Cell
    baseline: Cell
    faults: tuple[str, ...]
    obstacles: tuple[str, ...]
    fair: bool
    scores: tuple[Scores, Scores]


def differences_frame(
    cells: Sequence[Cell],
    scores: Mapping[str, Scores],
    published: pd.DataFrame,
    other_code: Collection[str] = (),
) -> pd.DataFrame:
    """Each row of a table against its baseline, in each metric; in the order of the rows.

    Args:
        cells: one for each row of the table: `Grid.rows`.
        scores: by row; none, or {}, for a row without runs.
        published: the table as printed (`read_published`); empty for one that is not in the paper.
        other_code: the rows made with other code than most, `rows_of_other_code`.

    Returns:
        Columns: `row`, `baseline`, `metric` (METRICS, then what else the scores have); `published`,
        `ours` (mean over seeds), `std_error`, `low`, `high` (95% interval), `degrees_of_freedom`,
        `seeds_error` and `images_error` (the two parts of `std_error`), all in AP points but the
        degrees of freedom, NaN where there is no number; `n`, how many seeds, and `seeds`, "0 1 2";
        `runs`, method-baseline of each seed; `verdict`, "" where nothing is published and nothing
        is in the way of the pair, `because`, its reason, and `size`, of the `Judgement`. An unfair
        pair has no difference.
    """
    metrics = _metrics(scores)
    lines = [
        {"row": pair.method.row, "baseline": pair.baseline.row, "metric": metric}
        | _line(pair, metric, _published(published, pair, metric))
        for pair in _pairs(cells, scores, published, other_code)
        for metric in metrics
    ]
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype(dict.fromkeys(NUMBERS, float))


def pair_frame(method: Cell, baseline: Cell, scores: Mapping[str, Scores]) -> pd.DataFrame:
    """The difference of any two rows, in the columns of `differences_frame`; nothing is published.

    Args:
        method: a row that may be compared with `baseline`.
        baseline: what it is compared with.
        scores: by row.
    """
    pair = _Pair(method, baseline, (), (), True, (scores[method.row], scores[baseline.row]))
    names = {"row": method.row, "baseline": baseline.row}
    lines = [names | {"metric": one} | _line(pair, one, None) for one in _metrics(scores)]
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype(dict.fromkeys(NUMBERS, float))


def _metrics(scores: Mapping[str, Scores]) -> list[str]:
    found = [name for row in scores.values() for score in row.values() for name in score.values]
    return list(dict.fromkeys((*METRICS, *found)))


def _pairs(
    cells: Sequence[Cell],
    scores: Mapping[str, Scores],
    published: pd.DataFrame,
    other_code: Collection[str],
) -> list[_Pair]:
    # What is printed is held against what is printed; a row that the user has added, against any.
    printed = {method.row: baseline for method, baseline in published_pairs(cells, published)}
    found = []
    for method in cells:
        baseline = printed.get(method.row) or baseline_of(method, cells)
        if baseline is not None:
            both_printed = {method.row, baseline.row} <= set(published.index)
            found.append(_pair(method, baseline, scores, both_printed, other_code))
    return found


def _pair(
    method: Cell,
    baseline: Cell,
    scores: Mapping[str, Scores],
    both_printed: bool,
    other_code: Collection[str],
) -> _Pair:
    of_pair = (scores.get(method.row, {}), scores.get(baseline.row, {}))
    unfair = faults_of_pair(method.spec, baseline.spec)
    obstacles = obstacles_of_pair(method.spec, baseline.spec) if both_printed else unfair
    elsewhere = () if tested_alike(of_pair) else (TESTED_ELSEWHERE,)
    code = (method.row in other_code) != (baseline.row in other_code)
    more = (*elsewhere, *([OTHER_CODE] if code else []))
    return _Pair(
        method,
        baseline,
        faults=(*unfair, *more),
        obstacles=(*obstacles, *more),
        fair=not unfair and not elsewhere,
        scores=of_pair,
    )


def _published(published: pd.DataFrame, pair: _Pair, metric: str) -> PublishedDifference | None:
    rows = (pair.method.row, pair.baseline.row)
    if metric not in METRICS or not set(rows) <= set(published.index):
        return None
    return published_difference(published, *rows, metric)


def _line(pair: _Pair, metric: str, published: PublishedDifference | None) -> dict[str, object]:
    seeds = common_seeds(pair.scores, metric) if pair.fair else []
    found = difference(*pair.scores, metric) if seeds else None
    judgement = _judgement(pair, found, published)
    method, baseline = pair.scores
    return {
        "published": published.value if published else math.nan,
        **(_numbers(found) if found else {}),
        "n": len(seeds),
        "seeds": " ".join(map(str, seeds)),
        "runs": " ".join(f"{method[seed].run_id}-{baseline[seed].run_id}" for seed in seeds),
        "verdict": judgement.verdict.value if judgement else "",
        "because": judgement.because if judgement else "",
        "size": judgement.size if judgement else "",
    }


def _numbers(found: Difference) -> dict[str, float]:
    return {
        "ours": found.delta,
        "std_error": found.std_error,
        "low": found.low,
        "high": found.high,
        "degrees_of_freedom": found.degrees_of_freedom if found.counted else math.nan,
        "seeds_error": math.sqrt(found.seed_variance),
        "images_error": math.sqrt(found.image_variance),
    }


def _judgement(
    pair: _Pair, found: Difference | None, published: PublishedDifference | None
) -> Judgement | None:
    if published is None:
        told = "; ".join(pair.faults)
        return Judgement(Verdict.NOT_COMPARABLE, told) if told else None
    if found is not None and math.isnan(found.delta) and not pair.obstacles:
        return Judgement(Verdict.UNDECIDED, NO_GROUND_TRUTH)
    low, high, n = (found.low, found.high, found.n) if found else (math.nan, math.nan, 0)
    counted = found.counted if found else ()
    return judge(published.value, published.half_width, low, high, n, counted, pair.obstacles)
