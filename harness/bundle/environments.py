"""What each run was made with, taken out of its metrics, where people look for it."""

from harness.bundle import members
from harness.files import json_text
from harness.grid import Grid
from harness.paths import ResultsFolder
from harness.records import read_metrics


def environment_texts(grid: Grid, results: ResultsFolder) -> dict[str, str]:
    """Code and versions behind each run of `grid` that is collected, by member name.

    They are those of metrics.json, which leaves out where a run took place.

    Raises:
        ResultsError: metrics are damaged.
    """
    return {
        members.environment(run_id): json_text(
            dict(read_metrics(results.metrics(run_id), run_id).environment)
        )
        for run_id in grid.runs
        if results.metrics(run_id).exists()
    }
