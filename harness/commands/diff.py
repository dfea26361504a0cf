"""`harness diff`: the difference of two rows or runs, and how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.commands.messages import tell
from harness.errors import HarnessError, SpecError
from harness.grid import Grid, RunSpec
from harness.grid.fair import refuse_unfair
from harness.grid.names import matching
from harness.paths import RunsFolder
from harness.workplace import Workplace


def print_difference(place: Workplace, one: str, other: str) -> None:
    """Print `other` minus `one` in every metric that both have.

    Args:
        place: where runs and results are.
        one: a row ("table1/baseline": all its seeds), or a run.
        other: what is compared with it.

    Raises:
        SpecError: a name means no row, or several.
        UnfairPairError: the two differ in more than their loss.
        HarnessError: they have no seed in common that is scored.
    """
    from harness.collect import collect, run_scores
    from harness.terminal.diff_view import show_difference

    grid = place.known_grid(place.experiment_names)
    rows = [_row(grid, text) for text in (one, other)]
    _refuse_unfair(*rows)
    specs = [spec for row in rows for spec in row]
    run_ids = {spec.run_id for spec in specs}
    part = replace(grid, cells=tuple(cell for cell in grid.cells if cell.spec.run_id in run_ids))
    collect(part, place.runs, place.results, tell=tell)
    found = run_scores(specs, place.results)
    scores = [
        {spec.seed: found[spec.run_id] for spec in row if spec.run_id in found} for row in rows
    ]
    if not scores[0].keys() & scores[1].keys():
        raise HarnessError(
            f"{one} and {other} have no seed in common that is scored. "
            f"Seeds scored: {_seeds(scores[0])} and {_seeds(scores[1])}. {_way_out(place.runs)}"
        )
    tell(place.title)
    show_difference(one, scores[0], other, scores[1])


def _row(grid: Grid, text: str) -> list[RunSpec]:
    """The runs meant by `text`, one for each seed of one row."""
    specs = [grid.runs[run_id] for run_id in matching(grid, [text])]
    if any(spec.stage == "base" for spec in specs):
        raise SpecError(f"{text!r} means a base, which has no AP. Name a row or a fine-tune.")
    if len({replace(spec, seed=0) for spec in specs}) > 1:
        told = ", ".join(f"{grid.name_of(spec.run_id)} · {spec.run_id}" for spec in specs)
        raise SpecError(f"{text!r} means more than one row: {told}. Name one.")
    return specs


def _refuse_unfair(ours: Sequence[RunSpec], theirs: Sequence[RunSpec]) -> None:
    of_seed = {spec.seed: spec for spec in theirs}
    pairs = [(spec, of_seed[spec.seed]) for spec in ours if spec.seed in of_seed]
    for pair in pairs or [(ours[0], theirs[0])]:
        refuse_unfair(*pair)


def _seeds(scores: Mapping[int, object]) -> str:
    return ", ".join(map(str, scores)) or "none"


def _way_out(runs: RunsFolder) -> str:
    return f"`harness status` shows what is trained in {runs.folder}."
