from dataclasses import replace

import pytest

from harness.errors import SpecError
from harness.grid import NO_LOSS, Loss, Schedule, Setting, base_of, contour, finetune, mse_edge
from harness.grid.spec import RunSpec, identity_of, spec_from_json

R50 = "mask_rcnn_R50_FPN"


@pytest.fixture
def spec() -> RunSpec:
    return finetune(Setting(scale="paper"), R50, contour(k=2))


def test_ids_of_the_paper_rows_never_change(spec):
    # Pinned: a run is a fact. If this fails, a field, a default or the hashing changed; finished
    # runs would then be trained again. Raise a revision instead if that is what is meant.
    baseline = finetune(Setting(scale="paper"), R50, NO_LOSS)
    assert base_of(spec).run_id == "c4005f80"
    assert baseline.run_id == "f1cb5c20"
    assert spec.run_id == "ff3895d1"


def test_equal_specs_have_one_id_and_any_other_number_another(spec):
    assert finetune(Setting(scale="paper"), R50, contour(k=2)).run_id == spec.run_id
    others = [
        replace(spec, seed=1),
        replace(spec, num_gpus=8),
        replace(spec, train_split="coco_2014_trainval35k"),
        replace(spec, loss=contour(k=3)),
        replace(spec, loss=contour(k=2, variant="sound")),
        replace(spec, schedule=replace(spec.schedule, base_lr=0.02)),
        replace(spec, recipe_revision=2),
    ]
    assert len({spec.run_id, *(other.run_id for other in others)}) == 8


def test_without_its_semantic_branch_htc_is_another_run():
    htc = finetune(Setting(scale="paper"), "htc_R50_FPN", NO_LOSS)
    without = replace(htc, semantic_branch=False)
    assert without.run_id != htc.run_id
    assert base_of(without).run_id != base_of(htc).run_id


def test_a_path_or_a_checkpoint_period_moves_no_id(spec):
    moved = replace(spec, data_dir="/elsewhere", checkpoint_every=40, log_every=4)
    assert moved.run_id == spec.run_id


def test_fine_tunes_with_every_loss_share_one_base(spec):
    assert base_of(spec) == base_of(replace(spec, loss=NO_LOSS))
    assert base_of(spec) == base_of(replace(spec, loss=mse_edge()))


def test_a_fixed_loss_makes_new_fine_tunes_but_keeps_the_base(spec):
    fixed = replace(spec, loss=replace(spec.loss, revision=2))
    assert fixed.run_id != spec.run_id
    assert base_of(fixed).run_id == base_of(spec).run_id


def test_another_test_split_keeps_the_base(spec):
    elsewhere = replace(spec, test_split="coco_2017_val")
    assert elsewhere.run_id != spec.run_id
    assert base_of(elsewhere).run_id == base_of(spec).run_id


def test_the_id_of_a_fine_tune_chains_to_its_base(spec):
    # The seed is in the base's id too, so both move.
    other = replace(spec, seed=1)
    assert base_of(other).run_id != base_of(spec).run_id


def test_a_spec_comes_back_from_json(spec):
    import json
    from dataclasses import asdict

    assert spec_from_json(json.loads(json.dumps(asdict(spec)))) == spec


def test_a_spec_of_another_version_is_refused():
    with pytest.raises(SpecError, match="no run of this version of harness"):
        spec_from_json({"loss": {"name": "none"}})


def test_a_base_ends_where_its_fine_tunes_start(spec):
    # IV-B: "firstly train the original Mask R-CNN to 120K iterations ... continue ... to 180K".
    base = base_of(spec)
    assert (base.first_iteration, base.last_iteration) == (0, 120_000)
    assert (spec.first_iteration, spec.last_iteration) == (120_000, 180_000)


@pytest.mark.parametrize(
    ("iteration", "factor"),
    [
        (0, 1 / 3),  # maskrcnn-benchmark's warm-up factor
        (250, 2 / 3),  # half of the way from 1/3 to 1
        (500, 1.0),
        (119_999, 1.0),
        (120_000, 0.1),
        (159_999, 0.1),
        (160_000, 0.01),
        (179_999, 0.01),
    ],
)
def test_the_learning_rate_follows_the_published_schedule(spec, iteration, factor):
    assert spec.schedule.lr_factor(iteration) == pytest.approx(factor)


def test_identity_leaves_out_what_moves_no_number(spec):
    assert {"data_dir", "checkpoint_every", "log_every"}.isdisjoint(identity_of(spec))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: contour(k=0), r"k=0 of loss 'contour': k is a whole number, 1 or more"),
        (lambda: contour(k=1.5), r"k=1.5 of loss 'contour'"),
        (lambda: Loss(name="mse_edge", k=2, variant="paper"), "'mse_edge' has no k"),
        (lambda: Loss(name="none", variant="paper"), "'none' has no variant. Leave variant out"),
        (lambda: Loss(name="contour", k=2), "Unknown loss variant 'None'"),
        (lambda: Loss(name="contuor", k=2), "Unknown loss 'contuor'. Did you mean 'contour'?"),
        (lambda: contour(variant="papper"), "Unknown loss variant 'papper'. Did you mean 'paper'?"),
        (lambda: Loss(name="contour", k=1, variant="paper", weight=0.0), "weight=0.0"),
        (
            lambda: finetune(Setting(), "mask_rcnn_r50", NO_LOSS),
            "Unknown model 'mask_rcnn_r50'. Did you mean 'mask_rcnn_R50_FPN'",
        ),
        (lambda: finetune(Setting(scale="dmo"), R50, NO_LOSS), "Did you mean 'demo'"),
        (
            lambda: Schedule(base_lr=0.1, steps=(20, 10), max_iter=30, warmup_iters=0),
            "rising, between 0 and max_iter",
        ),
        (
            lambda: Schedule(base_lr=0.0, steps=(10,), max_iter=30, warmup_iters=0),
            "the learning rate must be above 0",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_value_and_what_is_allowed(wrong, message):
    with pytest.raises(SpecError, match=message.replace("?", r"\?").replace("\\\\", "\\")):
        wrong()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_gpus": 3}, "total_batch_size=8 on num_gpus=3"),
        ({"checkpoint_every": 30, "log_every": 20}, "checkpoint_every=30 with log_every=20"),
        ({"train_split": "coco_2014_trian"}, "Did you mean 'coco_2014_train'"),
        ({"precision": "float8"}, "Unknown precision 'float8'"),
        ({"semantic_branch": True}, "only htc_R50_FPN has a semantic branch"),
        ({"stage": "base"}, "no contour term and no test split"),
    ],
)
def test_fields_that_do_not_fit_together_are_refused(spec, change, message):
    with pytest.raises(SpecError, match=message):
        replace(spec, **change)
