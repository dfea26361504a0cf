"""`harness plan --power`: which noise it reckons with, and what one seed of a plan costs."""

import pytest

from harness.commands.power import plan_power
from harness.errors import SpecError
from harness.grid import NO_LOSS, Cell, Layout, Setting, contour, finetune, merge, table_grid
from harness.grid.plan import make_plan

R50 = "mask_rcnn_R50_FPN"


def grid_of(*seeds: int):
    """Two rows of each seed: a base and two fine-tunes."""
    grids = []
    for seed in seeds:
        setting = Setting(scale="paper", seed=seed)
        rows = {"baseline": NO_LOSS, "k=2": contour(k=2)}
        cells = [Cell("t", row, finetune(setting, R50, loss), {}) for row, loss in rows.items()]
        grids.append(table_grid("t", Layout("", ("mAP",)), cells))
    return merge(grids)


@pytest.fixture
def power_of(place):
    """A function that makes the report of a grid, with a stated noise or none."""

    def report(grid, noise=None):
        return plan_power(make_plan(grid, place.runs), grid, noise, place)

    return report


def test_where_nothing_is_stated_two_runs_of_public_code_are_reckoned_with(power_of):
    # √2 x 0.25 = 0.35.
    power = power_of(grid_of(0))
    assert power.noise.seed_std == pytest.approx(0.25 * 2**0.5, abs=0.005)
    assert power.noise.image_std == 0
    assert power.seed_source.startswith("Stated, not measured: 0.25 AP between two runs")
    assert "share their base, so that the real one may be smaller" in power.seed_source
    assert power.image_source == (
        "Not counted, for no run collected was scored in draws of the test images."
    )


def test_a_stated_noise_is_told_as_such(power_of):
    power = power_of(grid_of(0), noise=0.12)
    assert power.noise.seed_std == 0.12
    assert power.seed_source == "Stated with --noise, not measured."


def test_gpu_hours_are_those_of_one_seed_however_many_are_planned(power_of):
    # 0.227 s an image: a base takes 60.533 h, each of two fine-tunes half of that.
    for seeds in ((0,), (0, 1, 2)):
        power = power_of(grid_of(*seeds))
        assert power.gpu_hours_per_seed == pytest.approx(2 * 60.533, abs=0.01)
    settled = power.needed[-1]
    assert settled.gpu_hours == pytest.approx(13 * 2 * 60.533, abs=0.1)


@pytest.mark.parametrize("noise", [0.0, -0.3, float("nan"), float("inf")])
def test_what_is_no_standard_deviation_is_refused(power_of, noise):
    with pytest.raises(SpecError, match=r"is above 0 and finite\. Give one in AP points, as"):
        power_of(grid_of(0), noise)


def test_what_was_measured_is_reckoned_with_and_told(power_of, score):
    # k=2 minus the baseline: 1, 2, 3, deviation 1; k=1: 2, 2, 2, deviation 0. Pooled, sqrt(1/2).
    # In the draws a row moves by 0.5 against the baseline, or by nothing: deviations sqrt(1/3) and
    # 0, pooled sqrt(1/6).
    score("table1/baseline", 30.0, 31.0, 29.0, draws=(0, 0, 0, 0))
    score("table1/k=1", 32.0, 33.0, 31.0, draws=(0, 0, 0, 0))
    score("table1/k=2", 31.0, 33.0, 32.0, draws=(0.5, -0.5, 0.5, -0.5))
    power = power_of(grid_of(0))
    assert power.noise.seed_std == pytest.approx(0.5**0.5)
    assert power.noise.image_std == pytest.approx((1 / 6) ** 0.5)
    assert (
        power.seed_source == "Measured on the runs collected: 2 pairs of rows, with up to 3 seeds."
    )


def test_a_stated_noise_leaves_the_images_measured(power_of, score):
    score("table1/baseline", 30.0, 31.0, 29.0, draws=(0, 0, 0, 0))
    score("table1/k=2", 31.0, 33.0, 32.0, draws=(0.5, -0.5, 0.5, -0.5))
    told = power_of(grid_of(0), noise=0.12).to_json()
    assert told["noise"] == {"seed_std": 0.12, "image_std": pytest.approx((1 / 3) ** 0.5)}
    assert told["seed_source"] == "Stated with --noise, not measured."
    assert told["image_source"] == (
        "Measured on the draws of the test images in which the runs collected were scored."
    )
    assert "source" not in told


def test_of_one_seed_only_the_images_are_measured(power_of, score):
    score("table1/baseline", 30.0, draws=(0, 0, 0, 0))
    score("table1/k=2", 31.0, draws=(0.5, -0.5, 0.5, -0.5))
    power = power_of(grid_of(0))
    assert power.noise.image_std == pytest.approx((1 / 3) ** 0.5)
    assert power.seed_source.startswith("Stated, not measured")
    assert power.image_source.startswith("Measured on the draws of the test images")
