import math
from dataclasses import replace

import pandas as pd
import pytest

from harness.grid import NO_LOSS, Cell, Setting, contour, finetune, scaled
from harness.records import METRICS
from harness.report.differences import COLUMNS, differences_frame
from tests.report.made_up import NO_GAIN, a_table, grid_of, published_of, row

approx = pytest.approx
THREE = [NO_GAIN] * 3
PLAIN = row("b", *THREE, spread=0.0)  # a baseline that no draw of the images moves


def line(frame: pd.DataFrame, name: str, metric: str) -> pd.Series:
    return frame[(frame["row"] == name) & (frame["metric"] == metric)].squeeze()


def gains_in_ap(*gains: float, spread: float | None = None):
    return row("contour", *(NO_GAIN | {"AP": gain} for gain in gains), spread=spread)


def contour_in_ap(*gains: float, spread: float | None = None) -> pd.Series:
    """Table II's contour loss in mAP, printed +0.26, where ours gains this with each seed."""
    baseline = row("baseline", *[NO_GAIN] * len(gains), spread=0.0)
    scores = {"baseline": baseline, "contour": gains_in_ap(*gains, spread=spread)}
    return line(a_table(scores=scores).frame, "contour", "AP")


def test_a_difference_has_its_interval_and_its_two_parts_apart():
    # Seeds: 0.2, 0.3 and 0.4 have variance 0.01, their mean 0.01 / 3. Images: two draws 0.1 below
    # and above, 0.02. The sum is 0.0233, 7 times the first part: 7² (3 - 1) = 98 degrees of
    # freedom, whose t is 1.984, times its root 0.1528 is 0.3031.
    found = contour_in_ap(0.2, 0.3, 0.4, spread=0.1)
    assert (found["ours"], found["n"], found["degrees_of_freedom"]) == approx((0.3, 3, 98))
    assert found["seeds_error"] == approx(math.sqrt(0.01 / 3))
    assert found["images_error"] == approx(math.sqrt(0.02))
    assert found["std_error"] == approx(math.sqrt(0.01 / 3 + 0.02))
    assert (found["low"], found["high"]) == approx((-0.0031, 0.6031), abs=5e-5)


# Printed: 34.54 - 34.28 = +0.26.
@pytest.mark.parametrize(
    ("gains", "spread", "verdict"),
    [
        ((0.2, 0.3, 0.4), 0.1, "undecided"),  # -0.003 to 0.603, as above
        ((0.2, 0.3, 0.4), 0.0, "reproduced"),  # t with 2 degrees is 4.303, times 0.0577: 0.052 up
        ((-0.2, -0.3, -0.4), 0.0, "contradicted"),
        ((0.2, 0.2001), 0.0, "undecided"),  # two seeds, however alike
    ],
)
def test_a_published_difference_has_its_verdict(gains, spread, verdict):
    found = contour_in_ap(*gains, spread=spread)
    assert (found["published"], found["verdict"]) == (0.26, verdict)


def test_a_verdict_has_its_reason():
    found = contour_in_ap(0.2, 0.3, 0.4, spread=0.0)
    assert found["because"] == (
        "ours, +0.052 to +0.548 at n = 3, excludes 0 and holds the published +0.26"
    )
    assert contour_in_ap(0.2)["because"] == "n = 1 seed; 3 are needed"


def test_runs_and_seeds_are_those_of_the_pairs():
    scores = {"baseline": row("b", *THREE), "contour": gains_in_ap(0.1, 0.2)}
    found = line(a_table(scores=scores).frame, "contour", "AP")
    assert (found["n"], found["seeds"]) == (2, "0 1")
    assert found["runs"] == "contour0-b0 contour1-b1"


def test_without_draws_only_seeds_are_in_the_interval_and_of_one_seed_nothing_is_known():
    two = contour_in_ap(0.2, 0.4)
    assert math.isnan(two["images_error"])
    assert two["std_error"] == two["seeds_error"] == approx(0.1)  # 0.02 / 2 is its square
    one = contour_in_ap(0.2)
    assert one["ours"] == approx(0.2)
    assert one[["low", "high", "std_error", "degrees_of_freedom"]].isna().all()


def test_a_difference_of_seeds_alone_is_undecided_however_sure_it_looks():
    # +0.052 to +0.548 by the spread over seeds.
    found = contour_in_ap(0.2, 0.3, 0.4)
    assert found["low"] == approx(0.052, abs=5e-4)
    assert found["verdict"] == "undecided"
    assert found["because"].startswith("the test images were not drawn anew")


def test_a_run_that_lacks_its_draws_makes_no_verdict_surer():
    # -0.003 to 0.603 with all draws. Without those of one baseline the variance is the same, and t
    # has the 2 degrees of freedom of the seeds: 4.303 x 0.1528 = 0.6572.
    lacking = {2: replace(PLAIN[2], draws={})}
    scores = {"baseline": PLAIN | lacking, "contour": gains_in_ap(0.2, 0.3, 0.4, spread=0.1)}
    found = line(a_table(scores=scores).frame, "contour", "AP")
    assert (found["low"], found["high"]) == approx((-0.3572, 0.9572), abs=5e-5)
    assert (found["n"], found["verdict"]) == (3, "undecided")


def test_rows_without_runs_stand_there_with_what_is_published():
    frame = a_table("table3").frame
    assert tuple(frame.columns) == COLUMNS
    assert frame["row"].unique().tolist() == [
        *("R50+contour", "R101+contour", "X101+contour", "HTC+contour")
    ]
    assert frame["baseline"].unique().tolist() == ["R50", "R101", "X101", "HTC"]
    assert frame["metric"].tolist() == [*METRICS] * 4
    assert (frame["n"] == 0).all()
    assert frame["ours"].isna().all()
    assert set(frame["verdict"]) == {"undecided"}
    assert set(frame["because"]) == {"n = 0 seeds; 3 are needed"}
    assert frame["published"].notna().all()


