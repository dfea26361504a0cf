import pytest

from harness.data.annotations import annotations_hash, find_own_data
from harness.errors import SpecError
from harness.grid import NO_LOSS, Setting, base_of, contour, finetune, scaled
from harness.grid.architectures import ARCHITECTURES

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


def numbers(spec):
    schedule = spec.schedule
    return schedule.base_lr, schedule.steps, schedule.max_iter


def test_at_half_the_batch_the_rate_halves_and_the_iterations_double():
    # IV-B has 0.01, 120K, 160K of 180K at batch 8. At batch 4: 0.01 x 4/8, and all x 8/4.
    spec = scaled(finetune(Setting(), R50, contour()), 4)
    assert numbers(spec) == (0.005, (240_000, 320_000), 360_000)
    assert (spec.total_batch_size, spec.num_gpus) == (4, 4)


def test_at_batch_16_it_is_the_code_bases_own_1x_schedule():
    # maskrcnn-benchmark at batch 16: 0.02, 60K and 80K of 90K, and 500 of warm-up as at batch 8.
    spec = scaled(finetune(Setting(), R50, NO_LOSS), 16, num_gpus=8)
    assert numbers(spec) == (0.02, (60_000, 80_000), 90_000)
    assert (spec.schedule.warmup_iters, spec.num_gpus) == (500, 8)


def test_the_rule_starts_from_the_batch_that_a_spec_has():
    # The demo has 0.02, 300 and 370 of 400 at batch 4. At batch 6 steps are not whole:
    # 370 x 4/6 = 246.67 and 400 x 4/6 = 266.67.
    demo = finetune(Setting(scale="demo"), R50, contour())
    assert numbers(scaled(demo, 6)) == (pytest.approx(0.03), (200, 247), 267)
    assert scaled(scaled(demo, 8), 4) == demo


def test_the_base_of_a_scaled_fine_tune_ends_at_the_scaled_step_and_is_another_run():
    plain = finetune(Setting(), R50, contour())
    spec = scaled(plain, 4)
    assert base_of(spec).last_iteration == 240_000
    assert base_of(spec).run_id != base_of(plain).run_id
    assert base_of(spec) == base_of(scaled(finetune(Setting(), R50, NO_LOSS), 4))


def test_a_batch_that_cannot_be_shared_out_or_makes_no_schedule_is_refused():
    paper = finetune(Setting(), R50, contour())
    for batch in (0, 6, -8):
        with pytest.raises(SpecError, match=f"total_batch_size={batch} on num_gpus=4: every GPU"):
            scaled(paper, batch)
    with pytest.raises(SpecError, match="total_batch_size=8 on num_gpus=3"):
        scaled(paper, 8, num_gpus=3)
    with pytest.raises(SpecError, match="total_batch_size=8 on num_gpus=0"):
        scaled(paper, 8, num_gpus=0)
    # 120,000 x 8 / 1920 = 500, the last of warm-up.
    with pytest.raises(SpecError, match="would fall at iteration 500, within the 500 of warm-up"):
        scaled(paper, 1920)
