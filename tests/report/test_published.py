import csv
import shutil
from pathlib import Path

import pytest

from harness.errors import ResultsError
from harness.records import METRICS
from harness.report.published import as_printed, read_published

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
TABLES = ("table1", "table2", "table3")
each_table = pytest.mark.parametrize("table", TABLES)


@pytest.fixture
def damaged(tmp_path):
    """Change the text of table 1 in a copy of the published numbers: what reading it then says."""
    shutil.copytree(PUBLISHED, tmp_path / "published")

    def read(old, new):
        file = tmp_path / "published" / "table1.csv"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ResultsError) as caught:
            read_published(file.parent, "table1")
        message = str(caught.value)
        assert message.startswith(f"{file}: ")
        assert message.endswith(f"Restore it: git checkout -- {file}")
        return message

    return read


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("table1", ["baseline", *(f"k={k}" for k in range(1, 7))]),
        ("table2", ["baseline", "mse_edge", "mse_contour", "contour"]),
        (
            "table3",
            [
                f"{name}{loss}"
                for name in ("R50", "R101", "X101", "HTC")
                for loss in ("", "+contour")
            ],
        ),
    ],
)
def test_the_rows_stand_in_the_order_of_the_paper(table, rows):
    assert read_published(PUBLISHED, table).index.tolist() == rows


@each_table
def test_metrics_are_numbers_under_our_names(table):
    published = read_published(str(PUBLISHED), table)
    assert [name for name in published if name in METRICS] == list(METRICS)
    assert {str(published[name].dtype) for name in METRICS} == {"float64"}


def test_the_highest_map_of_table_1_is_that_of_k_2():
    # "Enjoying contour loss can achieve the maximum gain of 0.26% mAP, 0.22% AP50, 0.34% AP75,
    # 0.44% APs, 0.2% APm, and 0.58% APl" (IV-C): k=2 against the baseline.
    published = read_published(PUBLISHED, "table1")
    gains = published.loc["k=2", list(METRICS)] - published.loc["baseline", list(METRICS)]
    assert gains.tolist() == pytest.approx([0.26, 0.22, 0.34, 0.44, 0.20, 0.58])
    assert published["AP"].idxmax() == "k=2"


def test_the_gains_of_table_3_are_those_of_the_text():
    # "The proposed contour loss respectively brings the gains of 0.13%~0.26% mAP, ... 0.26%~0.34%
    # AP75, ... 0.1%~0.2% APm and 0.4%~0.58% APl on Mask R-CNN"; R101's AP75 gains less, 0.19.
    published = read_published(PUBLISHED, "table3")
    ours, plain = (published[published["CL"] == mark].set_index("Backbone") for mark in "✓×")
    gains = (ours[list(METRICS)] - plain[list(METRICS)])[:3].round(2)
    assert gains["AP"].tolist() == [0.26, 0.17, 0.13]
    assert gains["AP75"].tolist() == [0.34, 0.19, 0.26]
    assert gains["APm"].tolist() == [0.20, 0.19, 0.10]
    assert gains["APl"].tolist() == [0.58, 0.41, 0.40]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("table1", "baseline"), ("table2", "baseline")),
        (("table1", "baseline"), ("table3", "R50")),
        (("table1", "k=2"), ("table2", "contour")),
        (("table1", "k=2"), ("table3", "R50+contour")),
    ],
)
def test_the_same_run_has_the_same_numbers_in_every_table(first, second):
    rows = [as_printed(read_published(PUBLISHED, table)).loc[row] for table, row in (first, second)]
    assert rows[0].tolist() == rows[1].tolist()


def test_labels_are_text():
    published = read_published(PUBLISHED, "table1")
    assert published["k"].tolist() == ["–", "1", "2", "3", "4", "5", "6"]
    assert read_published(PUBLISHED, "table3").loc["X101+contour", "Backbone"] == "Res-X-101"


@each_table
def test_numbers_are_given_back_as_printed(table):
    with (PUBLISHED / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        lines = [[line[name] for name in ("mAP", *METRICS[1:])] for line in csv.DictReader(file)]
    assert as_printed(read_published(PUBLISHED, table)).to_numpy().tolist() == lines


def test_trailing_zeros_and_single_decimals_stay():
    printed = as_printed(read_published(PUBLISHED, "table3"))
    assert printed.loc["X101", "AP50"] == "61.00"
    assert printed.loc["HTC", "AP"] == "37.7"


def test_a_table_without_text_columns_is_printed_too(tmp_path):
    lines = "row,mAP,AP50,AP75,APs,APm,APl\na,37.7,59.0,40.1,18.2,40.1,51.9\n"
    (tmp_path / "own.csv").write_text(lines, encoding="utf-8")
    printed = as_printed(read_published(tmp_path, "own"))
    assert list(printed.loc["a"]) == ["37.7", "59.0", "40.1", "18.2", "40.1", "51.9"]


def test_a_missing_table_is_named():
    with pytest.raises(ResultsError, match=r"table9\.csv: cannot be read \(No such file"):
        read_published(PUBLISHED, "table9")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("34.28", "", "line 2: mAP is ''. Needed: percent points as printed"),
        ("51.26", "51,26", "line 3 has 10 cells, the header 9."),
        ("55.94", "nan", "line 2: AP50 is 'nan'. Needed: percent points as printed"),
        ("36.20", "36.2", "line 2: some of 34.28, 55.94, 36.2, 15.82, 36.75, 50.84 have lost"),
        ("k=4", "k=3", "line 6: row 'k=3' stands there twice."),
        ("APl,k", "k", "its header is 'row,Method,mAP,AP50,AP75,APs,APm,k'. Needed: row first"),
        ("AP50,AP75", "AP75,AP50", "in this order, mAP, AP50, AP75, APs, APm, APl."),
        ("k=2,Contour", 'k=2,"Contour', "is not CSV text ("),
        ("row,Method", "\n", "its header is ''."),
    ],
)
def test_a_damaged_file_is_refused_with_its_place(damaged, old, new, named):
    assert named in damaged(old, new)


def test_a_file_cut_to_its_header_is_refused(damaged):
    rows = (PUBLISHED / "table1.csv").read_text(encoding="utf-8").split("\n", 1)[1]
    assert "has a header and no rows." in damaged(rows, "")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "table1.csv").write_bytes(b"row,\xff\xfe")
    with pytest.raises(ResultsError, match=r"table1\.csv: is not CSV text \("):
        read_published(tmp_path, "table1")
