"""The table that the demo and `harness table` show, at 80 columns."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from harness.grid import Layout
from harness.records import METRICS
from harness.report.table import Table
from harness.terminal.table_view import show_table

COLUMNS = ("Method", "Backbone", "mAP", "AP50", "AP75", "APs", "APm", "APl")
NOTE = "Demo scale: thin networks trained on drawn shapes, seed 0; not COCO numbers."


@pytest.fixture
def table() -> Table:
    """Ours 20, 21, ... 25 in the first row, nothing in the second; 34.28 and 34.5 are published."""
    labels = {"Method": ["Mask R-CNN", "HTC [x]"], "Backbone": ["Res-50+FPN", "Res-50+FPN"]}
    numbers = {name: [20.0 + number, np.nan] for number, name in enumerate(METRICS)}
    evidence = {
        "run_id": ["3f9c1ab2", "5ad01c77"],
        "evaluator": ["pycocotools 2.0.10", ""],
        "missing": ["", "not trained yet"],
        "n": [1, 0],
    }
    rows = pd.Index(["R50", "HTC"], name="row")
    published = pd.DataFrame(
        {**{name: [34.28, 34.5] for name in METRICS}, "decimals": [2, 1]}, index=rows
    )
    cells = pd.DataFrame({**labels, **numbers, **evidence}, index=rows)
    return Table("table3", cells, published, Layout("Backbones.", COLUMNS), NOTE)


def shown(table: Table, *, styled: bool = False) -> list[str]:
    """Line by line, in plain text or with the codes of a terminal."""
    file = io.StringIO()
    show_table(table, Console(file=file, width=80, force_terminal=styled))
    return file.getvalue().splitlines()


def test_published_numbers_stand_under_ours(table):
    lines = shown(table)
    first = next(n for n, line in enumerate(lines) if line.startswith("Mask R-CNN"))
    ours, published = lines[first : first + 2]
    assert ours.split() == [
        "Mask",
        "R-CNN",
        "Res-50+FPN",
        "20.00",
        "21.00",
        "22.00",
        "23.00",
        "24.00",
        "25.00",
    ]
    assert published.split() == ["34.28"] * 6
    assert published.index("34.28") == ours.index("20.00")
    assert "First line ours, second line published." in lines


def test_the_six_metrics_of_table_3_fit_into_80_columns(table):
    lines = shown(table)
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert lines[0].startswith("Backbones. Demo scale: thin networks trained on drawn shapes")
    assert any(line.split() == list(COLUMNS) for line in lines)


def test_a_standard_error_stands_between_ours_and_published_within_80_columns(table):
    errors = {f"{name} std_error": [12.5, np.nan] for name in METRICS}
    table = replace(table, cells=table.cells.assign(**errors, n=[3, 0], seeds=["0 1 2", ""]))
    lines = shown(table)
    first = next(n for n, line in enumerate(lines) if line.startswith("Mask R-CNN"))
    assert lines[first].split()[-6:] == ["20.00", "21.00", "22.00", "23.00", "24.00", "25.00"]
    assert lines[first + 1].split() == ["±", "12.50"] * 6
    assert lines[first + 2].split() == ["34.28"] * 6
    assert "From the top: ours, its standard error over seeds, published." in lines
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_a_missing_row_keeps_its_published_numbers_and_says_why(table):
    lines = shown(table)
    first = next(n for n, line in enumerate(lines) if line.startswith("HTC [x]"))
    assert lines[first].split()[-6:] == ["—"] * 6
    assert lines[first + 1].split() == ["34.5"] * 6
    assert "— in HTC: not trained yet." in lines


def test_a_table_that_is_not_in_the_paper_has_one_line_a_row(table):
    lines = shown(replace(table, published=pd.DataFrame()))
    assert not any("34." in line or "published" in line for line in lines)


def test_bold_and_underline_are_only_where_the_paper_has_them(table):
    bold = "\x1b[1m20.00"
    assert not any(bold in line for line in shown(table, styled=True))
    marked = replace(table, layout=replace(table.layout, emphasis=True))
    assert any(bold in line for line in shown(marked, styled=True))
