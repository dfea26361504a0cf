"""Which pairs of runs the report shows, and what it says where it cannot."""

import json
import re
from pathlib import Path

import pytest

from harness.grid import Setting
from harness.grid.experiments import load_grid
from harness.reporting.masks import MOST_IMAGES, mask_pairs
from tests.illustrate.two_runs import TwoRuns, detection

ROOT = Path(__file__).parents[2]


def test_each_network_has_one_pair_and_says_which_runs_are_missing(tmp_path):
    grid = load_grid([], Setting(scale="demo"), ROOT / "experiments")
    runs = TwoRuns(tmp_path).place.runs
    found = list(mask_pairs(grid, runs))
    # Of R50's eight losses the one that stands in all three tables.
    assert [pair.title for pair in found] == [
        "table1/k=2 beside table1/baseline (mask_rcnn_R50_FPN)",
        "table3/R101+contour beside table3/R101 (mask_rcnn_R101_FPN)",
        "table3/X101+contour beside table3/X101 (mask_rcnn_X101_FPN)",
        "table3/HTC+contour beside table3/HTC (htc_R50_FPN)",
    ]
    assert all(pair.pictures == () and "is not scored" in pair.missing for pair in found)


def test_the_images_that_changed_most_are_shown_with_their_objects(tmp_path, monkeypatch):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    grid = two.place.known_grid()
    pair = next(mask_pairs(grid, two.place.runs))
    assert pair.missing == ""
    # Images 3 and 2; in the third nothing changes.
    assert len(pair.pictures) == 2 <= MOST_IMAGES
    assert pair.pictures[0].alt.startswith("Image 3 (3.png): 1 object.")
    assert pair.pictures[1].lines == (
        "1 cat: mask IoU 80.0 to 90.0 (+10.0), Boundary IoU 53.2 to 57.4 (+4.3)",
    )
    assert "no image is typical" in pair.note


def test_the_lowest_seed_that_both_have_is_shown_and_named(tmp_path, monkeypatch):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    two.paths("k=2").results.unlink()
    for row, width in (("baseline", 16), ("k=2", 18)):
        two.predict(row, [detection(1, (10, 10, width, 20))], seed=1)
    pair = next(mask_pairs(two.place.known_grid(), two.place.runs))
    network = "mask_rcnn_R50_FPN"
    assert pair.title == f"table1/k=2/seed=1 beside table1/baseline/seed=1 ({network})"
    assert len(pair.pictures) == 1
    assert f"of table1/baseline/seed=1 · {two.spec('baseline', 1).run_id}" in pair.pictures[0].alt


def test_a_missing_photograph_takes_no_other_picture_away_and_is_drawn_once_it_is_there(
    tmp_path, monkeypatch
):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    grid, path = two.place.known_grid(), two.data / "val" / "3.png"
    content = path.read_bytes()
    path.write_bytes(content[:60])
    pair = next(mask_pairs(grid, two.place.runs))
    assert [one.alt[:7] for one in pair.pictures] == ["Image 2"]
    assert "no image is typical" in pair.note
    assert "Not drawn: Image 3 (3.png). Its photograph is missing, damaged, or" in pair.note
    assert str(tmp_path) not in pair.note
    path.write_bytes(content)
    pair = next(mask_pairs(grid, two.place.runs))
    assert [one.alt[:7] for one in pair.pictures] == ["Image 3", "Image 2"]
    assert "Not drawn" not in pair.note


def test_where_no_photograph_is_there_this_is_said_in_the_place_of_pictures(tmp_path, monkeypatch):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    for path in (two.data / "val").iterdir():
        path.unlink()
    pair = next(mask_pairs(two.place.known_grid(), two.place.runs))
    assert pair.pictures == ()
    assert pair.missing.startswith("Not drawn: Image 3 (3.png), Image 2 (2.png). Their photogr")


def test_a_pair_whose_run_was_scored_again_is_drawn_anew(tmp_path, monkeypatch):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    grid = two.place.known_grid()
    first = next(mask_pairs(grid, two.place.runs))
    assert next(mask_pairs(grid, two.place.runs)).pictures is first.pictures
    two.predict("k=2", [detection(1, (10, 10, 20, 20)), detection(2, (10, 10, 16, 20))])
    assert next(mask_pairs(grid, two.place.runs)).pictures == ()  # as the baseline: no change


def changed_annotations(two):
    two.category = "dog"
    two.write_data()


def changed_metrics(two):
    path = two.paths("k=2").metrics
    content = json.loads(path.read_text())
    content["annotations"] = {"own_val": "0" * 64}
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("change", [changed_annotations, changed_metrics])
def test_pictures_of_other_annotations_than_those_scored_on_do_not_stay(
    tmp_path, monkeypatch, change
):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    grid = two.place.known_grid()
    assert next(mask_pairs(grid, two.place.runs)).pictures
    change(two)
    pair = next(mask_pairs(grid, two.place.runs))
    assert pair.pictures == ()
    assert re.search(r"is not what run \w{8} was scored on: its sha256 begins with", pair.missing)
