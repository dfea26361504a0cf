"""Refuses a table whose rows do not belong together: other annotations, images or evaluators."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import ResultsError
from harness.grid import RunSpec
from harness.paths import ResultsFolder
from harness.records import Metrics


@dataclass(frozen=True)
class Evidence:
    """A run behind a row of a table: the row's own, or the base that it started from.

    Attributes:
        row: of the table.
        spec: of the run.
        metrics: what it says of itself.
    """

    row: str
    spec: RunSpec
    metrics: Metrics

    def __str__(self) -> str:
        run = "run" if self.spec.stage == "finetune" else "base"
        return f"row {self.row!r} ({run} {self.spec.run_id})"


def refuse_mixtures(table: str, evidence: Iterable[Evidence], results: ResultsFolder) -> None:
    """Nothing comes back where the rows of `table` can be compared.

    Args:
        table: the experiment's NAME.
        evidence: what is collected of its rows and of their bases.
        results: where it was collected to.

    Raises:
        ResultsError: two scales, other splits on one architecture, two annotation files under one
            name, two orders of images where the specs ask for one, or two evaluators. Another
            version of one evaluator is no mixture.
    """
    found = list(evidence)
    for one, other, _ in _differing((run, None, run.spec.scale) for run in found):
        raise ResultsError(
            f"Table {table!r} would mix two scales: {one} is of scale {one.spec.scale}, {other} of "
            f"{other.spec.scale}. Give each a table of its own."
        )
    for one, other, _ in _differing(
        (run, (run.spec.architecture, run.spec.stage), _splits(run)) for run in found
    ):
        raise ResultsError(
            f"Table {table!r} would mix splits on one network: {one} has {_splits(one)}, {other} "
            f"has {_splits(other)}. Give each a table of its own."
        )
    for one, other, split in _differing(
        (run, split, sha256) for run in found for split, sha256 in run.metrics.annotations.items()
    ):
        ours, theirs = (run.metrics.annotations[split][:8] for run in (one, other))
        raise ResultsError(
            f"Table {table!r} would mix two annotation files named {split}: sha256 {ours} in "
            f"{one}, {theirs} in {other}. Find out which file is right. "
            f"{_train_again(one, other, results)}"
        )
    for one, other, _ in _differing(
        (run, _order_key(run), run.metrics.order_hash) for run in found
    ):
        raise ResultsError(
            f"Table {table!r} would mix two orders of training images: {one} and {other} must have "
            "seen the same images in the same order, but their order_hash differs. Find out which "
            "is right: a third run of the same seed shows it. "
            f"{_train_again(one, other, results)}"
        )
    for one, other, _ in _differing(
        (run, None, engine(run.metrics)) for run in found if run.metrics.evaluator
    ):
        raise ResultsError(
            f"Table {table!r} would mix two evaluators: {one} was scored by "
            f"{one.metrics.evaluator}, {other} by {other.metrics.evaluator}. Choose one. Of each "
            "run that the other scored delete metrics.json in the run's folder and give "
            "`harness run` with its id, which only scores a trained run again; then "
            "`harness collect`."
        )


def _splits(run: Evidence) -> str:
    # Table III's own note: Hybrid Task Cascade is trained and tested on other splits than the rest.
    return f"{run.spec.train_split} and {run.spec.test_split or 'no test'}"


def engine(metrics: Metrics) -> str:
    """The evaluator's name without its version."""
    return metrics.evaluator.partition(" ")[0]


def _differing(
    values: Iterable[tuple[Evidence, Any, str]],
) -> Iterator[tuple[Evidence, Evidence, Any]]:
    """Each run whose value is not that of the first run with the same key: (first, run, key)."""
    first: dict[Any, tuple[Evidence, str]] = {}
    for run, key, value in values:
        begun, expected = first.setdefault(key, (run, value))
        if value != expected:
            yield begun, run, key


def _order_key(run: Evidence) -> tuple[object, ...]:
    """Everything that the order of the training images follows from."""
    spec = run.spec
    return (
        spec.first_iteration,
        spec.last_iteration,
        spec.seed,
        spec.train_split,
        spec.train_hash,
        spec.total_batch_size,
        spec.num_gpus,
        spec.data_revision,
    )


def _train_again(one: Evidence, other: Evidence, results: ResultsFolder) -> str:
    paths: Mapping[str, None] = dict.fromkeys(
        str(results.metrics(run.spec.run_id)) for run in (one, other)
    )
    return (
        "Of each run made with the wrong one delete its run folder and what was collected of it "
        f"({' or '.join(paths)}), and submit it again."
    )
