"""Copies what finished runs say of themselves into the results, which are small and committed."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.files import replacing
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.records import read_metrics

# A write waits for the disk (fsync), not for the processor: 10,000 files in a row take half a
# minute, side by side a few seconds.
THREADS = 64


def collect(grid: Grid, runs: RunsFolder, results: ResultsFolder) -> list[str]:
    """The ids of the runs of `grid` whose metrics are new or changed, now in `results`.

    A run without metrics.json is simply not there yet. A run folder that is gone takes nothing
    away: what was collected stays.

    Raises:
        ResultsError: a run's metrics.json is cut short, of another run, or of another schema.
    """
    new = [
        run_id
        for run_id in grid.runs
        if _differs(runs.run(run_id).metrics, results.metrics(run_id))
    ]

    def copy(run_id: str) -> None:
        source = runs.run(run_id).metrics
        read_metrics(source, run_id)  # what is damaged stays out
        with replacing(results.metrics(run_id), shared=True) as temporary:
            shutil.copyfile(source, temporary)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, new))
    return new


def _differs(source: Path, target: Path) -> bool:
    """Whether there is a source, and the target is another file or not there."""
    content = _bytes(source)
    return content is not None and content != _bytes(target)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
