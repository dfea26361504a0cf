import csv
import io

import pytest

from harness.commands.diff import print_difference
from harness.errors import HarnessError, ResultsError, SpecError
from harness.grid.fair import UnfairPairError


def test_rows_are_compared_seed_by_seed_with_both_parts_apart(place, score, capsys):
    # 1, 2 and 3 over the baseline: mean 2, deviation 1, so 1 / sqrt(3) = 0.58 by seeds. The images
    # move all alike, so nothing by them; t with 2 degrees of freedom is 4.30: 2 - 2.48 to 2 + 2.48.
    score("table1/baseline", 30.0, 31.0, 29.0)
    score("table1/k=2", 31.0, 33.0, 32.0)
    print_difference(place, "table1/baseline", "table1/k=2", "md")
    text = capsys.readouterr().out
    assert text.startswith("**table1/k=2 minus table1/baseline, in AP points. Demo scale:")
    (ap,) = (line for line in text.splitlines() if line.startswith("| mAP "))
    assert [place.strip() for place in ap.strip("|").split("|")] == [
        *("mAP", "+2.00", "[−0.48, +4.48]", "0.58", "0.00", "3"),
    ]
    assert "| Boundary AP " in text
    assert "Runs, method-baseline, seeds 0 1 2: table1/k=2 − table1/baseline" in text


def test_means_are_of_the_seeds_that_both_have(place, score, capsys):
    # The baseline's seed 2 has no partner: 31 - 30 and 32 - 31.
    score("table1/baseline", 30.0, 31.0, 70.0)
    score("table1/k=2", 31.0, 32.0)
    print_difference(place, "table1/baseline", "table1/k=2", "csv")
    first = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (first["metric"], first["ours"], first["n"], first["seeds"]) == ("AP", "1.0", "2", "0 1")


def test_runs_scored_by_other_evaluators_are_refused(place, score):
    score("table1/baseline", 30.0)
    score("table1/k=2", 31.0)
    spec = next(cell.spec for cell in place.grid(["table1"]).cells if cell.row == "k=2")
    path = place.results.metrics(spec.run_id)
    path.write_text(path.read_text().replace("pycocotools 2.0.11", "hotcoco 1.3.0"))
    with pytest.raises(ResultsError, match="would mix two evaluators: row 'table1/baseline'"):
        print_difference(place, "table1/baseline", "table1/k=2", "md")


def test_of_one_seed_only_the_images_are_counted(place, score, capsys):
    score("table1/baseline", 30.0)
    score("table1/k=2", 33.0, draws=(-1, 1, -1, 1))
    print_difference(place, "table1/baseline", "table1/k=2", "md")
    text = capsys.readouterr().out
    assert "± seeds is — at n = 1: one seed shows no spread" in text


def test_runs_that_differ_in_more_than_the_loss_are_refused_with_the_fields(place, score):
    score("table3/R50", 30.0)
    score("table3/R101", 31.0)
    message = (
        r"are not compared: besides loss they differ in architecture \(mask_rcnn_R50_FPN and "
        r"mask_rcnn_R101_FPN\)"
    )
    with pytest.raises(UnfairPairError, match=message):
        print_difference(place, "table3/R50", "table3/R101", "md")


def test_runs_of_two_seeds_are_refused_with_the_seeds(place, score):
    score("table1/baseline", 30.0, 31.0)
    score("table1/k=2", 31.0, 32.0)
    with pytest.raises(UnfairPairError, match=r"they differ in seed \(0 and 1\)"):
        print_difference(place, "table1/baseline/seed=0", "table1/k=2/seed=1", "md")


def test_what_is_not_scored_is_told(place, score):
    score("table1/baseline", 30.0)
    message = (
        "table1/baseline and table1/k=2 have no seed in common that is scored. Seeds scored and "
        "collected: 0 and none. Give `harness collect` where"
    )
    with pytest.raises(HarnessError, match=message):
        print_difference(place, "table1/baseline", "table1/k=2", "md")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("table1/k=*", "'table1/k=\\*' means more than one row: table1/k=1 · "),
        ("base mask_rcnn_R50_FPN", "means a base, which has no AP. Name a row or a fine-tune"),
        ("table1/k=9", "Unknown run 'table1/k=9'"),
    ],
)
def test_a_name_that_is_no_row_is_refused(place, name, message):
    with pytest.raises(SpecError, match=message):
        print_difference(place, "table1/baseline", name, "md")
