import csv
import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.grid import Layout, Setting
from harness.grid.experiments import load_grid
from harness.records import METRICS
from harness.report.emphasis import Emphasis
from harness.report.printed import signed
from harness.report.published import read_published
from harness.report.table import Table
from harness.report.tables import SUFFIXES, render
from harness.statistics.scores import Score, mean

PROJECT = Path(__file__).parents[2]
GRID = load_grid([], Setting(scale="demo"), PROJECT / "experiments")
NOTE = "Demo scale: thin networks trained on drawn shapes, seed 0; not COCO numbers."
NOT_TRAINED = "not trained yet"


def a_table(name: str, numbers: dict[str, list[float]], missing: str = "not trained yet") -> Table:
    """A table of the paper with made-up numbers of ours; the other rows are missing."""
    records = [
        {
            **cell.labels,
            **dict(zip(METRICS, numbers.get(cell.row, [np.nan] * 6), strict=True)),
            "run_id": cell.spec.run_id,
            "n": int(cell.row in numbers),
            "seeds": "0" if cell.row in numbers else "",
            "evaluator": "pycocotools 2.0.10" if cell.row in numbers else "",
            "missing": "" if cell.row in numbers else missing,
        }
        for cell in GRID.table(name)
    ]
    cells = pd.DataFrame(records, index=[cell.row for cell in GRID.table(name)]).rename_axis("row")
    published = read_published(PROJECT / "results" / "published", name)
    return Table(name, cells, published, GRID.layouts[name], NOTE)


def own_table(labels: list[str]) -> Table:
    """A table that is not in the paper."""
    records = [
        {
            "Method": label,
            "AP": 20.0 + number,
            "run_id": f"{number:08d}",
            "n": 1,
            "seeds": "0",
            "evaluator": "pycocotools 2.0.10",
            "missing": "",
        }
        for number, label in enumerate(labels)
    ]
    cells = pd.DataFrame(records, index=[f"row {n}" for n, _ in enumerate(labels)]).reindex(
        columns=["Method", *METRICS, "n", "seeds", "run_id", "evaluator", "missing"]
    )
    return Table("own", cells, pd.DataFrame(), Layout("Ours.", ("Method", "mAP")), NOTE)


def of_seeds(rows: dict[str, list[float]], draws: tuple[float, ...] = (-0.1, 0.1)) -> Table:
    """A table whose rows have these mAPs, one for each seed, and in draws of images these more."""
    scores = {
        row: {
            seed: Score(f"run{seed}", {"AP": value}, {"AP": value + np.array(draws)})
            for seed, value in enumerate(values)
        }
        for row, values in rows.items()
    }
    table = own_table(list(rows))
    cells = table.cells.set_index(pd.Index(list(rows), name="row"))
    for row, of_row in scores.items():
        found = mean(of_row, "AP")
        cells.loc[row, ["AP", "AP std_error", "n"]] = found.value, found.std_error, found.n
    return replace(table, cells=cells.astype({"n": int}), scores=scores)


def csv_rows(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(table, "csv"))))


def markdown_row(table: Table, number: int, **options) -> list[str]:
    """Row `number` from 0, place by place; above it stand caption, blank, headings and rules."""
    line = render(table, "md", **options).splitlines()[4 + number]
    return line.strip("| ").split(" | ")


def test_a_difference_has_its_sign_and_a_real_minus():
    # -0.004 is printed as 0.00, which has no sign.
    assert [signed(value) for value in (0.26, -13.6, 0.0, -0.004)] == [
        "+0.26",
        "−13.60",
        "0.00",
        "0.00",
    ]


def test_beside_ours_stand_the_published_value_and_the_difference():
    # Table I, baseline: 34.28, 55.94, 36.20 published; 34.5 - 34.28 = 0.22, 36.1 - 36.2 = -0.1.
    table = a_table("table1", {"baseline": [34.5, 55.94, 36.1, 15.82, 36.75, 50.84]})
    assert markdown_row(table, 0)[:4] == [
        "baseline",
        "34.50 (34.28; +0.22)",
        "55.94 (55.94; 0.00)",
        "36.10 (36.20; −0.10)",
    ]


def test_published_values_keep_the_decimals_of_the_paper():
    # Table III, HTC: printed with one decimal. 38 - 37.7 = 0.3.
    assert markdown_row(a_table("table3", {"HTC": [38.0] * 6}), 6)[3] == "38.00 (37.7; +0.30)"


