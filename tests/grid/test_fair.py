from dataclasses import fields, replace

import pytest

from harness.grid import (
    NO_LOSS,
    Cell,
    RunSpec,
    Setting,
    base_of,
    contour,
    finetune,
    mse_edge,
    scaled,
)
from harness.grid.fair import (
    HASHES,
    KINDS,
    UnfairPairError,
    baseline_of,
    obstacles,
    obstacles_of_pair,
    refuse_unfair,
    unfair_fields,
)
from harness.grid.losses import LOSS_TERMS
from harness.grid.spec import NOT_IN_ID

TABLES = ("table1", "table2", "table3")
R50, R101 = "mask_rcnn_R50_FPN", "mask_rcnn_R101_FPN"
BASELINE = finetune(Setting(), R50, NO_LOSS)
METHOD = finetune(Setting(), R50, contour(k=2))


def unlike(one: RunSpec, other: RunSpec, **options):
    return [(un.field, un.one, un.other) for un in unfair_fields(one, other, **options)]


def test_a_method_and_its_baseline_differ_in_the_loss_alone():
    assert unlike(METHOD, BASELINE) == []
    assert unlike(METHOD, replace(METHOD, loss=mse_edge())) == []
    refuse_unfair(METHOD, BASELINE)


def test_the_loss_is_compared_only_where_it_is_said_to_be():
    assert unlike(METHOD, replace(METHOD, loss=contour(k=3)), ablated=()) == [("loss.k", 2, 3)]
    assert unlike(METHOD, replace(METHOD, loss=contour(k=3)), ablated=("loss.k",)) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"seed": 1}, [("seed", 0, 1)]),
        ({"num_gpus": 8}, [("num_gpus", 4, 8)]),
        ({"precision": "amp"}, [("precision", "float32", "amp")]),
        (
            {"train_split": "coco_2014_trainval35k"},
            [("train_split", "coco_2014_train", "coco_2014_trainval35k")],
        ),
        (
            {"schedule": replace(METHOD.schedule, base_lr=0.02)},
            [("schedule.base_lr", 0.01, 0.02)],
        ),
        ({"recipe_revision": 2}, [("recipe_revision", 1, 2)]),
        ({"data_dir": "/elsewhere", "checkpoint_every": 40, "log_every": 4}, []),
    ],
)
def test_every_other_field_that_moves_a_number_is_found(change, found):
    assert unlike(METHOD, replace(BASELINE, **change)) == found


def test_a_field_that_is_not_in_the_id_of_old_runs_is_found_too():
    htc = finetune(Setting(), "htc_R50_FPN", NO_LOSS)
    assert unlike(htc, replace(htc, semantic_branch=False)) == [("semantic_branch", True, False)]


def test_a_term_of_older_code_makes_no_fair_pair_with_another_but_with_a_baseline(monkeypatch):
    # What was fixed between the revisions would count as a difference between the losses.
    monkeypatch.setitem(LOSS_TERMS, "mse_edge", replace(LOSS_TERMS["mse_edge"], revision=2))
    monkeypatch.setitem(LOSS_TERMS, "contour", replace(LOSS_TERMS["contour"], revision=2))
    fixed = replace(METHOD, loss=mse_edge())
    assert unlike(METHOD, fixed) == [("loss.revision", "1 of 2", "2 of 2")]
    assert unlike(fixed, BASELINE) == []


def test_a_loss_with_a_revision_of_its_own_is_compared_with_the_others_as_they_are(monkeypatch):
    # 2 is the newest of the one, 1 of the other: nothing was fixed in between.
    before = replace(METHOD, loss=mse_edge())
    monkeypatch.setitem(LOSS_TERMS, "mse_edge", replace(LOSS_TERMS["mse_edge"], revision=2))
    newest = replace(METHOD, loss=mse_edge())
    assert unlike(METHOD, newest) == []
    assert obstacles(newest) == ()
    assert unlike(METHOD, before) == [("loss.revision", "1 of 1", "1 of 2")]


def test_bases_of_a_fair_pair_are_one_run():
    assert base_of(METHOD) == base_of(BASELINE)


def test_an_unfair_pair_is_refused_with_the_fields_and_a_way_out():
    other = scaled(BASELINE, 16)
    with pytest.raises(UnfairPairError) as caught:
        refuse_unfair(METHOD, other)
    # Batch 16 instead of 8: twice the learning rate, half the iterations.
    assert str(caught.value) == (
        f"Runs ff3895d1 and {other.run_id} are not compared: besides loss they differ in "
        "schedule.base_lr (0.01 and 0.02), schedule.steps (120000/160000 and 60000/80000), "
        "schedule.max_iter (180000 and 90000), total_batch_size (8 and 16). Take two runs that "
        "agree in the rest, or train one of these anew with the other's values."
    )


def test_annotations_of_a_users_own_data_are_told_by_the_beginning_of_their_hash():
    own = {"train_split": "own_train", "test_split": "own_val"}
    one = replace(METHOD, **own, train_hash="a1" * 32)
    with pytest.raises(UnfairPairError, match=r"train_hash \(a1a1a1a1 and b2b2b2b2\)"):
        refuse_unfair(one, replace(one, loss=NO_LOSS, train_hash="b2" * 32))


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_each_row_of_the_tables_has_its_baseline(tables, scale):
    cells = tables(scale, *TABLES).cells
    found = {cell.name: base.row for cell in cells if (base := baseline_of(cell, cells))}
    assert found == {
        **{f"table1/k={k}": "baseline" for k in range(1, 7)},
        **{f"table2/{loss}": "baseline" for loss in ("mse_edge", "mse_contour", "contour")},
        **{f"table3/{row}+contour": row for row in ("R50", "R101", "X101", "HTC")},
    }


