"""`harness diff`: the difference of two rows or runs, and how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.errors import HarnessError, SpecError
from harness.grid import Cell, Grid, Layout, RunSpec
from harness.grid.fair import refuse_unfair
from harness.grid.names import matching
from harness.workplace import Workplace

NAME = "difference"


def print_difference(place: Workplace, one: str, other: str, format: str) -> None:
    """Print `other` minus `one` in every metric that both have, of what was collected.

    Args:
        place: where results are.
        one: a row ("table1/baseline": all its seeds), or a run.
        other: what is compared with it.
        format: "md", "latex", "csv" or "html".

    Raises:
        SpecError: a name means no row, or several.
        UnfairPairError: the two differ in more than their loss.
        ResultsError: they were made or scored with other annotations, evaluators or draws.
        HarnessError: they have no seed in common that is scored, or there is no such format.
    """
    from harness.collect import cells_frame, row_scores
    from harness.report.difference_formats import render_differences
    from harness.report.differences import pair_frame
    from harness.report.printed_differences import Differences
    from harness.report.scale import scale_note

    known = place.known_grid(place.experiment_names)
    specs = {text: _row(known, text) for text in (one, other)}
    _refuse_unfair(*specs.values())
    cells = [Cell(NAME, text, spec, {}) for text, row in specs.items() for spec in row]
    layout = Layout(caption="", columns=())
    grid = Grid(tuple(cells), {NAME: layout})
    cells_frame(grid, NAME, place.results)  # refuses what may not be mixed
    scores = row_scores(grid, NAME, place.results)
    if not scores[one].keys() & scores[other].keys():
        raise HarnessError(
            f"{one} and {other} have no seed in common that is scored. Seeds scored and collected: "
            f"{_seeds(scores[one])} and {_seeds(scores[other])}. Give `harness collect` where "
            "their runs are; `harness status` shows what is trained."
        )
    baseline, method = (next(cell for cell in cells if cell.row == text) for text in (one, other))
    note = scale_note(spec for row in specs.values() for spec in row)
    compared = f"{other} minus {one}, in AP points."
    found = Differences(NAME, pair_frame(method, baseline, scores), layout, note, compared)
    print(render_differences([found], format), end="")


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