def test_csv_has_one_line_a_row_after_the_headings_and_its_numbers_are_numbers():
    table = a_table("table3", {"R50": [34.281572] * 6})
    assert len(render(table, "csv").splitlines()) == 1 + 8
    first, *_, last = csv_rows(table)
    assert list(first)[:7] == [
        *("row", "Method", "Backbone", "CL", "mAP", "mAP published", "mAP difference"),
    ]
    # 34.281572 - 34.28 = 0.001572, at four decimals.
    assert (first["mAP"], first["mAP published"], first["mAP difference"]) == (
        *("34.2816", "34.28", "0.0016"),
    )
    assert first["run_id"] == table.cells["run_id"].iloc[0]
    assert (last["row"], last["mAP"], last["mAP published"]) == ("HTC+contour", "", "37.9")


def test_a_line_break_in_a_label_makes_no_second_line():
    table = own_table(["two\nlines"])
    assert csv_rows(table)[0]["Method"] == "two lines"
    assert len(render(table, "csv").splitlines()) == 2
    assert "| two lines | 20.00 |" in render(table, "md")


@pytest.mark.parametrize("format", SUFFIXES)
def test_missing_rows_stand_in_every_format_with_their_reason(format):
    text = render(a_table("table3", {}, missing=NOT_TRAINED), format)
    assert NOT_TRAINED in text
    assert text.count("Res-50+FPN") == 4
    assert "37.9" in text


@pytest.mark.parametrize("format", SUFFIXES)
def test_no_format_can_be_read_as_coco_numbers(format):
    assert NOTE in render(a_table("table1", {}), format)


def test_a_row_without_a_run_and_a_number_without_ground_truth_are_marked_apart():
    table = a_table("table2", {"baseline": [20, 40, 10, np.nan, 20, 30]})
    assert markdown_row(table, 0)[4] == "n/a (15.82; —)"
    assert markdown_row(table, 1)[1] == "— (34.33; —)"
    text = render(table, "md")
    assert "- — in mse\\_edge" not in text  # an underscore inside a word needs no escape
    assert "- — in mse_edge, mse_contour, contour: not trained yet." in text
    assert "- n/a: the test split has no object of that size." in text


def test_a_row_that_the_paper_does_not_have_says_so():
    table = a_table("table2", {"baseline": [20.0] * 6})
    table = replace(table, published=table.published.drop(index="baseline"))
    assert markdown_row(table, 0)[1] == "**20.00** (—; —)"
    assert "- Not in the paper: baseline." in render(table, "md")


def test_a_table_that_is_not_in_the_paper_has_only_our_columns():
    table = own_table(["a", "b"])
    assert "| Method | mAP |\n| :--- | ---: |\n| a | 20.00 |\n" in render(table, "md")
    for format in SUFFIXES:
        assert "publ" not in render(table, format)


def test_two_versions_of_an_evaluator_are_told_under_the_table():
    table = own_table(["a", "b", "c"])
    assert "Scored by" not in render(table, "md")
    table.cells.loc["row 1", "evaluator"] = "pycocotools 2.0.11"
    note = (
        "Scored by more than one version: pycocotools 2.0.10 (row 0, row 2), "
        "pycocotools 2.0.11 (row 1)."
    )
    for format in ("md", "latex", "html"):
        assert note in render(table, format)


def test_table_2_marks_ours_and_the_published_values_each_among_their_own():
    # mAP: ours 1 < 2 < 3 = 3, so both 3 are bold and 2 underlined; published 34.54 and 34.42.
    ours = {"baseline": 1.0, "mse_edge": 2.0, "mse_contour": 3.0, "contour": 3.001}
    table = a_table("table2", {row: [value] * 6 for row, value in ours.items()})
    assert [markdown_row(table, row)[1].partition(";")[0] for row in range(4)] == [
        "1.00 (34.28",
        "<u>2.00</u> (34.33",
        "**3.00** (<u>34.42</u>",
        "**3.00** (**34.54**",
    ]


def test_missing_cells_are_never_marked():
    table = a_table("table2", {"baseline": [20.0] * 6})
    assert [markdown_row(table, row)[1].partition(" ")[0] for row in range(4)] == [
        "**20.00**",
        *("—", "—", "—"),
    ]


def test_tables_1_and_3_are_marked_on_request_only_and_then_say_so():
    table = a_table("table1", {"baseline": [20.0] * 6})
    assert "**" not in render(table, "md").split("\n", 1)[1]
    assert markdown_row(table, 0, emphasis=Emphasis.BEST)[1].startswith("**20.00** (34.28;")
    assert "- Bold: the highest value in its column" in render(table, "md", Emphasis.BEST)


