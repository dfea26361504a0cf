"""What a reader must know of the numbers of a table, one sentence each."""

from collections.abc import Iterator

import pandas as pd

from harness.grid.grid import CONTOUR_COLUMNS
from harness.records import METRICS
from harness.report.emphasis import Emphasis
from harness.report.other_code import code_notes
from harness.report.table import CONTOUR_METRIC_OF, Table
from harness.statistics.difference import DECIDED_FROM

MISSING = "—"
NO_GROUND_TRUTH = "n/a"


def notes(table: Table, emphasis: Emphasis) -> Iterator[str]:
    """The notes under `table`, the paper's own first; `emphasis` is how it is marked."""
    # The honest rule marks no published value, so what the paper says of its marks is not so here.
    if table.layout.note and not (emphasis is Emphasis.HONEST and table.layout.emphasis):
        yield f"The paper's note: {table.layout.note}"
    if emphasis is Emphasis.BEST and not table.layout.emphasis:
        yield "Bold: the highest value in its column; underlined: the second highest."
    yield from _seeds(table.cells)
    missing = table.cells["missing"]
    known = missing.index if table.published.empty else table.published.index
    new = [row for row in missing.index if row not in known]
    if new:
        yield f"Not in the paper: {', '.join(new)}."
    for reason in missing[missing != ""].unique():
        yield f"{MISSING} in {', '.join(missing.index[missing == reason])}: {reason}."
    if table.cells.loc[missing == "", list(METRICS)].isna().any(axis=None):
        yield f"{NO_GROUND_TRUTH}: the test split has no object of that size."
    yield from _contours(table)
    yield from _evaluators(table.cells)
    yield from code_notes(table.cells)


def _seeds(cells: pd.DataFrame) -> Iterator[str]:
    made = cells[cells["missing"] == ""]
    if made.empty:
        return
    usual = int(made["n"].mode().max())
    told = f"n = {usual} seed{'' if usual == 1 else 's'}"
    others = made.loc[made["n"] != usual, "n"]
    if len(others):
        told += f", but {', '.join(f'{n} in {row}' for row, n in others.items())}"
    if made["n"].max() > 1:
        yield (
            f"Ours: mean ± standard error over seeds, {told}. Rows of one seed share their base, "
            "so their difference is surer than ± suggests: see harness verdicts."
        )
    else:
        yield f"{told}: how far from these numbers another training would be is not known."
    if made["n"].min() < DECIDED_FROM:
        yield f"No difference is decided below n = {DECIDED_FROM}."


def _contours(table: Table) -> Iterator[str]:
    shown = [heading for heading in CONTOUR_COLUMNS if heading in table.layout.columns]
    if not shown:
        return
    yield (
        "AP80, AP90: AP at that IoU alone. Boundary AP: AP with the lower of mask IoU and boundary "
        "IoU, at 2 % of the image's diagonal (Cheng et al. 2021)."
    )
    lacking = [
        row
        for row in table.cells.index[table.cells["missing"] == ""]
        if not any(
            CONTOUR_METRIC_OF[shown[0]] in one.values for one in table.scores.get(row, {}).values()
        )
    ]
    if lacking:
        yield (
            f"{MISSING} in {', '.join(shown)} of {', '.join(lacking)}: scored by an earlier "
            "version; harness collect adds them where the runs' predictions are."
        )


def _evaluators(cells: pd.DataFrame) -> Iterator[str]:
    evaluators = cells.loc[cells["missing"] == "", "evaluator"]
    if evaluators.nunique() > 1:
        rows = [
            f"{evaluator} ({', '.join(evaluators.index[evaluators == evaluator])})"
            for evaluator in evaluators.unique()
        ]
        yield f"Scored by more than one version: {', '.join(rows)}."
