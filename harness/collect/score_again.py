"""Replicates of runs that were scored before there were any: from their predictions, once."""

from collections.abc import Callable

from harness.data.splits import locate
from harness.errors import HarnessError
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.replicates import write_replicates


def score_again(
    grid: Grid, runs: RunsFolder, results: ResultsFolder, tell: Callable[[str], None]
) -> None:
    """Write the replicates that `results` lacks of runs whose predictions are there.

    What cannot be scored here, for its data is elsewhere or its predictions are damaged, is told
    and left: its table has fewer error bars.

    Args:
        grid: whose runs.
        runs: their folders, with the predictions.
        results: with their metrics.
        tell: is given a sentence for each run.
    """
    for run_id, spec in grid.runs.items():
        predictions = runs.run(run_id).results
        if (
            spec.test_split is None
            or not results.metrics(run_id).exists()
            or results.replicates(run_id).exists()
            or not predictions.exists()
        ):
            continue
        from harness.evaluation.replicates import replicate

        tell(f"Scoring {grid.name_of(run_id)} · {run_id} on draws of the test images.")
        try:
            annotations = locate(spec.test_split, spec.data_dir).annotations
            replicates = replicate(run_id, annotations, predictions)
        except HarnessError as error:
            tell(f"Not scored: {error}")
            continue
        write_replicates(results.replicates(run_id), replicates, shared=True)