def test_latex_has_rules_under_the_metrics_and_commands_for_bold_and_underline():
    table = a_table("table2", {"baseline": [20.0] * 6, "contour": [19.0] * 6})
    text = render(table, "latex")
    assert r"\multicolumn{3}{c}{mAP}" in text
    assert r"\cmidrule(lr){2-4} \cmidrule(lr){5-7}" in text
    assert r"\textbf{20.00} & 34.28 & $-$14.28" in text
    assert r"\underline{19.00} & \textbf{34.54}" in text
    assert r"\label{tab:table2}" in text


def test_html_has_the_same_bytes_twice_and_style_for_bold_and_underline():
    table = a_table("table2", {"baseline": [20.0] * 6, "contour": [19.0] * 6})
    text = render(table, "html")
    assert text == render(table, "html")
    assert "font-weight: bold" in text
    assert "text-decoration: underline" in text
    assert '<th class="col_heading level0 col1" colspan="3">mAP</th>' in text


def test_labels_are_escaped_in_every_format():
    table = own_table(["<b>&|_*$%#\\~^{}"])
    assert r"\<b>&\|\_\*$%#\\~^{}" in render(table, "md")
    assert "&lt;b&gt;&amp;|_*$%#" in render(table, "html")
    assert r"\textless{}b\textgreater{}\&\textbar{}\_{*}\$\%\#\textbackslash{}" in render(
        table, "latex"
    )


def test_an_unknown_format_is_answered_with_the_known_ones():
    with pytest.raises(
        HarnessError, match=r"Unknown format 'mdd'. Did you mean 'md'\? Known formats: csv, html,"
    ):
        render(a_table("table1", {}), "mdd")


def test_a_mean_over_seeds_stands_with_its_standard_error_and_n():
    # 20, 21, 22: mean 21, standard deviation 1, over the root of 3: 0.58.
    table = of_seeds({"a": [20.0, 21.0, 22.0], "b": [20.0, 20.0, 20.0]})
    assert markdown_row(table, 0) == ["a", "21.00 ± 0.58"]
    assert "- Ours: mean ± standard error over seeds, n = 3 seeds." in render(table, "md")
    assert r"21.00 $\pm$ 0.58" in render(table, "latex")
    first = csv_rows(table)[0]
    assert (first["mAP"], first["mAP std_error"], first["n"]) == ("21.0", "0.5774", "3")


def test_one_seed_has_no_error_and_the_table_says_what_that_means():
    table = of_seeds({"a": [20.0], "b": [21.0]})
    assert markdown_row(table, 0) == ["a", "20.00"]
    text = render(table, "md")
    assert "- n = 1 seed: how far from these numbers another training would be is not" in text
    assert "- No difference is decided below n = 3." in text


def test_rows_with_fewer_seeds_are_named():
    text = render(of_seeds({"a": [20.0, 21.0, 22.0], "b": [21.0, 22.0]}), "md")
    assert "n = 3 seeds, but 2 in b." in text
    assert "- No difference is decided below n = 3." in text


def test_the_honest_rule_marks_all_that_cannot_be_told_from_the_best():
    # best is best in every seed by 5.0, 5.1 and 4.9 from far, by 0.5, -0.4 and 0.2 from near; the
    # images move all rows alike.
    rows = {"best": [30.0, 31.0, 29.0], "near": [29.5, 31.4, 28.8], "far": [25.0, 25.9, 24.1]}
    table = of_seeds(rows)
    marked = [markdown_row(table, row, emphasis=Emphasis.HONEST)[1] for row in range(3)]
    assert [text.startswith("**") for text in marked] == [True, True, False]
    assert (
        "cannot be told from it: the 95% interval"
        in render(table, "md", Emphasis.HONEST).partition("\n")[0]
    )
    assert "**" not in render(table, "md").partition("\n")[2]


def honest_rows(table: Table) -> list[bool]:
    """Whether each row is in bold by the honest rule."""
    marks = [
        markdown_row(table, row, emphasis=Emphasis.HONEST)[1] for row in range(len(table.cells))
    ]
    return [text.startswith("**") for text in marks]


def test_rows_are_told_apart_only_where_the_test_images_were_drawn():
    # far is 5 below in every seed. Without its draws nobody knows what other images would do; of
    # one run that lacks them the other two tell it: the images move both rows alike.
    table = of_seeds({"best": [30.0, 31.0, 29.0], "far": [25.0, 25.9, 24.1]})
    bare = {seed: replace(one, draws={}) for seed, one in table.scores["far"].items()}
    assert honest_rows(table) == [True, False]
    lacking_one = {**table.scores["far"], 0: bare[0]}
    assert honest_rows(replace(table, scores={**table.scores, "far": lacking_one})) == [True, False]
    bare_table = replace(table, scores={**table.scores, "far": bare})
    assert honest_rows(bare_table) == [True, True]
    assert "or the test images were not drawn anew" in render(bare_table, "md", Emphasis.HONEST)


