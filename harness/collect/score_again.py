"""Replicates of runs that were scored before there were any: from their predictions, once."""

from collections.abc import Callable, Iterable
from pathlib import Path

from harness.data.splits import locate
from harness.errors import DataError, HarnessError
from harness.grid import Grid, RunSpec
from harness.paths import ResultsFolder, RunsFolder
from harness.records import read_metrics
from harness.replicates import belong, write_replicates


def score_again(
    grid: Grid,
    run_ids: Iterable[str],
    runs: RunsFolder,
    results: ResultsFolder,
    tell: Callable[[str], None],
) -> None:
    """Write the replicates of runs whose predictions are there.

    What cannot be scored here, for its data is elsewhere or its predictions are damaged, or of
    another time than its metrics, is told and left: its table has fewer error bars.

    Args:
        grid: whose runs.
        run_ids: of runs that have metrics in `results`, and no replicates that belong to them.
        runs: their folders, with the predictions.
        results: with their metrics.
        tell: is given a sentence for each run.
    """
    without_data: set[str] = set()
    for run_id in run_ids:
        spec, predictions = grid.runs[run_id], runs.run(run_id).results
        if spec.test_split is None or not _is_here(predictions):
            continue
        try:
            annotations = locate(spec.test_split, spec.data_dir).annotations
        except DataError as error:
            told = f"{spec.test_split} is not here, so there are no error bars: {error}"
            without_data.add(told)
            continue
        tell(f"Scoring {grid.name_of(run_id)} · {run_id} on draws of the test images.")
        _score(run_id, spec, annotations, predictions, results, tell)
    for message in sorted(without_data):
        tell(message)


def _is_here(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # in a colleague's folder
        return False


def _score(
    run_id: str,
    spec: RunSpec,
    annotations: Path,
    predictions: Path,
    results: ResultsFolder,
    tell: Callable[[str], None],
) -> None:
    from harness.evaluation.replicates import replicate

    try:
        replicates = replicate(run_id, annotations, predictions)
    except HarnessError as error:
        tell(f"Not scored: {error}")
        return
    if belong(replicates, read_metrics(results.metrics(run_id), run_id), spec.test_split):
        write_replicates(results.replicates(run_id), replicates, shared=True)
    else:
        tell(
            f"Not scored: {predictions} and {annotations} are not those that the run's metrics "
            "were made from."
        )
