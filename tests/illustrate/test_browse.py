"""The browser of 03_masks: what its controls choose, what its table says, what it tells instead."""

import html
import re

import nbformat
import pytest
from nbclient import NotebookClient

from harness.errors import SpecError
from harness.grid.spec import RunSpec
from harness.illustrate.browse import browse, objects_frame
from harness.illustrate.pair import read_pair
from tests.illustrate.two_runs import TwoRuns, detection

PLACE = """
from pathlib import Path

from harness.illustrate.browse import browse
from harness.workplace import workplace

place = workplace("demo", Path({data!r}), Path({runs!r}))
grid = place.known_grid()
"""
SHOW = 'browse(grid, place.runs, "table1/baseline", "table1/k=2")'
MOVE = """
from ipywidgets.widgets.widget import _instances

(box,) = (one for one in _instances.values() if type(one).__name__ == "VBox")
a, b, rank = box.children
"""


@pytest.fixture
def two(tmp_path):
    return TwoRuns(tmp_path)


@pytest.fixture
def shown(two, tmp_path, monkeypatch):
    """A function that gives the words of the browser after controls were moved."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    place = PLACE.format(data=str(two.data), runs=str(two.runs))

    def shown(*moves: str) -> str:
        cells = [nbformat.v4.new_code_cell(one) for one in (place, SHOW, MOVE, *moves)]
        where = {"metadata": {"path": str(two.project)}}
        notebook = nbformat.v4.new_notebook(cells=cells)
        NotebookClient(notebook, timeout=60, resources=where).execute()
        return html.unescape(notebook.cells[1].outputs[0].data["text/html"])

    return shown


def name_of(row: str, spec: RunSpec) -> str:
    return f"{row} · {spec.run_id}"


@pytest.mark.slow
def test_the_largest_change_is_shown_first_and_the_slider_chooses_another(two, shown):
    # Image 3 is missed by the baseline alone; in image 2 both find a part of the object.
    first, second = shown(), shown("rank.value = 2")
    assert re.search(r'<img src="data:image/webp;base64,\S+" width="1230"', first)
    assert 'alt="Image 3 (3.png): 1 object.' in first
    assert re.findall("<td>(.+?)</td>", first)[-2:] == ["missed", "0.20"]
    assert 'alt="Image 2 (2.png): 1 object.' in second
    for words in (first, second):
        assert f"A: {name_of('table1/baseline', two.spec('baseline'))}<br>" in words
        assert f"B: {name_of('table1/k=2', two.spec('k=2'))}</p>" in words
        assert "no image is typical" in words
        assert "Demo scale: thin networks trained on the images in pets" in words


@pytest.mark.slow
def test_menus_choose_the_rows(two, shown):
    # The same two runs the other way round: what was a gain is a loss.
    words = shown('b.value = "table1/baseline"', 'a.value = "table1/k=2"')
    assert f"A: {name_of('table1/k=2', two.spec('k=2'))}<br>" in words
    assert "<td>−100.0</td>" in words


@pytest.mark.slow
def test_of_several_seeds_the_lowest_is_shown_and_the_others_can_be_chosen(two, shown):
    two.predict("k=2", [detection(2, (10, 10, 16, 20))], seed=1)
    words = shown('b.value = "table1/k=2/seed=1"')
    assert f"A: {name_of('table1/baseline/seed=0', two.spec('baseline'))}<br>" in words
    assert f"B: {name_of('table1/k=2/seed=1', two.spec('k=2', seed=1))}</p>" in words
    assert 'alt="Image 1 (1.png): 1 object.' in words  # which that run misses


@pytest.mark.slow
@pytest.mark.parametrize(
    ("move", "told"),
    [
        ("rank.value = 3", "k=2 differ in 2 of the 3 images that have objects, so there is no nu"),
        ('b.value = "table1/baseline"', "is named twice. Name two different runs."),
        ('b.value = "table1/k=3"', "is not scored: "),
    ],
)
def test_what_cannot_be_shown_is_told_in_its_place(shown, move, told):
    words = shown(move)
    assert words.startswith("<p ")
    assert told in words
    assert "<img" not in words


@pytest.mark.slow
def test_after_what_cannot_be_shown_the_next_choice_is_shown(shown):
    words = shown('b.value = "table1/baseline"', "rank.value = 2", 'b.value = "table1/k=2"')
    assert 'alt="Image 2 (2.png): 1 object.' in words


def test_the_table_has_a_row_for_each_object_and_both_runs_side_by_side(two):
    # 16 and 18 of 20 columns: the numbers of test_worst.
    names = ("table1/baseline", "table1/k=2")
    pair = read_pair(two.spec("baseline"), two.spec("k=2"), names, two.place.runs)
    moved = objects_frame(pair.images[1])
    assert moved.index.tolist() == [(1, "cat")]
    assert moved["mask IoU"].iloc[0].tolist() == ["80.0", "90.0", "+10.0"]
    assert moved["Boundary IoU"].iloc[0].tolist() == ["53.2", "57.4", "+4.3"]
    assert moved["score"].iloc[0].tolist() == ["0.90", "0.90"]
    missed = objects_frame(pair.images[2])
    assert missed["mask IoU"].iloc[0].tolist() == ["0.0", "100.0", "+100.0"]
    assert missed["score"].iloc[0].tolist() == ["missed", "0.20"]


def test_a_row_that_is_not_there_is_refused_by_name(two):
    grid = two.place.grid(["table1"])
    with pytest.raises(SpecError, match=r"Unknown row 'table1/k=7'\. Did you mean 'table1/k="):
        browse(grid, two.place.runs, "table1/baseline", "table1/k=7")
