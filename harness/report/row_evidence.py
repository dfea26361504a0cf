"""The evidence of one row of a table: the row by seed, its difference, and its runs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.records import METRICS
from harness.report.evidence import Fact, facts
from harness.report.notes import MISSING
from harness.report.printed import printed
from harness.report.printed_differences import HEADING_OF, Differences, places
from harness.report.table import METRIC_OF, OURS, PUBLISHED, Table


@dataclass(frozen=True)
class RowEvidence:
    """The evidence of one row.

    Attributes:
        row: its name.
        headings: of `by_seed`: what a line is, then the metrics.
        by_seed: a line for each run, then the mean and what is published.
        difference_headings, differences: as `harness verdicts` prints them; empty for a baseline.
        because: the reason of each verdict, once.
        runs: of each run, what is known of it.
    """

    row: str
    headings: Sequence[str]
    by_seed: Sequence[Sequence[str]]
    compared: str
    difference_headings: Sequence[str]
    differences: Sequence[Sequence[str]]
    because: Sequence[str]
    runs: Sequence[tuple[str, Sequence[Fact]]]


def row_evidence(
    table: Table, differences: Differences, evidence: pd.DataFrame
) -> dict[str, RowEvidence]:
    """The evidence of each row of a table.

    Args:
        table: its numbers.
        differences: of its rows from their baselines.
        evidence: its runs, of `harness.collect.evidence.evidence_frame`.
    """
    in_table = printed(table).text
    return {
        row: _of_row(table, in_table, row, differences.shown, evidence)
        for row in table.cells.index.tolist()
    }


def _of_row(
    table: Table, in_table: pd.DataFrame, row: str, shown: pd.DataFrame, evidence: pd.DataFrame
) -> RowEvidence:
    lines = evidence[evidence["row"] == row]
    differences = shown[shown["row"] == row]
    text = places(differences) if len(differences) else pd.DataFrame()
    return RowEvidence(
        row=row,
        headings=("seed · run", *METRIC_OF),
        by_seed=[*_by_seed(lines), *_summary(table, in_table, row)],
        compared=f"{row} − {differences['baseline'].iloc[0]}" if len(differences) else "",
        difference_headings=tuple(text.columns),
        differences=text.to_numpy().tolist(),
        because=_because(differences),
        runs=[(str(line["run_id"]), list(facts(line))) for _, line in lines.iterrows()],
    )


def _by_seed(lines: pd.DataFrame) -> Iterator[list[str]]:
    for _, line in lines.iterrows():
        values = [line[metric] for metric in METRICS]
        yield [f"seed {line['seed']} · {line['run_id']}", *map(_number, values)]


def _summary(table: Table, text: pd.DataFrame, row: str) -> Iterator[list[str]]:
    n = str(table.cells.at[row, "n"])
    yield [f"ours, n = {n}", *(str(_at(text, row, heading, OURS)) for heading in METRIC_OF)]
    if not table.published.empty:
        yield ["published", *(str(_at(text, row, heading, PUBLISHED)) for heading in METRIC_OF)]


def _at(text: pd.DataFrame, row: str, heading: str, source: str) -> str:
    column = (heading, source)
    return str(text.at[row, column]) if column in text.columns else MISSING


def _because(differences: pd.DataFrame) -> list[str]:
    metrics: dict[str, list[str]] = {}
    for line in differences[differences["because"] != ""].to_dict("records"):
        because = ", ".join((line["verdict"], line["because"]))
        metrics.setdefault(because, []).append(HEADING_OF[line["metric"]])
    return [f"{', '.join(those)}: {because}." for because, those in metrics.items()]


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) and not math.isnan(value) else MISSING
