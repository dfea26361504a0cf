import pytest

from harness.commands.diff import print_difference
from harness.errors import HarnessError, SpecError
from harness.grid.fair import UnfairPairError


def test_rows_are_compared_seed_by_seed_with_both_parts_apart(place, score, capsys):
    # 1, 2 and 3 over the baseline: mean 2, deviation 1, so 1 / sqrt(3) = 0.58 by seeds. The images
    # move all alike, so nothing by them; t with 2 degrees of freedom is 4.30: 2 - 2.48 to 2 + 2.48.
    score("table1/baseline", 30.0, 31.0, 29.0)
    score("table1/k=2", 31.0, 33.0, 32.0)
    print_difference(place, "table1/baseline", "table1/k=2")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "table1/k=2 minus table1/baseline, in AP points"
    (ap,) = (line.split() for line in lines if line.startswith("AP "))
    assert ap == ["AP", "30.00", "32.00", "+2.00", "−0.48", "to", "+4.48", "±0.58", "±0.00"]
    assert any(line.startswith("boundary AP ") for line in lines)
    assert any("n = 3 seeds (0, 1, 2). The interval counts seeds and images" in x for x in lines)


def test_one_seed_is_undecided(place, score, capsys):
    score("table1/baseline", 30.0)
    score("table1/k=2", 33.0, draws=(-1, 1, -1, 1))
    print_difference(place, "table1/baseline", "table1/k=2")
    text = capsys.readouterr().out
    assert "n = 1 seed (0). The interval counts images" in text
    assert "Undecided: below n = 3" in text


def test_runs_that_differ_in_more_than_the_loss_are_refused_with_the_fields(place, score):
    score("table3/R50", 30.0)
    score("table3/R101", 31.0)
    message = (
        r"are not compared: besides loss they differ in architecture \(mask_rcnn_R50_FPN and "
        r"mask_rcnn_R101_FPN\)"
    )
    with pytest.raises(UnfairPairError, match=message):
        print_difference(place, "table3/R50", "table3/R101")


def test_runs_of_two_seeds_are_refused_with_the_seeds(place, score):
    score("table1/baseline", 30.0, 31.0)
    score("table1/k=2", 31.0, 32.0)
    with pytest.raises(UnfairPairError, match=r"they differ in seed \(0 and 1\)"):
        print_difference(place, "table1/baseline/seed=0", "table1/k=2/seed=1")


def test_what_is_not_scored_is_told(place, score):
    score("table1/baseline", 30.0)
    message = (
        "table1/baseline and table1/k=2 have no seed in common that is scored. Seeds scored: 0 and "
        "none. `harness status` shows what is trained"
    )
    with pytest.raises(HarnessError, match=message):
        print_difference(place, "table1/baseline", "table1/k=2")


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
        print_difference(place, "table1/baseline", name)
