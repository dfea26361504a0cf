import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.records import METRICS
from harness.report.claims_frame import claims_frame
from harness.report.claims_table import TABLES, Claims, examine_claims
from harness.report.claims_text import render_claims
from harness.statistics.scores import Score
from tests.report.made_up import NO_GAIN, NOTE, published_of, row

PUBLISHED = {name: published_of(name) for name in TABLES}
NOTHING = "| not known yet |"


def examined(scores=None, obstacles=()) -> Claims:
    return examine_claims(PUBLISHED, scores or {}, obstacles, NOTE)


def of_network(claims: Claims, name: str, number: int = 0):
    """What became of a statement of a claim."""
    return next(found for claim, found in claims.examined if claim.name == name)[number]


def drawn(value: float, *draws: float) -> dict[int, Score]:
    """A row with one seed and draws of the images, in mAP."""
    return {0: Score("a", {"AP": value}, {"AP": np.array(draws)})}


def test_the_tables_are_those_that_claims_are_about():
    assert TABLES == ("table3", "table1", "table2")


def test_a_statement_is_tested_on_the_paper_and_on_our_means():
    # Printed 34.54 - 34.28. Ours gain 0.1 and -0.3: a mean of -0.10.
    gains = [NO_GAIN | {"AP": 0.1}, NO_GAIN | {"AP": -0.3}]
    rows = {"R50": row("a", NO_GAIN, NO_GAIN), "R50+contour": row("b", *gains)}
    found = of_network(examined({"table3": rows}), "gains in mAP")
    assert str(found.published) == "R50 mAP: +0.26, claimed above 0"
    assert str(found.ours) == "R50 mAP: −0.10, claimed above 0"
    assert (found.published.holds, found.ours.holds, found.n) == (True, False, 2)
    assert math.isnan(found.share)  # no draws were made


def test_seeds_that_a_row_lacks_leave_the_other_rows_of_the_statement_too():
    # Seed 1 lifts the baseline by 5, and the method has no run of it: the gain is that of seed 0.
    rows = {
        "R50": row("a", NO_GAIN, NO_GAIN | {"AP": 5.0}),
        "R50+contour": row("b", NO_GAIN | {"AP": 0.2}),
    }
    found = of_network(examined({"table3": rows}), "gains in mAP")
    assert (found.ours.value, found.n) == (20, 1)


def test_the_share_is_that_of_the_draws_in_which_a_statement_holds():
    # One seed, so that images alone are drawn: +0.2, +0.2, -0.1, +0.1, of which three are gains.
    rows = {
        "R50": drawn(30.0, 31.0, 29.0, 30.0, 30.0),
        "R50+contour": drawn(30.1, 31.2, 29.2, 29.9, 30.1),
    }
    found = of_network(examined({"table3": rows}), "gains in mAP")
    assert (found.ours.holds, found.share) == (True, 0.75)


def test_shares_rest_on_all_n_seeds_or_are_not_given():
    # Three seeds that gain 0.1 in mAP and in every draw: a share of 1, until one run has no draws.
    gains = [NO_GAIN | {"AP": 0.1}] * 3
    rows = {
        "R50": row("a", *[NO_GAIN] * 3, spread=0.5),
        "R50+contour": row("b", *gains, spread=0.5),
    }
    whole = examined({"table3": rows})
    found = of_network(whole, "gains in mAP")
    assert (found.n, found.share) == (3, 1.0)
    assert "not drawn anew" not in render_claims(whole, "md")
    rows["R50"] = rows["R50"] | {2: replace(rows["R50"][2], draws={})}
    lacking = examined({"table3": rows})
    found = of_network(lacking, "gains in mAP")
    assert (found.ours.holds, found.n, math.isnan(found.share)) == (True, 3, True)
    text = " ".join(render_claims(lacking, "md").split())
    assert "| R50 mAP | above 0 | +0.26 holds | +0.10 holds | 3 | — |" in text
    assert "- share is — where not every run was scored on test images drawn anew" in text


def test_the_best_k_has_its_published_value_and_the_share_of_each_k_beside_it():
    # k=4 is best on average and in two of four draws; k=1 in one; in one k=1 and k=4 share it.
    rows = {f"k={k}": drawn(30.0, 30, 30, 30, 30) for k in (2, 3, 5, 6)}
    rows |= {"k=1": drawn(30.4, 31, 32, 30, 31), "k=4": drawn(30.5, 32, 31, 31, 31)}
    best = examined({"table1": rows}).best
    assert [one.metric for one in best] == list(METRICS)
    assert (best[0].published, best[0].ours, best[0].n) == (("k=2",), ("k=4",), 1)
    assert best[0].shares == {
        **{"k=1": 0.375, "k=2": 0.0, "k=3": 0.0},
        **{"k=4": 0.625, "k=5": 0.0, "k=6": 0.0},
    }


