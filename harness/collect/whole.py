"""Results without what is damaged in them, for those who would rather see the rest than nothing.

A table refuses a damaged file, and must: whoever prints it takes it for whole. A report tells what
is damaged and shows what is not.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.collect.scores import WAY_OUT
from harness.errors import ResultsError
from harness.files import read_json
from harness.grid import Grid
from harness.paths import ResultsFolder
from harness.records import read_metrics
from harness.replicates import belong, read_replicates

MOST_NAMED = 5


def whole_results(
    grid: Grid, results: ResultsFolder, folder: Path
) -> tuple[ResultsFolder, list[str]]:
    """A copy of what is whole in `results`, and what is wrong with the rest, one sentence each.

    Args:
        grid: whose runs are copied; files of other runs are told.
        results: what was collected.
        folder: an empty folder for the copy.
    """
    whole = ResultsFolder(folder)
    problems = []
    for run_id in grid.runs:
        try:
            _copy(grid, run_id, results, whole)
        except ResultsError as error:
            problems.append(str(error))
    return whole, [*problems, *_strangers(grid, results)]


def _copy(grid: Grid, run_id: str, results: ResultsFolder, whole: ResultsFolder) -> None:
    source, replicates = results.metrics(run_id), results.replicates(run_id)
    if not source.exists():
        return
    metrics = read_metrics(source, run_id, WAY_OUT)
    _copy_file(source, whole.metrics(run_id))
    if not replicates.exists():
        return
    if not belong(read_replicates(replicates, run_id), metrics, grid.runs[run_id].test_split):
        raise ResultsError(
            f"{replicates} was made from other predictions than the run's metrics. {WAY_OUT}"
        )
    _copy_file(replicates, whole.replicates(run_id))


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _strangers(grid: Grid, results: ResultsFolder) -> Iterator[str]:
    """Files of runs that are not in the grid, by their scale."""
    by_scale: dict[str, list[str]] = {}
    for run_id in sorted(results.run_ids() - grid.runs.keys()):
        by_scale.setdefault(_scale(results.metrics(run_id)), []).append(run_id)
    for scale, run_ids in by_scale.items():
        told = ", ".join(run_ids[:MOST_NAMED]) + (" and more" if len(run_ids) > MOST_NAMED else "")
        one = len(run_ids) == 1
        yield (
            f"{results.all_metrics} holds {len(run_ids)} run{'' if one else 's'} of {scale}, not "
            f"shown since no experiment asks for {'it' if one else 'them'}: {told}."
        )


def _scale(path: Path) -> str:
    try:
        spec = read_json(path, "").get("spec")
    except ResultsError:
        spec = None
    scale = spec.get("scale") if isinstance(spec, dict) else None
    return f"scale {scale}" if isinstance(scale, str) else "a scale that they do not tell"
