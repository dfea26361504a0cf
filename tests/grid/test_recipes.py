import pytest

from harness.data.annotations import annotations_hash, find_own_data
from harness.grid import NO_LOSS, Setting, base_of, contour, finetune
from harness.grid.spec import ARCHITECTURES

R50 = "mask_rcnn_R50_FPN"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_paper_scale_is_section_iv_b(architecture):
    # IV-B: batch 8 on 4 GPUs, 180K iterations, 0.01 falling tenfold at 120K and 160K.
    spec = finetune(Setting(scale="paper"), architecture, contour())
    assert (spec.total_batch_size, spec.num_gpus) == (8, 4)
    assert spec.schedule.base_lr == 0.01
    assert spec.schedule.steps == (120_000, 160_000)
    assert spec.schedule.max_iter == 180_000
    # maskrcnn-benchmark's warm-up.
    assert (spec.schedule.warmup_iters, spec.schedule.warmup_factor) == (500, pytest.approx(1 / 3))
    assert spec.precision == "float32"


def test_mask_rcnn_is_trained_on_coco_2014_and_htc_on_2017():
    def splits(architecture):
        spec = finetune(Setting(scale="paper"), architecture, NO_LOSS)
        return spec.train_split, spec.test_split

    assert splits(R50) == ("coco_2014_train", "coco_2014_minival")  # IV-A
    assert splits("htc_R50_FPN") == ("coco_2017_train", "coco_2017_val")  # Table III's note


def test_the_demo_trains_minutes_on_drawn_shapes(tmp_path):
    spec = finetune(Setting(scale="demo", shapes_dir=tmp_path), R50, contour())
    assert (spec.train_split, spec.test_split) == ("shapes_train", "shapes_val")
    assert (spec.total_batch_size, spec.num_gpus) == (4, 1)
    assert (base_of(spec).last_iteration, spec.last_iteration) == (300, 400)
    assert spec.data_dir == str(tmp_path)


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_only_htc_has_a_semantic_branch_and_not_on_own_data(scale, own_data):
    def branch(architecture, **setting):
        setting = Setting(scale=scale, **setting)
        return finetune(setting, architecture, contour()).semantic_branch

    assert branch("htc_R50_FPN")
    assert not branch("htc_R50_FPN", data_dir=own_data)  # it has no stuff maps
    assert not branch(R50)


def test_a_setting_hands_its_seed_to_every_run():
    spec = finetune(Setting(scale="demo", seed=3), R50, contour())
    assert (spec.seed, base_of(spec).seed) == (3, 3)


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_own_data_takes_the_recipe_of_its_scale_and_its_hashes_into_the_id(scale, own_data):
    plain = finetune(Setting(scale=scale), R50, contour())
    spec = finetune(Setting(scale=scale, data_dir=own_data), R50, contour())
    assert (spec.schedule, spec.total_batch_size) == (plain.schedule, plain.total_batch_size)
    assert (spec.train_split, spec.test_split) == ("own_train", "own_val")
    data = find_own_data(own_data)
    assert spec.train_hash == annotations_hash(data.train.annotations)
    assert spec.test_hash == annotations_hash(data.val.annotations)
    assert spec.mask_format == "bitmask"  # own annotations may be run lengths
    assert spec.run_id != plain.run_id
