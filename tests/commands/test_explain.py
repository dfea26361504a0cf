"""`harness explain`: what stands behind a row."""

import pytest

from harness.commands.explain import print_evidence
from harness.errors import SpecError


@pytest.fixture
def told(place, capsys):
    """A function that gives what is printed of a row."""

    def of(name: str) -> str:
        print_evidence(place, name)
        return capsys.readouterr().out

    return of


def test_a_row_is_told_by_seed_with_its_difference_and_its_runs(score, told, place):
    score("table1/baseline", 20.0, 21.0)
    score("table1/k=2", 22.0, 23.0)
    text = told("table1/k=2")
    runs = [cell.spec.run_id for cell in place.grid(["table1"], 2).cells if cell.row == "k=2"]
    for seed, (run_id, ap) in enumerate(zip(runs, ("22.00", "23.00"), strict=True)):
        assert f"seed {seed} · {run_id}" in text
        assert f"run {run_id}" in text
        assert ap in text
    assert "22.50" in text
    assert "± 0.50" in text  # of two that are 1 apart: their standard deviation √½, over √2
    assert "+2.00" in text  # 22 − 20 and 23 − 21
    assert "undecided" not in text  # at demo scale nothing can be compared with the paper
    assert "pycocotools 2.0.11" in text
    assert "the run's folder is not here" in text.replace("\n", " ")


def test_a_run_by_its_id_is_told_as_the_first_row_that_it_stands_in(score, told, place):
    score("table1/k=2", 22.0)
    (run_id,) = (cell.spec.run_id for cell in place.grid(["table1"]).cells if cell.row == "k=2")
    assert told(run_id).startswith("table1/k=2\n")  # not table2/contour, nor table3/R50+contour


def test_a_row_with_a_seed_is_that_row(score, told):
    score("table1/k=2", 22.0, 23.0)
    assert told("table1/k=2/seed=1") == told("table1/k=2")


def test_a_row_without_numbers_says_so(told):
    assert "none collected" in told("table1/k=3")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("base mask_rcnn_R50_FPN", "means a base, which stands in no table. Name a row."),
        ("table2", "means more than one row: .*table2/mse_edge.* Name one."),
        ("table1/k=9", "Unknown run 'table1/k=9'. Did you mean"),
    ],
)
def test_what_is_no_row_is_refused(told, name, message):
    with pytest.raises(SpecError, match=message):
        told(name)
