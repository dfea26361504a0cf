"""Training curves as small drawings in the page: a panel for each loss term of each run.

Drawn as SVG of their own: matplotlib takes half a second for what stands here a hundred times, and
its colours could not follow the reader's theme.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.report.page.content import Curves

WIDTH, HEIGHT = 130, 56  # px


@dataclass(frozen=True)
class Panel:
    """One loss term of one run.

    Attributes:
        term: its name.
        points: of an SVG polyline.
        top, bottom: the losses at the panel's edges, the same for all runs of a stage.
        last: the newest, in words.
        alt: the curve in words.
    """

    term: str
    points: str
    top: str
    bottom: str
    last: str
    alt: str


@dataclass(frozen=True)
class CurvesView:
    """The panels of one run, and the iterations that they span."""

    name: str
    first: int
    last: int
    panels: Sequence[Panel]


def curve_views(curves: Mapping[str, Curves]) -> Iterator[CurvesView]:
    """The panels of each run that has logged something.

    Runs of the same iterations share the span of each term, so that they can be compared.

    Args:
        curves: by the run's name.
    """
    there = {name: one for name, one in curves.items() if len(one.losses)}
    spans: dict[tuple[int, int, str], tuple[float, float]] = {}
    for one in there.values():
        for term, values in one.losses.items():
            key = (one.first_iteration, one.last_iteration, str(term))
            low, high = spans.get(key, (values.min(), values.max()))
            spans[key] = (min(low, values.min()), max(high, values.max()))
    for name, one in there.items():
        first, last = one.first_iteration, one.last_iteration
        panels = [
            _panel(name, values.dropna(), one, spans[first, last, str(term)])
            for term, values in one.losses.items()
        ]
        yield CurvesView(name, first, last, panels)


def _panel(name: str, values: pd.Series, of: Curves, span: tuple[float, float]) -> Panel:
    low, high = span
    width = max(1, of.last_iteration - of.first_iteration)
    height = max(1e-9, high - low)
    points = [
        f"{(at - of.first_iteration) / width * WIDTH:.1f},{(high - value) / height * HEIGHT:.1f}"
        for at, value in zip(values.index.tolist(), values.tolist(), strict=True)
    ]
    return Panel(
        term=str(values.name),
        points=" ".join(points),
        top=_short(high),
        bottom=_short(low),
        last=_short(values.iloc[-1]),
        alt=(
            f"{values.name} of {name}: {_short(values.iloc[0])} at iteration {values.index[0]}, "
            f"{_short(values.iloc[-1])} at iteration {values.index[-1]}"
        ),
    )


def _short(loss: float) -> str:
    return f"{loss:.3g}".replace("-", "−")
