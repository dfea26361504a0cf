"""Training curves from run folders: each loss term over the iterations."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.grid import RunSpec
from harness.paths import RunPaths

LOSS = "loss"  # begins the name of every term, and ends the total's
MOST_POINTS = 120  # of a curve: more than a small picture of it can show


def training_curves(spec: RunSpec, paths: RunPaths) -> pd.DataFrame:
    """The loss terms of a run, the mean of as many neighbouring iterations as give 120 points.

    Args:
        spec: of the run.
        paths: of its folder.

    Returns:
        A column for each term, "total_loss" first, indexed by the last iteration of each mean,
        counted from the base's first. Empty where the run has logged nothing, or its folder is not
        here. Lines that a killed process cut short are left out, and losses that are no
        number: a curve ends where a training diverged.
    """
    sums: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    last: dict[int, int] = {}
    span = max(1, -(-(spec.last_iteration - spec.first_iteration) // MOST_POINTS))
    for logged in _logged(paths):
        iteration = int(logged["iteration"])
        point = max(0, iteration - spec.first_iteration - 1) // span
        last[point] = max(iteration, last.get(point, 0))
        for name, value in logged.items():
            if LOSS in name and isinstance(value, int | float) and math.isfinite(value):
                sums[point][name].append(float(value))
    points = sorted(sums)
    frame = pd.DataFrame(
        [{name: sum(vs) / len(vs) for name, vs in sums[point].items()} for point in points],
        index=pd.Index([last[point] for point in points], name="iteration"),
    )
    return frame[sorted(frame.columns, key=lambda name: (name != "total_loss", name))]


def _logged(paths: RunPaths) -> Iterator[dict[str, Any]]:
    try:
        lines = paths.metrics_log.read_bytes().splitlines()
    except OSError:  # not there, or a colleague's
        return
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and type(value.get("iteration")) is int:
            yield value
