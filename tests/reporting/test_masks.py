"""Which pairs of runs the report shows, and what it says where it cannot."""

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


@pytest.mark.parametrize("names", [[], ["table2"]])
def test_pairs_are_those_of_the_grid(names, tmp_path):
    grid = load_grid(names, Setting(scale="demo"), ROOT / "experiments")
    networks = {cell.spec.architecture for cell in grid.cells}
    assert len(list(mask_pairs(grid, TwoRuns(tmp_path).place.runs))) == len(networks)


def test_a_pair_whose_run_was_scored_again_is_drawn_anew(tmp_path, monkeypatch):
    two = TwoRuns(tmp_path)
    monkeypatch.chdir(two.project)
    grid = two.place.known_grid()
    first = next(mask_pairs(grid, two.place.runs))
    assert next(mask_pairs(grid, two.place.runs)).pictures is first.pictures
    two.predict("k=2", [detection(1, (10, 10, 20, 20)), detection(2, (10, 10, 16, 20))])
    assert next(mask_pairs(grid, two.place.runs)).pictures == ()  # as the baseline: no change