def test_a_metric_without_ground_truth_has_no_difference_and_says_so():
    gains = [NO_GAIN | {"APs": math.nan}] * 3
    scores = {"baseline": row("b", *gains), "contour": row("c", *gains)}
    found = line(a_table(scores=scores).frame, "contour", "APs")
    assert (found["n"], found["verdict"]) == (3, "undecided")
    assert found["because"] == "the test split has no object of that size"
    assert math.isnan(found["ours"])


def test_at_demo_scale_the_difference_stands_but_the_published_one_is_not_comparable():
    scores = {"baseline": row("b", *THREE), "contour": gains_in_ap(0.2, 0.3, 0.4)}
    found = line(a_table(scores=scores, scale="demo").frame, "contour", "AP")
    assert (found["ours"], found["published"]) == approx((0.3, 0.26))
    assert found["verdict"] == "not comparable"
    assert "scale: demo (paper); split: trained on shapes_train" in found["because"]


def test_metrics_that_the_paper_does_not_print_have_no_verdict():
    gains = [NO_GAIN | {"AP80": 1.0}] * 3
    scores = {"baseline": row("b", *[NO_GAIN | {"AP80": 0.0}] * 3), "contour": row("c", *gains)}
    frame = a_table(scores=scores).frame
    assert frame["metric"].unique().tolist() == [*METRICS, "AP80"]
    found = line(frame, "contour", "AP80")
    assert (found["ours"], found["verdict"], found["because"]) == (1.0, "", "")
    assert math.isnan(found["published"])
    # A row whose runs do not have it has no such difference.
    assert line(frame, "mse_edge", "AP80")["n"] == 0


def test_two_rows_of_which_one_was_made_with_other_code_are_not_comparable():
    cells, published = grid_of("table2").rows("table2"), published_of("table2")
    scores = {"baseline": PLAIN, "contour": gains_in_ap(0.2, 0.3, 0.4, spread=0.0)}
    frame = differences_frame(cells, scores, published, other_code=["contour"])
    found = line(frame, "contour", "AP")
    assert found["verdict"] == "not comparable"
    assert found["because"] == (
        "in the way, the paper's values in brackets: code: one of the two was made with another "
        "harness/losses or harness/detection"
    )
    assert line(frame, "mse_edge", "AP")["verdict"] == "undecided"  # only n is in its way
    both = differences_frame(cells, scores, published, other_code=["contour", "baseline"])
    assert line(both, "contour", "AP")["verdict"] == "reproduced"


def test_two_rows_that_were_tested_on_other_images_are_not_comparable():
    elsewhere = {seed: replace(one, tested_on="val2017") for seed, one in PLAIN.items()}
    gains = gains_in_ap(0.2, 0.3, 0.4, spread=0.0)
    gains = {seed: replace(one, tested_on="minival") for seed, one in gains.items()}
    frame = a_table(scores={"baseline": elsewhere, "contour": gains}).frame
    found = line(frame, "contour", "AP")
    assert (found["n"], found["verdict"]) == (0, "not comparable")
    assert found["because"].endswith(
        "test images: the two were not tested on the same images and the same draws of them"
    )
    assert math.isnan(found["ours"])


def own_cells() -> list[Cell]:
    """A table of one's own: a baseline, the loss, and the loss at another batch."""
    plain = finetune(Setting(), "mask_rcnn_R50_FPN", NO_LOSS)
    recipe = replace(plain, loss=contour(k=2))
    specs = {"plain": plain, "fair": recipe, "batch 4": scaled(recipe, 4)}
    return [Cell("own", name, spec, {"Method": name}) for name, spec in specs.items()]


def test_a_table_of_ones_own_has_differences_and_no_verdicts():
    scores = {name: row(name, *THREE) for name in ("plain", "fair", "batch 4")}
    found = line(differences_frame(own_cells(), scores, pd.DataFrame()), "fair", "AP")
    assert (found["baseline"], found["ours"], found["verdict"]) == ("plain", 0.0, "")
    assert math.isnan(found["published"])


def test_other_code_behind_one_of_two_rows_of_ones_own_is_told_beside_their_difference():
    scores = {name: row(name, *THREE) for name in ("plain", "fair")}
    frame = differences_frame(own_cells(), scores, pd.DataFrame(), other_code=["fair"])
    found = line(frame, "fair", "AP")
    assert (found["ours"], found["verdict"]) == (0.0, "not comparable")
    assert found["because"].startswith("code: one of the two was made with another harness/losses")


def test_an_unfair_pair_has_no_difference_and_names_the_fields():
    scores = {name: row(name, *THREE) for name in ("plain", "fair", "batch 4")}
    found = line(differences_frame(own_cells(), scores, pd.DataFrame()), "batch 4", "AP")
    assert (found["n"], found["runs"], found["verdict"]) == (0, "", "not comparable")
    assert math.isnan(found["ours"])
    assert found["because"].startswith("pair: the two differ in schedule.base_lr (0.005 and 0.01)")
    assert "total_batch_size (4 and 8)" in found["because"]


def test_a_row_that_was_added_to_a_published_table_is_held_against_its_baseline_too():
    cells = grid_of("table2").rows("table2")
    added = replace(cells[-1], row="mine")
    frame = differences_frame([*cells, added], {}, published_of("table2"))
    found = line(frame, "mine", "AP")
    assert (found["baseline"], found["verdict"]) == ("baseline", "")
    assert math.isnan(found["published"])


def test_a_table_without_a_baseline_has_no_line():
    cells = own_cells()[1:]
    assert differences_frame(cells, {}, pd.DataFrame()).empty
