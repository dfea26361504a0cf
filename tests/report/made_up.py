"""Scores made up for the tests of differences: seeds and draws of images with known spreads."""

from pathlib import Path

import numpy as np
import pandas as pd

from harness.grid import Grid, Setting
from harness.grid.experiments import load_grid
from harness.records import METRICS
from harness.report.differences import differences_frame
from harness.report.printed_differences import Differences
from harness.report.published import read_published
from harness.statistics.scores import Score, Scores

PROJECT = Path(__file__).parents[2]
PUBLISHED = PROJECT / "results" / "published"
NOTE = "Some scale."


def grid_of(table: str, scale: str = "paper") -> Grid:
    return load_grid([table], Setting(scale=scale), PROJECT / "experiments")


def published_of(table: str) -> pd.DataFrame:
    return read_published(PUBLISHED, table)


def row(name: str, *gains: dict[str, float], spread: float | None = None) -> Scores:
    """A row whose run of seed 0, 1, ... has 30 plus these gains in each metric.

    With a `spread` there are two draws of the images, so much below and above: the variance of two
    numbers 2 s apart is 2 s².
    """
    found = {}
    for seed, gain in enumerate(gains):
        values = {metric: 30 + size for metric, size in gain.items()}
        draws = {} if spread is None else {m: v + spread * PAIR for m, v in values.items()}
        found[seed] = Score(f"{name}{seed}", values, draws)
    return found


PAIR = np.array([-1.0, 1.0])
NO_GAIN = dict.fromkeys(METRICS, 0.0)


def a_table(
    name: str = "table2", scores: dict[str, Scores] | None = None, scale: str = "paper"
) -> Differences:
    """A table of the paper with made-up scores."""
    grid = grid_of(name, scale)
    frame = differences_frame(grid.rows(name), scores or {}, published_of(name))
    return Differences(name, frame, grid.layouts[name], NOTE)
