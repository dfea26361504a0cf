"""Rows made with other code: which are marked, and what is told, in every format."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from harness.grid import Layout
from harness.records import METRICS
from harness.report.other_code import code_notes, rows_of_other_code
from harness.report.printed import printed
from harness.report.table import Table
from harness.report.tables import SUFFIXES, render

OLD, NEW = ("l1", "d", "1a2b3c4d"), ("l2", "d", "5e6f7a8b")
UNKNOWN = ("", "", "00000000")


def cells(*codes, missing=(), uncommitted=()) -> pd.DataFrame:
    """A row for each (losses_code, detection_code, commit), named k=0, k=1, ..."""
    names = [f"k={number}" for number, _ in enumerate(codes)]
    records = [
        {
            "Method": "Contour loss",
            **dict.fromkeys(METRICS, np.nan if name in missing else 20.0),
            "run_id": f"{number:08d}",
            "evaluator": "",
            "missing": "not trained yet" if name in missing else "",
            "n": int(name not in missing),
            "seeds": "0",
            "losses_code": code[0],
            "detection_code": code[1],
            "commit": code[2],
            "uncommitted": name in uncommitted,
        }
        for number, (name, code) in enumerate(zip(names, codes, strict=True))
    ]
    return pd.DataFrame(records, index=pd.Index(names, name="row"))


def a_table(*codes) -> Table:
    return Table("own", cells(*codes), pd.DataFrame(), Layout("Ours.", ("Method", "mAP")), "Demo.")


def test_a_table_of_one_code_says_nothing_whatever_its_commits():
    # The commits differ elsewhere than in the parts that numbers come from.
    frame = cells(OLD, (*OLD[:2], "99999999"))
    assert rows_of_other_code(frame) == []
    assert list(code_notes(frame)) == []


def test_the_few_are_marked_against_the_many_and_the_commits_are_named():
    frame = cells(NEW, OLD, (*OLD[:2], "99999999"))
    assert rows_of_other_code(frame) == ["k=0"]
    assert list(code_notes(frame)) == [
        "† k=0 (commit 5e6f7a8b): made with another harness/losses than k=1, k=2 "
        "(commit 1a2b3c4d; 99999999)."
    ]


def test_of_equally_many_those_of_the_top_row_go_without_a_mark():
    assert rows_of_other_code(cells(NEW, OLD, OLD, NEW)) == ["k=1", "k=2"]


def test_each_other_code_has_a_note_that_says_which_part_differs():
    notes = list(code_notes(cells(OLD, OLD, NEW, ("l1", "d2", "a"), ("l3", "d2", "b"))))
    assert [note.partition(" than ")[0] for note in notes] == [
        "† k=2 (commit 5e6f7a8b): made with another harness/losses",
        "† k=3 (commit a): made with another harness/detection",
        "† k=4 (commit b): made with another harness/losses and harness/detection",
    ]


def test_a_row_without_numbers_is_neither_marked_nor_counted():
    frame = cells(NEW, NEW, OLD, missing=["k=0", "k=1"])
    assert rows_of_other_code(frame) == []
    assert list(code_notes(frame)) == []


def test_unknown_code_is_never_marked_but_told_beside_known_code():
    frame = cells(OLD, UNKNOWN)
    assert rows_of_other_code(frame) == []
    assert list(code_notes(frame)) == [
        "Not recorded with which harness/losses and harness/detection: k=1 (commit 00000000)."
    ]


def test_unknown_code_of_one_commit_is_one_code():
    assert list(code_notes(cells(UNKNOWN, UNKNOWN))) == []


def test_unknown_code_of_two_commits_may_be_two():
    (note,) = code_notes(cells(UNKNOWN, ("", "", "")))
    assert note.endswith("harness/detection: k=0, k=1 (commit 00000000; unknown).")


def test_rows_that_no_commit_holds_are_told():
    (note,) = code_notes(cells(OLD, OLD, uncommitted=["k=1"]))
    assert note == "Made with changes that no commit holds: k=1."


def test_the_mark_stands_in_every_format_with_its_note():
    table = a_table(OLD, OLD, NEW)
    assert list(printed(table).text[("Method", "")]) == [
        *("Contour loss", "Contour loss", "Contour loss †")
    ]
    for format, mark in (("md", "†"), ("latex", r"\dag{}"), ("html", "&#8224;")):
        text = render(table, format)
        assert f"Contour loss {mark}" in text
        assert f"{mark} k=2 (commit 5e6f7a8b): made with another harness/losses than" in text
    rows = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert [row["code"] for row in rows] == ["", "", "other"]
    assert {row["Method"] for row in rows} == {"Contour loss"}  # data, not print


@pytest.mark.parametrize("format", SUFFIXES)
def test_without_other_code_no_format_changes(format):
    known, silent = a_table(OLD, OLD), a_table(OLD, OLD)
    for column in ("losses_code", "detection_code", "commit", "uncommitted"):
        del silent.cells[column]
    assert render(known, format) == render(silent, format)