def test_no_k_is_best_while_one_is_missing():
    rows = {f"k={k}": drawn(30.0 + k, 30 + k, 30 + k) for k in range(1, 6)}
    best = examined({"table1": rows}).best[0]
    assert (best.ours, best.n) == ((), 0)
    assert all(math.isnan(share) for share in best.shares.values())


def test_k_that_are_equally_high_are_all_best():
    rows = {f"k={k}": drawn(30.0, 30.0, 30.0) for k in range(1, 7)}
    assert len(examined({"table1": rows}).best[0].ours) == 6


def test_before_any_run_what_fails_on_the_papers_own_tables_stands_in_numbers():
    text = render_claims(examined(), "md")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert f"| gains on Mask R-CNN | IV-E | fails in 4 of 18 {NOTHING} 0 |" in lines
    assert f"| R101 APs | 0.44 | −0.23 fails {NOTHING} 0 | — |" in lines
    assert "R50 APs" not in text  # holds in the paper, and ours is not known
    assert sum("fails |" in line for line in lines) == 13
    assert f"| APm | k=1 {NOTHING} 0 | — | — | — | — | — | — |" in lines


def test_each_claim_stands_with_its_sentence_its_section_and_its_reading():
    text = render_claims(examined(), "md")
    assert "**k = 2 is best** (IV-C): “We set k to 2 in the following experiments.”" in text
    assert "Read as: Contour loss gains in mAP on each of the four networks." in text
    assert text.startswith(
        f"**The paper's claims in words, on its own tables and on ours. {NOTE}**"
    )


def test_once_ours_are_known_all_statements_of_a_claim_stand_with_their_share():
    rows = {
        "R50": drawn(30.0, 31.0, 29.0, 30.0, 30.0),
        "R50+contour": drawn(30.1, 31.2, 29.2, 29.9, 30.1),
    }
    text = render_claims(examined({"table3": rows}), "md")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "| R50 mAP | above 0 | +0.26 holds | +0.10 holds | 1 | 75% |" in lines
    assert "| HTC mAP | above 0 | +0.20 holds | not known yet | 0 | — |" in lines
    assert "| gains in mAP | abstract | holds | holds, 3 not known yet | 0 |" in lines


def test_no_line_of_a_table_is_wider_than_100_characters():
    lines = render_claims(examined(), "md").splitlines()
    assert max(len(line) for line in lines if line.startswith("|")) <= 100


def test_where_something_is_in_the_way_ours_are_said_to_say_nothing_of_the_paper():
    text = render_claims(examined(obstacles=("scale: demo (paper)",)), "md")
    assert "on ours says nothing about the paper; in the way, the paper's values in" in text
    assert "scale: demo (paper)." in text
    assert "in the way" not in render_claims(examined(), "md")


def test_csv_has_a_line_for_each_statement_and_for_each_k_and_comes_back_as_it_was():
    gains = [NO_GAIN | {"AP": 0.1}]
    rows = {"R50": row("a", NO_GAIN), "R50+contour": row("b", *gains)}
    claims = examined({"table3": rows})
    back = pd.read_csv(io.StringIO(render_claims(claims, "csv")))
    statements = sum(len(found) for _, found in claims.examined)
    assert len(back) == statements + 6 * 6  # six k in six metrics
    first = back.iloc[0]
    assert (first["statement"], first["claimed"], first["section"]) == (
        *("R50 mAP", "above 0", "abstract"),
    )
    assert (first["published"], first["ours"], first["n"]) == (0.26, 0.1, 1)
    assert set(back["scale"]) == {NOTE}
    frame = claims_frame(claims).set_index("statement")
    # Counted, not measured: 24 of 36.
    assert frame.loc["gains of Table I above 0", "published"] == 24
    assert frame.loc["k=1 has the highest APm", ["published", "published_holds"]].tolist() == [
        *(36.98, True)
    ]
    assert frame.loc["k=1 has the highest APm", "ours_holds"] is None


def test_a_format_that_claims_do_not_have_is_answered_with_those_they_have():
    with pytest.raises(HarnessError, match=r"Unknown format 'latex'\. Known formats: csv, md\."):
        render_claims(examined(), "latex")
