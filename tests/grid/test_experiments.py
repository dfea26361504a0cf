import re
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.grid import Setting, base_of
from harness.grid.experiments import load_grid

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
    (example,) = re.findall(r"^```python\n(.*?)^```", readme.read_text("utf-8"), re.M | re.S)
    (tmp_path / "x101.py").write_text(example)
    cells = load_grid((), Setting(), tmp_path).cells
    batch_4, amp, trainval35k = (cell.spec for cell in cells)
    schedule = batch_4.schedule
    told = (schedule.base_lr, schedule.steps, schedule.max_iter)
    assert told == (0.005, (240_000, 320_000), 360_000)
    assert (amp.precision, trainval35k.train_split) == ("amp", "coco_2014_trainval35k")
    assert len({base_of(spec).run_id for spec in (batch_4, amp, trainval35k)}) == 3
    assert {base_of(spec).precision for spec in (amp, batch_4)} == {"amp", "float32"}
