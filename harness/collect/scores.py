"""The numbers of a table by row and seed, as `harness.statistics` takes them."""

import math
from collections.abc import Iterable, Iterator, Mapping

from harness.errors import ResultsError
from harness.grid import Grid, RunSpec
from harness.paths import ResultsFolder
from harness.records import BY_BOUNDARY, METRICS, Metrics, read_metrics
from harness.replicates import Replicates, belong, read_replicates
from harness.statistics.scores import Draws, Score, Scores

PREFIXES = {"segm": "", "boundary": BY_BOUNDARY}  # of metrics, by task
WAY_OUT = "Delete it and give `harness collect` where the run is, or take the file back from git."


def row_scores(grid: Grid, table: str, results: ResultsFolder) -> Mapping[str, Scores]:
    """The runs of each row of `table` that have numbers, by row and seed.

    Args:
        grid: holds the table, in as many seeds as shall count.
        table: an experiment's NAME.
        results: where `collect` put metrics and replicates.

    Returns:
        For each row its scores, {} where it has no run with numbers. Metrics are AP to APl of
        metrics.json and, where a run has replicates, AP80, AP90, and all of these again by
        boundaries: "boundary AP".

    Raises:
        ResultsError: a file is damaged, or a run's replicates are not of its metrics, or not of
            the same draws of images as others'.
    """
    found = _run_scores((cell.spec for cell in grid.table(table)), results)
    scores: dict[str, dict[int, Score]] = {cell.row: {} for cell in grid.rows(table)}
    for cell in grid.table(table):
        if score := found.get(cell.spec.run_id):
            scores[cell.row][cell.spec.seed] = score
    return scores


def _run_scores(specs: Iterable[RunSpec], results: ResultsFolder) -> Mapping[str, Score]:
    """The numbers of runs that are to be compared, by id; a run without numbers is left out."""
    scores: dict[str, Score] = {}
    first: dict[str, Replicates] = {}  # by annotations
    for spec in specs:
        run_id = spec.run_id
        if not results.metrics(run_id).exists():
            continue
        metrics = read_metrics(results.metrics(run_id), run_id, WAY_OUT)
        if "segm" not in metrics.ap:
            continue
        replicates = None
        if results.replicates(run_id).exists():
            replicates = read_replicates(results.replicates(run_id), run_id)
            _refuse_others(replicates, metrics, spec, results)
            earlier = first.setdefault(replicates.annotations, replicates)
            _refuse_other_draws(replicates, earlier, results)
        scores[run_id] = _score(metrics, replicates)
    return scores


def _score(metrics: Metrics, replicates: Replicates | None) -> Score:
    values = {name: _number(metrics.ap["segm"].get(name)) for name in METRICS}
    draws: Mapping[str, Draws] = {}
    tested_on = ""
    if replicates is not None:
        values = dict(_extended(replicates)) | values
        tested_on = f"{replicates.annotations} {replicates.drawn}"
        draws = {
            prefix + metric: replicates.drawn_values(task, metric)
            for task, prefix in PREFIXES.items()
            for metric in replicates.draws[task]
        }
    return Score(metrics.run_id, values, draws, tested_on)


def _extended(replicates: Replicates) -> Iterator[tuple[str, float]]:
    for task, prefix in PREFIXES.items():
        for metric, value in replicates.ap[task].items():
            yield prefix + metric, _number(value)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _refuse_others(
    replicates: Replicates, metrics: Metrics, spec: RunSpec, results: ResultsFolder
) -> None:
    if not belong(replicates, metrics, spec.test_split):
        path = results.replicates(metrics.run_id)
        raise ResultsError(
            f"{path} was made from other predictions, or other annotations, than the run's metrics "
            f"(AP {replicates.ap['segm']['AP']}, there {metrics.ap['segm'].get('AP')}). Delete it "
            "and give `harness collect` where the run's predictions are."
        )


def _refuse_other_draws(one: Replicates, first: Replicates, results: ResultsFolder) -> None:
    if one.drawn != first.drawn:
        raise ResultsError(
            f"Runs {first.run_id} and {one.run_id} were scored on other draws of the same images "
            f"({first.evaluator} and {one.evaluator}), so they cannot be compared draw by draw. "
            f"Delete {results.replicates(first.run_id)} and {results.replicates(one.run_id)}, and "
            "replicates.json.gz in the runs' folders, and give `harness collect` there."
        )
