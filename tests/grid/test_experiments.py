import re
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.grid import Setting, base_of
from harness.grid.experiments import experiment_names, known_grid, load_grid
from harness.grid.names import find_run

EXPERIMENT = """
from harness.grid import NO_LOSS, Cell, Layout, finetune, table_grid

NAME = {name!r}

def grid(setting):
    cell = Cell(NAME, "row", finetune(setting, "mask_rcnn_R50_FPN", NO_LOSS), {{}})
    return table_grid(NAME, Layout("", ("mAP",)), [cell])
"""


@pytest.fixture
def folder(tmp_path):
    """`table1` in b.py and `table1_sound` in a.py."""
    (tmp_path / "a.py").write_text(EXPERIMENT.format(name="table1_sound"))
    (tmp_path / "b.py").write_text(EXPERIMENT.format(name="table1"))
    return tmp_path


def names(folder, *asked: str) -> list[str]:
    return list(load_grid(asked, Setting(), folder).layouts)


def test_a_name_matches_exactly_and_never_as_a_beginning(folder):
    assert names(folder, "table1") == ["table1"]
    assert names(folder, "table1_sound") == ["table1_sound"]


def test_all_come_in_the_order_of_their_files_and_named_ones_in_the_order_asked(folder):
    assert names(folder) == ["table1_sound", "table1"]
    assert names(folder, "table1", "table1_sound") == ["table1", "table1_sound"]


def test_an_unknown_name_is_answered_with_the_known_ones(folder):
    known = r"Unknown experiment 'table2'\. Did you mean 'table1'\? Known experiments: table1, "
    with pytest.raises(SpecError, match=known + "table1_sound"):
        names(folder, "table2")


def test_two_files_with_one_name_are_refused_and_both_named(folder):
    (folder / "c.py").write_text(EXPERIMENT.format(name="table1"))
    with pytest.raises(SpecError, match=r"/c\.py and .*/b\.py are both 'table1'\."):
        names(folder)


def test_a_file_that_begins_with_an_underscore_is_no_experiment(folder):
    (folder / "_shared.py").write_text("1 / 0")
    assert names(folder) == ["table1_sound", "table1"]


def test_a_folder_without_experiments_says_where_to_go(tmp_path):
    with pytest.raises(SpecError, match=r"no experiments in .*Run harness in its own checkout"):
        names(tmp_path)


def test_an_experiment_that_is_named_twice_comes_once(folder):
    assert len(load_grid(("table1", "table1"), Setting(), folder).cells) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", r"mine\.py: its grid\(\) fails: ZeroDivisionError"),
        ("return None", r"mine\.py: its grid\(\) returns None and no Grid"),
        ("return finetune(setting, 'mask_rcnn_R50', NO_LOSS)", r"mine\.py: Unknown model"),
        ("return finetune(setting, 'mask_rcnn_R50_FPN', 'contour')", r"loss='contour' is no loss"),
    ],
)
def test_a_mistake_in_a_grid_is_told_with_the_file(folder, body, message):
    head = "from harness.grid import NO_LOSS, finetune\nNAME = 'mine'\n"
    (folder / "mine.py").write_text(f"{head}def grid(setting):\n    {body}\n")
    with pytest.raises(SpecError, match=message):
        names(folder, "mine")


def test_the_example_of_runs_that_are_not_the_recipes_is_an_experiment(tmp_path):
    readme = Path(__file__).parents[2] / "experiments" / "README.md"
    text = readme.read_text("utf-8").partition("\n## ")[0]
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "x101.py").write_text(example)
    cells = load_grid((), Setting(), tmp_path).cells
    batch_4, amp, trainval35k = (cell.spec for cell in cells)
    schedule = batch_4.schedule
    told = (schedule.base_lr, schedule.steps, schedule.max_iter)
    assert told == (0.005, (240_000, 320_000), 360_000)
    assert (amp.precision, trainval35k.train_split) == ("amp", "coco_2014_trainval35k")
    assert len({base_of(spec).run_id for spec in (batch_4, amp, trainval35k)}) == 3
    assert {base_of(spec).precision for spec in (amp, batch_4)} == {"amp", "float32"}


ON_REQUEST = EXPERIMENT.replace("NO_LOSS", "contour").replace("contour)", "contour(k=5))")


@pytest.fixture
def with_request(tmp_path):
    """`usual`, and `asked`, which has other runs on the same base and is on request."""
    (tmp_path / "a.py").write_text(ON_REQUEST.format(name="asked") + "\nON_REQUEST = True\n")
    (tmp_path / "b.py").write_text(EXPERIMENT.format(name="usual"))
    return tmp_path


def ids_of(folder, name, seed=0):
    return list(load_grid([name], Setting(seed=seed), folder).runs)  # base, fine-tune


