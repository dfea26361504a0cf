from types import SimpleNamespace

import pytest

from harness.collect.code import code_columns


def made_with(losses="", detection="", commit="", changes="no"):
    """Metrics of a run with this environment."""
    said = {"losses_code": losses, "detection_code": detection, "commit": commit}
    kept = {key: value for key, value in said.items() if value}
    return SimpleNamespace(environment=kept | {"uncommitted_changes": changes})


def test_a_row_is_of_the_code_of_its_run_and_of_its_base():
    row = code_columns([(made_with("l2", "d", "a" * 40), made_with("l1", "d", "b" * 40))])
    assert (row["losses_code"], row["detection_code"]) == ("l2 l1", "d d")
    assert row["commit"] == "aaaaaaaa, base bbbbbbbb"
    assert row["uncommitted"] is False


def test_one_commit_of_both_is_named_once():
    made = made_with("l", "d", "a" * 40)
    assert code_columns([(made, made)])["commit"] == "aaaaaaaa"


@pytest.mark.parametrize(
    ("run", "base"),
    [
        (made_with(), made_with()),  # as all were before hashes were recorded
        (made_with("l", "d", "a" * 40), made_with(commit="b" * 40)),
        (made_with("l", "d", "a" * 40), None),  # of the base nothing is collected
    ],
)
def test_half_of_the_code_is_not_known_code(run, base):
    row = code_columns([(run, base)])
    assert (row["losses_code"], row["detection_code"]) == ("", "")


def test_a_base_made_with_changes_counts():
    run, base = made_with("l", "d"), made_with("l", "d", changes="yes")
    assert code_columns([(run, base)])["uncommitted"] is True


def test_a_row_without_numbers_says_nothing_of_code():
    row = code_columns([])
    assert row == {"losses_code": "", "detection_code": "", "commit": "", "uncommitted": False}


def test_seeds_of_one_code_are_of_that_and_seeds_of_others_name_each():
    one, other = made_with("l", "d", "a" * 40), made_with("m", "d", "b" * 40)
    same = code_columns([(one, one), (one, one)])
    assert (same["losses_code"], same["commit"]) == ("l l", "aaaaaaaa")
    mixed = code_columns([(one, one), (other, other)])
    assert (mixed["losses_code"], mixed["commit"]) == ("l l; m m", "aaaaaaaa; bbbbbbbb")
