"""Copies what finished runs say of themselves into the results, which are small and committed."""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.collect.score_again import score_again
from harness.errors import ResultsError
from harness.files import replacing
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.records import read_metrics
from harness.replicates import belong, read_replicates

# A write waits for the disk (fsync), not for the processor: 10,000 files in a row take half a
# minute, side by side a few seconds.
THREADS = 64


def collect(
    grid: Grid,
    runs: RunsFolder,
    results: ResultsFolder,
    *,
    tell: Callable[[str], None] = lambda message: None,
) -> list[str]:
    """The ids of the runs of `grid` whose metrics are new or changed, now in `results`.

    A run without metrics.json is simply not there yet. A run folder that is gone takes nothing
    away: what was collected stays. A run that was scored before there were replicates is scored
    again from its predictions.

    Args:
        grid: whose runs.
        runs: their folders.
        results: where metrics and replicates go.
        tell: is given a sentence before what takes long.

    Raises:
        ResultsError: a run's metrics.json is cut short, of another run, or of another schema, or
            its replicates are; all others are collected then.
    """
    new, damaged = _copy_new(
        grid.runs, lambda id: runs.run(id).metrics, results.metrics, read_metrics
    )
    changed = set(new)
    copied, damaged_too = _copy_new(
        # Without metrics of its own a run is being scored again: its replicates are not those of
        # the metrics that were collected before.
        [run_id for run_id in grid.runs if _bytes(runs.run(run_id).metrics) is not None],
        lambda id: runs.run(id).replicates,
        results.replicates,
        read_replicates,
    )
    changed.difference_update(copied)
    score_again(grid, _without_replicates(grid, changed, results), runs, results, tell)
    # Told when all that is whole has been collected: it must not wait for what is not.
    for error in (*damaged, *damaged_too):
        raise error
    return new


def _without_replicates(
    grid: Grid, changed: Collection[str], results: ResultsFolder
) -> Iterator[str]:
    """The runs that have metrics and no replicates, or none that belong to changed metrics."""
    for run_id, spec in grid.runs.items():
        if not results.metrics(run_id).exists():
            continue
        if not results.replicates(run_id).exists():
            yield run_id
        elif run_id in changed:
            metrics = read_metrics(results.metrics(run_id), run_id)
            replicates = read_replicates(results.replicates(run_id), run_id)
            if not belong(replicates, metrics, spec.test_split):
                yield run_id


def _copy_new(
    run_ids: Iterable[str],
    source: Callable[[str], Path],
    target: Callable[[str], Path],
    read: Callable[[Path, str], object],
) -> tuple[list[str], list[ResultsError]]:
    """The runs whose source is new or changed, copied; `read` keeps out what is damaged."""

    def copy(run_id: str) -> ResultsError | None:
        try:
            read(source(run_id), run_id)
        except ResultsError as error:
            return error
        with replacing(target(run_id), shared=True) as temporary:
            shutil.copyfile(source(run_id), temporary)
        return None

    new = [run_id for run_id in run_ids if _differs(source(run_id), target(run_id))]
    with ThreadPoolExecutor(THREADS) as pool:
        errors = dict(zip(new, pool.map(copy, new), strict=True))
    return [one for one in new if errors[one] is None], [e for e in errors.values() if e]


def _differs(source: Path, target: Path) -> bool:
    """Whether there is a source, and the target is another file or not there."""
    content = _bytes(source)
    return content is not None and content != _bytes(target)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # not there, or in a colleague's folder
        return None