def test_rows_tested_on_other_images_cannot_be_told_apart():
    # Hybrid Task Cascade is tested on val2017, Mask R-CNN on minival.
    table = of_seeds({"best": [30.0, 31.0, 29.0], "far": [25.0, 25.9, 24.1]})
    scores = {
        row: {seed: replace(one, tested_on=row) for seed, one in table.scores[row].items()}
        for row in table.scores
    }
    assert honest_rows(table) == [True, False]
    elsewhere = replace(table, scores=scores)
    assert honest_rows(elsewhere) == [True, True]
    assert (
        "Rows tested on other images cannot be told apart here."
        in render(elsewhere, "md", Emphasis.HONEST).partition("\n")[0]
    )


def test_a_run_without_draws_tells_no_row_from_the_best():
    # 1.0, 1.1 and 1.2 ahead, for sure over seeds; draws that move best alone by ±1 hide it, and
    # still do where one run of far has none.
    table = of_seeds({"best": [31.0, 31.1, 31.2], "far": [30.0, 30.0, 30.0]}, draws=(-1.0, 1.0))
    still = {
        s: replace(one, draws={"AP": np.full(2, 30.0)}) for s, one in table.scores["far"].items()
    }
    for far in (still, {**still, 2: replace(still[2], draws={})}):
        assert honest_rows(replace(table, scores={**table.scores, "far": far})) == [True, True]


def test_below_three_seeds_nothing_can_be_told_from_the_best():
    table = of_seeds({"best": [30.0, 31.0], "far": [20.0, 21.0]})
    marked = [markdown_row(table, row, emphasis=Emphasis.HONEST)[1] for row in range(2)]
    assert all(text.startswith("**") for text in marked)


def test_columns_where_contours_show_are_ours_alone_and_missing_where_not_scored():
    table = a_table("table2", {"baseline": [20.0] * 6, "contour": [21.0] * 6})
    columns = (*table.layout.columns, "AP80", "AP90", "Boundary AP")
    table.cells.loc["baseline", ["AP80", "AP90", "boundary AP"]] = 12.0, np.nan, 9.5
    one = Score("run0", {"AP80": 12.0, "AP90": np.nan, "boundary AP": 9.5})
    table = replace(
        table, layout=replace(table.layout, columns=columns), scores={"baseline": {0: one}}
    )
    assert markdown_row(table, 0)[-3:] == ["**12.00**", "n/a", "**9.50**"]
    assert markdown_row(table, 3)[-3:] == ["—", "—", "—"]
    text = render(table, "md")
    assert "— in AP80, AP90, Boundary AP of contour: scored by an earlier version" in text
    assert "Boundary AP: AP with the lower of mask IoU and boundary IoU" in text
    assert csv_rows(table)[0]["Boundary AP"] == "9.5"
    assert "Boundary AP published" not in csv_rows(table)[0]


def test_a_metric_that_fewer_seeds_have_says_how_many():
    table = of_seeds({"a": [20.0, 21.0, 22.0]})
    lacking = Score("run2", {"AP": 22.0})
    scores = {"a": {0: Score("run0", {"AP": 20.0, "AP80": 5.0}), 2: lacking}}
    table.cells.loc["a", "AP80"] = 5.0
    columns = (*table.layout.columns, "AP80")
    table = replace(table, scores=scores, layout=replace(table.layout, columns=columns))
    assert markdown_row(table, 0)[-1] == "5.00 (n = 1)"


def test_the_honest_rule_does_not_stand_beside_the_papers_note_on_its_own():
    table = a_table("table2", {"baseline": [20.0] * 6})
    assert "highest value in each column" in render(table, "md")
    assert "highest value in each column" not in render(table, "md", Emphasis.HONEST)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_every_table_compiles_and_none_is_wider_than_the_page(tmp_path):
    tables = [a_table(name, {}) for name in ("table1", "table2", "table3")]
    tables += [own_table(["<b>&|_*$%#\\~^{}", "×✓−–—", "[a]", "*"])]
    tables += [of_seeds({"a": [20.0, 21.0], "b": [22.0]})]
    body = "\n".join(render(table, "latex") for table in tables)
    (tmp_path / "all.tex").write_text(
        "\\documentclass[twocolumn]{article}\n\\usepackage{booktabs,amssymb,graphicx}\n"
        f"\\begin{{document}}\n{body}\\end{{document}}\n",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
