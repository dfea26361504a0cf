"""What stands behind the numbers of a table: each of its runs, with code, data and attempts."""

from collections.abc import Mapping

import pandas as pd

from harness.collect.scores import WAY_OUT
from harness.grid import Cell, Grid, RunSpec, base_of
from harness.grid.spec import identity_of
from harness.paths import AttemptPaths, ResultsFolder, RunPaths, RunsFolder
from harness.records import METRICS, Metrics, read_begin, read_metrics, read_outcome
from harness.replicates import read_replicates

COLUMNS = (
    *("row", "seed", "run_id", "base", "recipe", "collected", *METRICS),
    *("commit", "base_commit", "uncommitted", "annotations", "order_hash", "evaluator"),
    *("draws", "environment", "gpu_hours", "base_gpu_hours", "attempts", "predictions"),
    *("metrics_file", "run_folder"),
)


def evidence_frame(
    grid: Grid, table: str, results: ResultsFolder, runs: RunsFolder
) -> pd.DataFrame:
    """The runs of `table`, one line for each row and seed, in reading order.

    Args:
        grid: holds the table, in as many seeds as shall be shown.
        table: an experiment's NAME.
        results: where metrics and replicates were collected to.
        runs: the runs' folders, which need not be here: attempts are told from them alone.

    Returns:
        The columns `COLUMNS`. Texts are "" and numbers NaN where nothing is known: of a run that is
        not collected all but its names. `base`: its base's run id. `recipe`: network, loss, splits
        and schedule. `collected`: whether its metrics are here. The metrics in percent points.
        `commit`, `base_commit`, `uncommitted`: of the code that trained it and its base, and
        whether one of them had changes in no commit. `annotations`: a line for each split, its name
        and the sha256 of its file. `draws`: what its error bars were drawn with. `environment`:
        packages and their versions. `attempts`: a line for each, how it ended. `predictions`: their
        file, where the run's folder is here. `metrics_file`, `run_folder`: where they lie.

    Raises:
        ResultsError: a metrics file or replicates are damaged.
    """
    lines = [_line(cell, results, runs) for cell in grid.table(table)]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _line(cell: Cell, results: ResultsFolder, runs: RunsFolder) -> dict[str, object]:
    spec, base = cell.spec, base_of(cell.spec)
    paths = runs.run(spec.run_id)
    known: dict[str, object] = {
        "row": cell.row,
        "seed": spec.seed,
        "run_id": spec.run_id,
        "base": base.run_id if base else "",
        "recipe": _recipe(spec),
        "collected": False,
        "metrics_file": str(results.metrics(spec.run_id)),
        **_in_folder(spec, paths),
    }
    metrics = _collected(spec, results)
    if metrics is None:
        return known
    of_base = _collected(base, results) if base else None
    return known | _facts(metrics, of_base) | {"draws": _draws(spec, results)}


def _recipe(spec: RunSpec) -> str:
    loss = {name: value for name, value in identity_of(spec)["loss"].items() if value is not None}
    options = ", ".join(f"{name} {loss[name]}" for name in sorted(loss) if name != "name")
    gpus = f"{spec.num_gpus} GPU{'' if spec.num_gpus == 1 else 's'}"
    return (
        f"{spec.architecture}, loss {loss['name']} ({options}), trained on {spec.train_split}, "
        f"tested on {spec.test_split}, iterations {spec.first_iteration} to {spec.last_iteration}, "
        f"{spec.total_batch_size} images a batch, {gpus}, {spec.precision}"
    )


def _facts(metrics: Metrics, base: Metrics | None) -> dict[str, object]:
    made_with = metrics.environment
    of_base: Mapping[str, str] = base.environment if base else {}
    code = ("commit", "uncommitted_changes", "losses_code", "detection_code")
    return {
        "collected": True,
        **{name: metrics.ap.get("segm", {}).get(name) for name in METRICS},
        "commit": made_with.get("commit", ""),
        "base_commit": of_base.get("commit", ""),
        "uncommitted": any(
            found.get("uncommitted_changes") == "yes" for found in (made_with, of_base)
        ),
        "annotations": "\n".join(_facts_of(metrics.annotations)),
        "order_hash": metrics.order_hash,
        "evaluator": metrics.evaluator,
        "environment": ", ".join(_facts_of({k: v for k, v in made_with.items() if k not in code})),
        "gpu_hours": metrics.gpu_hours,
        "base_gpu_hours": base.gpu_hours if base else None,
    }


def _draws(spec: RunSpec, results: ResultsFolder) -> str:
    path = results.replicates(spec.run_id)
    if not path.exists():
        return ""
    found = read_replicates(path, spec.run_id)
    (count,) = {len(values) for by_metric in found.draws.values() for values in by_metric.values()}
    return f"{count} draws of the test images ({found.drawn[:8]}), {found.evaluator}"


def _collected(spec: RunSpec, results: ResultsFolder) -> Metrics | None:
    path = results.metrics(spec.run_id)
    return read_metrics(path, spec.run_id, WAY_OUT) if path.exists() else None


def _in_folder(spec: RunSpec, paths: RunPaths) -> dict[str, str]:
    """What the run's own folder tells; nothing where it is not here, or is a colleague's."""
    try:
        numbers = paths.attempt_numbers()
        told = "\n".join(f"{number}: {_attempt(spec, paths.attempt(number))}" for number in numbers)
        return {
            "attempts": told,
            "predictions": str(paths.results) if paths.results.exists() else "",
            "run_folder": str(paths.folder) if paths.folder.is_dir() else "",
        }
    except OSError:
        return {"attempts": "", "predictions": "", "run_folder": ""}


def _attempt(spec: RunSpec, attempt: AttemptPaths) -> str:
    # The host stays where it is: what is told here is made to be shared.
    begin, outcome = read_begin(attempt.begin), read_outcome(attempt.outcome)
    told = outcome.ended.value if outcome else "no end recorded"
    if outcome and outcome.error:
        told += f" ({outcome.error})"
    if outcome:
        told += f" after {outcome.seconds:.0f} s"
    if begin:
        job = f", job {begin.job_id}" if begin.job_id else ""
        # A fine-tune's first attempt has no checkpoint of its own: it goes on from its base's.
        told += f", from iteration {max(begin.iteration, spec.first_iteration)}{job}"
    return told


def _facts_of(found: Mapping[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in sorted(found.items())]
