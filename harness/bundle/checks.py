"""Whether what came into a bundle from elsewhere fits its grid: the rest of it is made anew.

Each raises a BundleError that names the member which does not fit.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.bundle import members
from harness.errors import BundleError
from harness.grid import Grid, base_of
from harness.grid.spec import identity_of
from harness.records import read_metrics
from harness.replicates import belong, read_replicates


def check_names(names: Iterable[str], grid: Grid) -> None:
    """Each member from elsewhere is one that something reads: of a run or a table of `grid`."""
    of_runs = (members.metrics, members.replicates, members.predictions)
    read = {name(run_id) for run_id in grid.runs for name in of_runs}
    read |= {members.published(table) for table, told in grid.layouts.items() if told.published}
    for name in names:
        folder = members.folder_of(name)
        if folder == "experiments":
            if not name.endswith(".py"):
                raise BundleError(f"{name} is no experiment, so nothing reads it")
        elif folder in members.NOT_REBUILT and name not in read:
            raise BundleError(
                f"{name} is of no run and no table in {members.GRID}, so nothing reads it. It was "
                "added: ask for the bundle again"
            )


def check_metrics(grid: Grid, folder: Path) -> None:
    """Each run's metrics are of a training with the run's spec, and its replicates of them."""
    results = members.results_in(folder)
    for run_id, spec in grid.runs.items():
        replicates = results.replicates(run_id)
        if not results.metrics(run_id).exists():
            if replicates.exists():
                raise BundleError(f"{members.replicates(run_id)} is of a run without metrics")
            continue
        metrics = read_metrics(results.metrics(run_id), run_id)
        base = base_of(spec)
        asked_for = json.loads(json.dumps(identity_of(spec)))  # tuples as lists
        if (metrics.spec, metrics.parent) != (asked_for, base.run_id if base else None):
            raise BundleError(
                f"{members.metrics(run_id)} is of a training with another spec or base than "
                f"{members.spec(run_id)}"
            )
        if replicates.exists() and not belong(
            read_replicates(replicates, run_id), metrics, spec.test_split
        ):
            raise BundleError(f"{members.replicates(run_id)} is of other numbers than its metrics")


def check_predictions(grid: Grid, folder: Path, scored_on: Mapping[str, str]) -> None:
    """Predictions, whose sha256 `scored_on` has by member name, are those that were scored."""
    results = members.results_in(folder)
    of_runs = {members.predictions(run_id): run_id for run_id in grid.runs}
    for name, sha256 in scored_on.items():
        run_id = of_runs[name]
        path = results.replicates(run_id)
        if not path.exists():
            raise BundleError(f"{name} is of a run that was not scored on draws of images")
        if read_replicates(path, run_id).results != sha256:
            raise BundleError(f"{name} are not the predictions that run {run_id} was scored on")
