"""Two runs on the same test images: what each predicted, and what became of each object."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.data.fields import Item
from harness.data.splits import Split, hash_of, locate
from harness.errors import DataError, HarnessError, ResultsError, SpecError
from harness.evaluation.changes import ImageChange, image_changes
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.results_file import read_results
from harness.grid import Cell, Grid
from harness.grid.next_command import command
from harness.grid.spec import RunSpec
from harness.paths import RunsFolder
from harness.records import read_metrics
from harness.replicates import read_replicates

TESTED_ON = ("test_split", "test_hash", "data_revision")


@dataclass(frozen=True)
class RunPair:
    """Two runs, and what is needed to draw what they predicted.

    Attributes:
        names: what people read of each: "table1/k=2 · d4baba01".
        split: the test split of both.
        ground_truth: its annotations.
        results: the detections of each.
        images: what became of the objects of each image that has any, b compared with a.
    """

    names: tuple[str, str]
    split: Split
    ground_truth: Item
    results: tuple[Sequence[Item], Sequence[Item]]
    images: tuple[ImageChange, ...]


def read_pair(one: RunSpec, other: RunSpec, names: tuple[str, str], runs: RunsFolder) -> RunPair:
    """What two runs left behind, compared.

    They may differ in whatever they like but in the images that they were tested on.

    Args:
        one: a fine-tune.
        other: another one, which is compared with it.
        names: what people read of each.
        runs: where their folders are.

    Raises:
        HarnessError: they are the same run, or were tested on other images.
        SpecError: one is a base.
        ResultsError: a run is not scored, or its predictions are missing or damaged.
        DataError: the test split is not here, or not what the runs were scored on.
    """
    _refuse(one, other)
    for spec in (one, other):
        _refuse_without_predictions(spec, runs)
    split = _located(one, runs)
    for spec in (one, other):
        _refuse_other_annotations(spec, split, runs)
        _refuse_other_predictions(spec, runs)
    ground_truth = read_ground_truth(split.annotations, "segm")
    a, b = (_results(spec, ground_truth, runs) for spec in (one, other))
    return RunPair(names, split, ground_truth, (a, b), image_changes(ground_truth, a, b))


def pair_of_rows(grid: Grid, runs: RunsFolder, one: str, other: str) -> tuple[Cell, Cell]:
    """The cells of two rows, of the lowest seed of which both are scored; else of the lowest.

    Args:
        grid: that they are in, of one seed or several.
        runs: where their folders are.
        one: a row, as "table1/baseline".
        other: another one.

    Raises:
        SpecError: the grid has no seed of both.
    """
    ones, others = (
        {cell.spec.seed: cell for cell in grid.cells if cell.name == name} for name in (one, other)
    )
    seeds = sorted(ones.keys() & others.keys())
    if not seeds:
        raise SpecError(
            f"{one} and {other} are to be compared, and are not both in experiments/. "
            "`harness masks RUN_A RUN_B` draws any two runs."
        )
    scored = (
        seed
        for seed in seeds
        if all(_is_scored(of[seed].spec.run_id, runs) for of in (ones, others))
    )
    seed = next(scored, seeds[0])
    return ones[seed], others[seed]


def files_of(spec: RunSpec, runs: RunsFolder) -> tuple[Path, ...]:
    """What `read_pair` reads of a run; without the annotations where they are not here."""
    paths = runs.run(spec.run_id)
    with suppress(DataError):
        annotations = locate(str(spec.test_split), spec.data_dir).annotations
        return (paths.metrics, paths.results, annotations)
    return (paths.metrics, paths.results)


def _is_scored(run_id: str, runs: RunsFolder) -> bool:
    paths = runs.run(run_id)
    return paths.metrics.exists() and paths.results.exists()


def _refuse(one: RunSpec, other: RunSpec) -> None:
    for spec in (one, other):
        if spec.test_split is None:
            raise SpecError(
                f"Run {spec.run_id} is a base, which predicts nothing. Name two fine-tunes."
            )
    if one.run_id == other.run_id:
        raise HarnessError(f"Run {one.run_id} is named twice. Name two different runs.")
    if any(getattr(one, field) != getattr(other, field) for field in TESTED_ON):
        raise HarnessError(
            f"Runs {one.run_id} and {other.run_id} were tested on other images: {_tested_on(one)} "
            f"and {_tested_on(other)}. Name two runs that were tested on the same."
        )


def _tested_on(spec: RunSpec) -> str:
    return f"{spec.test_split} {(spec.test_hash or f'revision {spec.data_revision}')[:10]}"


def _refuse_without_predictions(spec: RunSpec, runs: RunsFolder) -> None:
    paths = runs.run(spec.run_id)
    again = command(f"run {spec.run_id}", spec, runs.folder)
    if not paths.metrics.exists():
        raise ResultsError(
            f"Run {spec.run_id} is not scored: {paths.metrics} is missing. Next: `{again}`, or "
            "--runs with the folder that its runs are in."
        )
    if not paths.results.exists():
        raise ResultsError(
            f"The predictions of run {spec.run_id} are missing: {paths.results}. Next: delete "
            f"{paths.metrics} and give `{again}`, which predicts again from its checkpoint."
        )


def _located(spec: RunSpec, runs: RunsFolder) -> Split:
    drawn = str(spec.test_split).startswith("shapes_")
    try:
        return locate(str(spec.test_split), spec.data_dir)
    except DataError as error:
        if not drawn:
            raise
        raise DataError(
            f"The drawn shapes are not whole in {spec.data_dir}. Next: "
            f"`{command(f'run {spec.run_id}', spec, runs.folder)}`, which draws them again."
        ) from error


def _refuse_other_annotations(spec: RunSpec, split: Split, runs: RunsFolder) -> None:
    recorded = read_metrics(runs.run(spec.run_id).metrics, spec.run_id).annotations
    here = hash_of(split)
    if recorded.get(split.name) != here:
        raise DataError(
            f"{split.where} is not what run {spec.run_id} was scored on: its sha256 begins with "
            f"{here[:8]}, not {str(recorded.get(split.name))[:8]}. Put the file back that was "
            "there when it was scored."
        )


def _refuse_other_predictions(spec: RunSpec, runs: RunsFolder) -> None:
    """Runs that were scored by an earlier version tell not which predictions that were."""
    paths = runs.run(spec.run_id)
    if not paths.replicates.exists():
        return
    with paths.results.open("rb") as file:
        here = hashlib.file_digest(file, "sha256").hexdigest()
    if here != read_replicates(paths.replicates, spec.run_id).results:
        raise ResultsError(
            f"{paths.results} is not what run {spec.run_id} was scored on. Next: delete "
            f"{paths.metrics} and give `{command(f'run {spec.run_id}', spec, runs.folder)}`, which "
            "predicts and scores again."
        )


def _results(spec: RunSpec, ground_truth: Item, runs: RunsFolder) -> Sequence[Item]:
    paths = runs.run(spec.run_id)
    try:
        return read_results(paths.results, ground_truth, "segm")
    except ResultsError as error:
        again = command(f"run {spec.run_id}", spec, runs.folder)
        raise ResultsError(f"{error} Next: delete {paths.metrics}, then `{again}`.") from error
