"""What a click on a number shows: the row by seed, its difference, and its runs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.records import METRICS
from harness.report.evidence import Fact, facts
from harness.report.notes import MISSING
from harness.report.page.content import TableSection
from harness.report.printed import printed
from harness.report.printed_differences import HEADING_OF, places
from harness.report.table import METRIC_OF, OURS, PUBLISHED


@dataclass(frozen=True)
class EvidenceView:
    """The evidence of one row.

    Attributes:
        id: in the page.
        title: the row's name.
        headings: of `by_seed`: what a line is, then the metrics.
        by_seed: a line for each run, then the mean and what is published.
        difference_headings, differences: as `harness verdicts` prints them; empty for a baseline.
        because: the reason of each verdict, once.
        runs: of each run, what is known of it.
    """

    id: str
    title: str
    headings: Sequence[str]
    by_seed: Sequence[Sequence[str]]
    compared: str
    difference_headings: Sequence[str]
    differences: Sequence[Sequence[str]]
    because: Sequence[str]
    runs: Sequence[tuple[str, Sequence[Fact]]]


def evidence_ids(name: str, table: int, rows: Sequence[str]) -> dict[str, str]:
    """An id for each row's evidence: numbers, since a row's name may hold anything.

    Args:
        name: of the part of the page.
        table: its number in the page.
        rows: of the table.
    """
    return {row: f"{name}-{table}-{number}" for number, row in enumerate(rows)}


def evidence_views(section: TableSection, ids: Mapping[str, str]) -> Iterator[EvidenceView]:
    """The evidence of each row of a table.

    Args:
        section: the table.
        ids: of the evidence in the page, by row.
    """
    shown, in_table = section.differences.shown, printed(section.table).text
    for row, id in ids.items():
        lines = section.evidence[section.evidence["row"] == row]
        differences = shown[shown["row"] == row]
        text = places(differences) if len(differences) else pd.DataFrame()
        yield EvidenceView(
            id=id,
            title=f"{section.table.name} · {row}",
            headings=("seed · run", *METRIC_OF),
            by_seed=[*_by_seed(lines), *_summary(section, in_table, row)],
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


def _summary(section: TableSection, text: pd.DataFrame, row: str) -> Iterator[list[str]]:
    n = str(section.table.cells.at[row, "n"])
    yield [f"ours, n = {n}", *(str(_at(text, row, heading, OURS)) for heading in METRIC_OF)]
    if not section.table.published.empty:
        yield ["published", *(str(_at(text, row, heading, PUBLISHED)) for heading in METRIC_OF)]


def _at(text: pd.DataFrame, row: str, heading: str, source: str) -> str:
    column = (heading, source)
    return str(text.at[row, column]) if column in text.columns else MISSING


def _because(differences: pd.DataFrame) -> list[str]:
    metrics: dict[str, list[str]] = {}
    for line in differences[differences["because"] != ""].to_dict("records"):
        because = f"{line['verdict']}, {line['because']}."
        metrics.setdefault(because, []).append(HEADING_OF[line["metric"]])
    return [f"{', '.join(those)}: {because}." for because, those in metrics.items()]


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) and not math.isnan(value) else MISSING
