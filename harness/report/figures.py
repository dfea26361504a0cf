"""Fig. 8: mask AP over k, ours and the published curves side by side.

Each metric has two axes that span the same number of points: ours may lie far from the published
values, and still half a point looks the same in both. Where there are several seeds, ours are means
with their standard error.
"""

import textwrap
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from harness.records import STD_ERROR
from harness.report.style import (
    BLUE,
    DOUBLE_IN,
    GREEN,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    STYLE,
    VERMILION,
)

FIGURES = {"fig8": "table1"}  # what each is drawn from
LABEL_OF_K = "k"  # the column of that table

PANELS = {"(a)": ("AP", "AP50", "AP75"), "(b)": ("APs", "APm", "APl")}
COLOURS = {
    "AP": BLUE,
    "AP50": VERMILION,
    "AP75": GREEN,
    "APs": PURPLE,
    "APm": ORANGE,
    "APl": SKY_BLUE,
}
# Ours solid and filled, published dashed and hollow: they differ without colour too.
LINES: dict[str, dict[str, Any]] = {
    "ours": {"linestyle": "-", "marker": "o"},
    "published": {"linestyle": "--", "marker": "o", "markerfacecolor": "white"},
}
BARS: dict[str, Any] = {"fmt": "none", "elinewidth": 0.8, "capsize": 1.5, "capthick": 0.8}
BASELINE: dict[str, Any] = {"color": "0.4", "linestyle": ":", "linewidth": 1.0}

HEIGHT_IN = 4.4
TITLE_CHARACTERS = 110  # that fit the width
SMALLEST_SPAN = 0.5  # points: less is not blown up
MARGIN = 1.3  # axes over data


def fig8(cells: pd.DataFrame, published: pd.DataFrame, scale_note: str) -> Figure:
    """The figure of Table I: (a) mAP, AP50, AP75 and (b) APs, APm, APl, over k.

    Args:
        cells: Table I by row, with the label column `k`, which is no number for the baseline.
        published: the printed numbers by row.
        scale_note: what our numbers were measured on, as a sentence.

    Returns:
        The figure; where a row has no numbers, its curve has a gap.
    """
    k = pd.to_numeric(cells[LABEL_OF_K], errors="coerce")
    sources = {"ours": cells, "published": published.reindex(cells.index, columns=list(COLOURS))}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(DOUBLE_IN, HEIGHT_IN), layout="constrained")
        bars = " Bars: standard error over seeds." if _std_errors(cells, "AP").notna().any() else ""
        title = textwrap.fill(f"Mask AP over k. {scale_note}{bars}", TITLE_CHARACTERS)
        figure.suptitle(title, fontsize=8, parse_math=False)  # a folder may be named a$b$
        (body,), (foot,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(16, 1))
        (panels,) = body.subfigures(1, len(PANELS), squeeze=False)
        for panel, name in zip(panels, PANELS, strict=True):
            _draw_panel(panel, name, k, sources)
        foot.legend(handles=_legend(), loc="center", ncols=3, frameon=False)
    return figure


def fig8_in_words(cells: pd.DataFrame, published: pd.DataFrame) -> str:
    """The curves of `fig8` for those who cannot see them: mAP from k to k, ours and published."""
    told = [
        f"{source} {', '.join(f'{row} {value:.2f}' for row, value in values.items())}"
        for source, frame in (("ours", cells), ("published", published))
        if len(values := frame["AP"].astype(float).dropna())
    ]
    return (
        "Curves of six metrics over k, ours on the left and published on the right, each with its "
        f"baseline. mAP: {'; '.join(told)}. All numbers stand in Table I."
    )


def _draw_panel(
    panel: SubFigure, name: str, k: pd.Series, sources: dict[str, pd.DataFrame]
) -> None:
    metrics = PANELS[name]
    grid = panel.subplots(len(metrics), len(sources), sharex=True, squeeze=False)
    panel.supylabel("percent points", fontsize=7)
    for metric, row in zip(metrics, grid, strict=True):
        values = {source: frame[metric].astype(float) for source, frame in sources.items()}
        errors = _std_errors(sources["ours"], metric)
        bars = [values["ours"] + sign * errors.fillna(0) for sign in (-1, 1)]
        reach = values | {"ours": pd.concat(bars)}
        span = max(SMALLEST_SPAN, *(MARGIN * _spread(series) for series in reach.values()))
        for axes, (source, series) in zip(row, values.items(), strict=True):
            _draw_curve(axes, k, series, metric, source)
            if source == "ours" and errors.any():
                axes.errorbar(k, series, errors, color=COLOURS[metric], **BARS)
            _set_span(axes, reach[source], span)
            axes.set_title(f"{_printed(metric)}, {source}", loc="left", pad=3)
    grid[0, 0].set_title(f"{name}  {_printed(metrics[0])}, ours", loc="left", pad=3)
    for axes in grid[-1]:
        axes.set_xlabel("k", labelpad=1)
        axes.set_xticks(sorted(k.dropna()))


def _draw_curve(axes: Axes, k: pd.Series, values: pd.Series, metric: str, source: str) -> None:
    baseline = values[k.isna()].dropna()
    for value in baseline:
        axes.axhline(value, **BASELINE)
    curve = values[k.notna()]
    axes.plot(k[k.notna()], curve, color=COLOURS[metric], **LINES[source])
    if values.isna().all():
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no numbers yet", transform=axes.transAxes, ha="center", va="center")


def _std_errors(cells: pd.DataFrame, metric: str) -> pd.Series:
    unknown = pd.Series(float("nan"), cells.index)
    return cells.get(metric + STD_ERROR, unknown).astype(float)


def _spread(values: pd.Series) -> float:
    return 0.0 if values.isna().all() else float(values.max() - values.min())


def _set_span(axes: Axes, values: pd.Series, span: float) -> None:
    if values.notna().any():
        middle = (values.max() + values.min()) / 2
        axes.set_ylim(middle - span / 2, middle + span / 2)


def _printed(metric: str) -> str:
    return "mAP" if metric == "AP" else metric


def _legend() -> list[Line2D]:
    curves = [Line2D([], [], color="0.2", label=name, **line) for name, line in LINES.items()]
    return [*curves, Line2D([], [], label="baseline (no contour loss)", **BASELINE)]