def known(folder, *left, names=()):
    grid = known_grid(names, Setting(), folder, left)
    return list(grid.layouts), grid.seeds


def test_an_experiment_on_request_comes_only_where_it_is_named(with_request):
    assert names(with_request) == ["usual"]
    assert names(with_request, "asked") == ["asked"]
    assert experiment_names(with_request) == ("asked", "usual")


def test_where_all_are_on_request_one_must_be_named(tmp_path):
    (tmp_path / "a.py").write_text(EXPERIMENT.format(name="a") + "\nON_REQUEST = True\n")
    with pytest.raises(SpecError, match=r"on request \(ON_REQUEST = True\)\. Name one: a\.$"):
        names(tmp_path)


def test_where_all_are_on_request_those_that_were_started_are_known(tmp_path):
    for name in ("a", "b"):
        text = (EXPERIMENT if name == "a" else ON_REQUEST).format(name=name)
        (tmp_path / f"{name}.py").write_text(f"{text}\nON_REQUEST = True\n")
    with pytest.raises(SpecError, match=r"Name one: a, b\.$"):
        known(tmp_path)
    assert known(tmp_path, ids_of(tmp_path, "b", seed=1)[1]) == (["b"], (0, 1))


OWN_SEEDS = """
from dataclasses import replace
from harness.grid import NO_LOSS, Cell, Layout, finetune, table_grid

NAME = "own"

def grid(setting):
    spec = finetune(setting, "mask_rcnn_R50_FPN", NO_LOSS)
    cells = [Cell(NAME, f"try {seed}", replace(spec, seed=seed), {}) for seed in (3, 4)]
    return table_grid(NAME, Layout("", ("mAP",)), cells)
"""


def test_rows_that_an_experiment_gives_seeds_of_their_own_are_there_once_and_ask_for_none(tmp_path):
    (tmp_path / "own.py").write_text(OWN_SEEDS)
    grid = load_grid((), Setting(), tmp_path, seeds=range(3))
    assert [cell.row for cell in grid.cells] == ["try 3", "try 4"]
    assert [cell.row for cell in grid.rows("own")] == ["try 3", "try 4"]
    assert {grid.seeds_to_ask_for(run_id) for run_id in grid.runs} == {1}
    assert find_run(known_grid((), Setting(), tmp_path, list(grid.runs)), "own/try 4").seed == 4


def test_what_a_command_must_name_to_reach_a_run_is_known(with_request):
    grid = load_grid(["asked", "usual"], Setting(), with_request)
    base, asked = ids_of(with_request, "asked")
    assert grid.to_be_named(asked) == ("asked",)
    assert grid.to_be_named(base) == ()  # the usual one has it too
    assert grid.to_be_named(ids_of(with_request, "usual")[1]) == ()
    assert load_grid(["asked"], Setting(), with_request).to_be_named(base) == ("asked",)


def test_before_anything_is_started_seed_0_of_the_usual_experiments_is_known(with_request):
    assert known(with_request) == (["usual"], (0,))


@pytest.mark.parametrize("which", [0, 1])
def test_a_seed_is_known_by_its_base_as_by_its_fine_tune(with_request, which):
    left = ids_of(with_request, "usual", seed=2)[which]
    assert known(with_request, left) == (["usual"], (0, 2))


def test_the_last_seed_that_can_be_asked_for_is_known_and_none_beyond(with_request):
    assert known(with_request, ids_of(with_request, "usual", seed=31)[1])[1] == (0, 31)
    assert known(with_request, ids_of(with_request, "usual", seed=32)[1])[1] == (0,)


def test_runs_of_others_make_no_seed_known(with_request):
    assert known(with_request, "01234567", "89abcdef") == (["usual"], (0,))


def test_an_experiment_on_request_is_known_by_a_run_that_no_other_has(with_request):
    base, asked = ids_of(with_request, "asked")
    assert known(with_request, base) == (["usual"], (0,))
    assert known(with_request, asked) == (["asked", "usual"], (0,))


def test_a_seed_may_be_known_by_an_experiment_on_request_alone(with_request):
    asked = ids_of(with_request, "asked", seed=1)[1]
    assert known(with_request, asked) == (["asked", "usual"], (0, 1))


def test_experiments_that_are_named_are_known_as_they_are_named(with_request):
    left = ids_of(with_request, "usual", seed=1)[1]
    assert known(with_request, left, names=["usual", "asked"]) == (["usual", "asked"], (0, 1))
    # Nothing of the other's own was left with seed 1.
    assert known(with_request, left, names=["asked"]) == (["asked"], (0,))
    with pytest.raises(SpecError, match="Unknown experiment 'other'"):
        known(with_request, names=["other"])
