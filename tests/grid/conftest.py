from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.grid import Grid, Setting
from harness.grid.experiments import load_grid

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def tables():
    """A function from a scale to the grid of the paper's three tables, or of some of them."""

    def load(scale: str = "paper", *names: str, seeds: Iterable[int] = (0,)) -> Grid:
        return load_grid(names, Setting(scale=scale), EXPERIMENTS, seeds)

    return load


@pytest.fixture
def own_data(tmp_path) -> Path:
    """A small folder of a user's own data in COCO's layout."""
    from harness.shapes import write_shapes

    folder = tmp_path / "leaves"
    write_shapes(folder, train_images=2, val_images=2, side=64)
    return folder
