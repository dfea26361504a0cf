"""`harness diff` as people read it: each metric's difference, its interval and its parts."""

import math
from collections.abc import Iterator

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.report.printed import signed
from harness.statistics.difference import DECIDED_FROM, Difference
from harness.statistics.scores import Scores, difference, mean
from harness.terminal.words import table, title

UNKNOWN = "—"


def show_difference(
    one: str, ours: Scores, other: str, theirs: Scores, console: Console | None = None
) -> None:
    """Print `other` minus `one`.

    Args:
        one: what is compared with.
        ours: its scores, at least one seed in common with `theirs`.
        other: what is compared.
        theirs: its scores.
        console: where to; stdout by default.
    """
    metrics = [name for name in _metrics(ours) if name in set(_metrics(theirs))]
    found = {
        name: one_difference
        for name in metrics
        if (one_difference := difference(theirs, ours, name)) is not None
    }
    (console or Console()).print(
        Group(
            title(f"{other} minus {one}, in AP points"),
            _table(ours, theirs, found),
            "",
            *_notes(ours, theirs, found),
        ),
        highlight=False,
        markup=False,
    )


def _metrics(scores: Scores) -> Iterator[str]:
    return iter(dict.fromkeys(name for score in scores.values() for name in score.values))


def _table(ours: Scores, theirs: Scores, found: dict[str, Difference]) -> Table:
    view = table("metric")
    for heading in ("one", "other", "difference", "95% interval", "by seeds", "by images"):
        view.add_column(heading, justify="right", no_wrap=True)
    for name, one in found.items():
        view.add_row(
            name,
            f"{mean(ours, name).value:.2f}",
            f"{mean(theirs, name).value:.2f}",
            _signed(one.delta),
            f"{_signed(one.low)} to {_signed(one.high)}",
            _error(one.seed_variance),
            _error(one.image_variance),
        )
    return view


def _signed(value: float) -> str:
    return UNKNOWN if math.isnan(value) else signed(value)


def _error(variance: float) -> str:
    return UNKNOWN if math.isnan(variance) else f"±{math.sqrt(variance):.2f}"


def _notes(ours: Scores, theirs: Scores, found: dict[str, Difference]) -> Iterator[Text]:
    seeds = sorted(ours.keys() & theirs.keys())
    first = next(iter(found.values()))
    counted = " and ".join(first.counted) or "nothing"
    yield Text(
        f"n = {len(seeds)} seed{'' if len(seeds) == 1 else 's'} ({', '.join(map(str, seeds))}). "
        f"The interval counts {counted}; by seeds, by images: its two parts as standard errors."
    )
    if len(seeds) < DECIDED_FROM:
        yield Text(
            f"Undecided: below n = {DECIDED_FROM} another training could turn it round, whatever "
            "the interval over images says."
        )
    pairs = (f"{theirs[seed].run_id} − {ours[seed].run_id}" for seed in seeds)
    yield Text(f"Runs: {', '.join(pairs)}.", style="dim")
