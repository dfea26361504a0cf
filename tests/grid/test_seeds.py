"""Several seeds in one grid: whose bases are whose, what runs are called, what they cost."""

import json
from pathlib import Path

import pytest

from harness.grid import NO_LOSS, Cell, Layout, Setting, contour, finetune, merge, table_grid
from harness.grid.names import only_cells
from harness.grid.plan import make_plan
from harness.grid.spec import base_of
from harness.paths import RunsFolder

R50 = "mask_rcnn_R50_FPN"


def of_seed(seed, rows=("baseline", "k=2")):
    losses = {"baseline": NO_LOSS, "k=2": contour()}
    setting = Setting(seed=seed)
    cells = [Cell("t", row, finetune(setting, R50, losses[row]), {}) for row in rows]
    return table_grid("t", Layout("", ("mAP",)), cells)


@pytest.fixture
def three():
    return merge(of_seed(seed) for seed in range(3))


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


def test_a_seed_owns_its_base_and_all_its_rows_start_from_that(tables):
    of_base = {}
    for cell in tables(seeds=range(3)).cells:
        base = base_of(cell.spec)
        assert base.seed == cell.spec.seed
        of_base.setdefault((cell.spec.architecture, cell.spec.seed), set()).add(base.run_id)
    assert len(of_base) == 12  # 4 models, 3 seeds
    assert all(len(ids) == 1 for ids in of_base.values())
    assert len(set.union(*of_base.values())) == 12


def test_seed_0_of_several_is_the_same_runs_as_alone(tables):
    alone, several = tables(), tables(seeds=range(3))
    assert list(several.runs)[: len(alone.runs)] == list(alone.runs)
    assert len(several.runs) == 3 * len(alone.runs)
    assert several.cells[: len(alone.cells)] == alone.cells


def test_with_several_seeds_every_name_ends_with_its_seed(three):
    assert three.seeds == (0, 1, 2)
    assert [three.name_of(run_id) for run_id in three.runs] == [
        f"{name}/seed={seed}"
        for seed in range(3)
        for name in (f"base {R50}", "t/baseline", "t/k=2")
    ]
    assert list(three.cell_names.values())[3] == ("t/k=2/seed=1",)


def test_with_seed_0_alone_names_tell_no_seed():
    assert [of_seed(0).name_of(run_id) for run_id in of_seed(0).runs] == [
        f"base {R50}",
        "t/baseline",
        "t/k=2",
    ]


def test_a_part_of_a_grid_gives_a_run_the_name_that_it_has_in_the_whole(three):
    part = only_cells(three, ["t/k=2/seed=1"])
    assert [part.name_of(run_id) for run_id in part.runs] == [f"base {R50}/seed=1", "t/k=2/seed=1"]


def test_a_table_has_one_cell_for_each_row_of_the_rows_lowest_seed():
    # k=2 is there with seed 2 first, then with 1.
    grid = merge([of_seed(2), of_seed(1, rows=["k=2"])])
    assert [(cell.row, cell.spec.seed) for cell in grid.rows("t")] == [("baseline", 2), ("k=2", 1)]
    assert len(grid.table("t")) == 3


def test_as_many_seeds_must_be_asked_for_as_reach_the_run(three):
    # The base and the two fine-tunes of each seed.
    asked = [three.seeds_to_ask_for(run_id) for run_id in three.runs]
    assert asked == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_cell_that_is_the_same_for_every_seed_stands_in_the_grid_once():
    assert len(merge([of_seed(0), of_seed(0)]).cells) == 2


def test_each_cell_of_a_plan_tells_its_seed_and_its_name(three, runs):
    planned = make_plan(three, runs).to_json()
    assert [(cell["row"], cell["seed"]) for cell in planned["cells"][1:3]] == [
        ("k=2", 0),
        ("baseline", 1),
    ]
    assert planned["cells"][5]["name"] == "t/k=2/seed=2"
    json.dumps(planned)


def test_cells_that_show_one_run_are_of_one_seed(tables, runs):
    cells = {cell.name: cell for cell in make_plan(tables(seeds=range(2)), runs).cells}
    assert cells["table1/k=2/seed=1"].shared_with == (
        "table2/contour/seed=1",
        "table3/R50+contour/seed=1",
    )


def test_three_seeds_cost_three_times_the_hours_and_the_disk(runs):
    # One seed: the base takes 60.533 h of a GPU, each of two fine-tunes 30.267; from scratch 90.8.
    plan = make_plan(merge(of_seed(seed) for seed in range(3)), runs, gpus=4)
    assert plan.gpu_hours.plan == pytest.approx(3 * (60.533 + 2 * 30.267), abs=0.01)
    assert plan.gpu_hours.distinct_from_scratch == pytest.approx(3 * 2 * 90.8)
    assert plan.gpu_hours.from_scratch == pytest.approx(3 * 2 * 90.8)
    # Each run has the 4 GPUs for itself, one after another.
    assert plan.wall_clock.hours == pytest.approx(3 * (60.533 + 2 * 30.267) / 4, abs=0.01)
    # A checkpoint is 0.3544 GB, what a fine-tune predicts 0.1 GB.
    assert plan.disk_gb_kept == pytest.approx(3 * (3 * 0.3544 + 2 * 0.1))


def test_on_more_gpus_seeds_train_side_by_side(runs):
    # 12 GPUs: 3 bases at once, 15.133 h, then 6 fine-tunes of 7.567 h in two rounds of 3.
    plan = make_plan(merge(of_seed(seed) for seed in range(3)), runs, gpus=12)
    assert plan.wall_clock.hours == pytest.approx(15.133 + 2 * 7.567, abs=0.01)


def test_a_plan_of_several_seeds_says_what_a_seed_is(three, runs):
    told = "Seeds 0 to 2, where the text names none: each has bases of its own"
    assert told in "\n".join(make_plan(three, runs).assumptions)
    assert "Seeds" not in "\n".join(make_plan(of_seed(0), runs).assumptions)


def test_table_1_in_the_other_variant_trains_nothing_twice(tables):
    table1, sound = tables("paper", "table1"), tables("paper", "table1_sound")
    assert [cell.row for cell in sound.cells] == [cell.row for cell in table1.cells]
    shared = set(table1.runs) & set(sound.runs)
    assert {table1.name_of(run_id) for run_id in shared} == {f"base {R50}", "table1/baseline"}
    assert len(sound.runs) == 8
    assert {cell.spec.loss.variant for cell in sound.cells[1:]} == {"sound"}
    layout = sound.layouts["table1_sound"]
    assert (layout.published, "Not in the paper." in layout.caption) == (False, True)
    assert not (Path(__file__).parents[2] / "results" / "published" / "table1_sound.csv").exists()