def test_a_baseline_is_of_the_same_seed_and_table():
    row = Cell("own", "contour", METHOD, {})
    fair = Cell("own", "baseline", BASELINE, {})
    other_seed = Cell("own", "seed 1", replace(BASELINE, seed=1), {})
    other_table = Cell("table1", "baseline", BASELINE, {})
    assert baseline_of(row, [other_table, other_seed, fair]) is fair


def test_without_a_fair_baseline_the_one_most_like_it_tells_what_is_wrong():
    # At batch 16 the R101 is unlike its baseline in 4 fields, and unlike the R50's in one more.
    row = Cell("own", "R101+contour", scaled(replace(METHOD, architecture=R101), 16), {})
    plain = [Cell("own", name, replace(BASELINE, architecture=name), {}) for name in (R50, R101)]
    assert baseline_of(row, plain) is plain[1]
    assert baseline_of(row, plain[:1]) is plain[0]
    assert baseline_of(row, [row]) is None


@pytest.mark.parametrize("seed", [0, 3])
def test_nothing_is_in_the_way_of_the_papers_own_rows(tables, seed):
    assert {
        obstacles(replace(cell.spec, seed=seed)) for cell in tables("paper", *TABLES).cells
    } == {()}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"train_split": "coco_2014_trainval35k"},
            "split: trained on coco_2014_trainval35k (coco_2014_train)",
        ),
        ({"test_split": "coco_2017_val"}, "split: tested on coco_2017_val (coco_2014_minival)"),
        ({"precision": "amp"}, "schedule: precision amp (float32)"),
        ({"num_gpus": 8}, "schedule: num_gpus 8 (4)"),
        ({"mask_format": "bitmask"}, "code: mask_format bitmask (polygon)"),
        ({"recipe_revision": 2}, "code: recipe revision 2 (1)"),
        ({"data_revision": 2}, "code: data revision 2 (1)"),
        ({"loss": replace(contour(), revision=2)}, "code: losses revision 2 (1)"),
        ({"loss": contour(variant="sound")}, "code: loss.variant sound (paper)"),
        ({"loss": contour(weight=0.5)}, "code: loss.weight 0.5 (1)"),
        ({"loss": NO_LOSS, "data_dir": "/elsewhere"}, None),
    ],
)
def test_what_is_not_as_in_the_paper_is_told_by_its_kind(change, told):
    assert obstacles(replace(METHOD, **change)) == ((told,) if told else ())


def test_a_run_at_another_batch_is_of_another_schedule():
    assert obstacles(scaled(METHOD, 4)) == (
        "schedule: base_lr 0.005 (0.01), steps 240000/320000 (120000/160000), "
        "max_iter 360000 (180000), total_batch_size 4 (8)",
    )


def test_a_cascade_without_its_semantic_branch_is_another_network():
    htc = finetune(Setting(), "htc_R50_FPN", contour())
    assert obstacles(replace(htc, semantic_branch=False)) == (
        "architecture: semantic_branch False (True)",
    )


def test_at_demo_scale_everything_is_in_the_way_scale_first():
    assert obstacles(finetune(Setting("demo"), R50, NO_LOSS)) == (
        "scale: demo (paper)",
        "split: trained on shapes_train (coco_2014_train), tested on shapes_val "
        "(coco_2014_minival)",
        "schedule: base_lr 0.02 (0.01), steps 300/370 (120000/160000), max_iter 400 (180000), "
        "warmup_iters 40 (500), total_batch_size 4 (8), num_gpus 1 (4)",
        "code: mask_format bitmask (polygon)",
    )


def test_what_is_in_the_way_of_a_difference_is_told_once_and_an_unfair_pair_first():
    amp = {"precision": "amp"}
    assert obstacles_of_pair(METHOD, BASELINE) == ()
    assert obstacles_of_pair(replace(METHOD, **amp), replace(BASELINE, **amp)) == (
        "schedule: precision amp (float32)",
    )
    assert obstacles_of_pair(METHOD, replace(BASELINE, **amp)) == (
        "pair: the two differ in precision (float32 and amp)",
        "schedule: precision amp (float32)",
    )


def test_own_data_is_told_by_its_splits(own_data):
    spec = finetune(Setting(data_dir=own_data), R50, NO_LOSS)
    assert obstacles(spec) == (
        "split: trained on own_train (coco_2014_train), tested on own_val (coco_2014_minival)",
        "code: mask_format bitmask (polygon)",
    )


def test_every_field_that_moves_a_number_has_a_kind():
    # A new field without one would fail in `obstacles`. A base has no number, and a seed is free.
    known = {name for names in KINDS.values() for name in names}
    rest = {"stage", "seed", *NOT_IN_ID, *HASHES}
    assert known | rest == {field.name for field in fields(RunSpec)}


def test_a_base_has_no_number_to_compare():
    with pytest.raises(ValueError, match="spec is a base: only a fine-tune has a number"):
        obstacles(base_of(METHOD))
