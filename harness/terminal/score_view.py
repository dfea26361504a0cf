"""`harness score` as people read it: AP as a whole, then of each category. To stdout."""

import math
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.data.fields import printable
from harness.evaluation import Evaluation
from harness.report.notes import NO_GROUND_TRUTH
from harness.terminal.words import table, title

NAMES = {
    "segm": "COCO AP of masks",
    "bbox": "COCO AP of boxes",
    "boundary": "Boundary AP of masks",
}


def show_scores(evaluations: Sequence[Evaluation], console: Console | None = None) -> None:
    """Print evaluations one below the other; categories with the highest AP first.

    Args:
        evaluations: of `harness.evaluation.evaluate` or `evaluate_boundary`.
        console: where to; stdout by default.
    """
    console = console or Console()
    for number, evaluation in enumerate(evaluations):
        if number:
            console.print()
        console.print(_score(evaluation), highlight=False, markup=False)


def _score(evaluation: Evaluation) -> Group:
    return Group(
        title(f"{NAMES[evaluation.task]}, in percent points"),
        Text(_counts(evaluation)),
        Text(f"evaluator: {evaluation.evaluator}"),
        "",
        _aps(evaluation),
        *_notes(evaluation),
    )


def _counts(evaluation: Evaluation) -> str:
    numbers = {
        "image": evaluation.images,
        "object": evaluation.objects,
        "crowd": evaluation.crowds,
        "detection": evaluation.detections,
    }
    return " · ".join(f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in numbers.items())


def _aps(evaluation: Evaluation) -> Table:
    view = table("category")
    for metric in evaluation.ap:
        view.add_column(metric, justify="right", no_wrap=True)
    view.add_row("all", *_numbers(evaluation.ap), style="bold")
    for name, ap in sorted(evaluation.per_category.items(), key=_rank):
        view.add_row(Text(printable(name)), *_numbers(ap))
    return view


def _rank(category: tuple[str, Mapping[str, float]]) -> tuple[bool, float, str]:
    name, ap = category
    return math.isnan(ap["AP"]), -ap["AP"] if not math.isnan(ap["AP"]) else 0.0, name


def _numbers(ap: Mapping[str, float]) -> Iterator[str]:
    return (NO_GROUND_TRUTH if math.isnan(value) else f"{value:.2f}" for value in ap.values())


def _notes(evaluation: Evaluation) -> list[Text]:
    values = [value for ap in evaluation.per_category.values() for value in ap.values()]
    if not any(map(math.isnan, values)):
        return []
    return [Text(""), Text(f"{NO_GROUND_TRUTH}: no object of that category and size.", style="dim")]
