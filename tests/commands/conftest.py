from dataclasses import replace

import numpy as np
import pytest

from harness.grid.spec import identity_of
from harness.records import EXTENDED_METRICS, METRICS, Metrics, write_metrics
from harness.replicates import REPLICATED_TASKS, Replicates, write_replicates
from harness.workplace import workplace


@pytest.fixture
def place(tmp_path):
    """The demo's, with runs and results in an empty folder."""
    here = workplace("demo", None, tmp_path / "runs")
    results = replace(here.results, folder=tmp_path / "results")
    return replace(here, results=results)


@pytest.fixture
def score(place):
    """A function that gives a row its AP, one for each seed, and four draws of images."""

    def leave(row, *values, draws=(-0.2, 0.2, -0.2, 0.2)):
        grid = place.grid(["table1", "table3"], seeds=len(values))
        for cell in grid.cells:
            if cell.name != row:
                continue
            spec, value = cell.spec, values[cell.spec.seed]
            ap = dict.fromkeys(EXTENDED_METRICS, value)
            write_metrics(
                place.results.metrics(spec.run_id),
                Metrics(
                    run_id=spec.run_id,
                    parent=None,
                    spec=identity_of(spec),
                    ap={"segm": dict.fromkeys(METRICS, value)},
                    annotations={"shapes_val": "a" * 64},
                    order_hash="b" * 64,
                    evaluator="pycocotools 2.0.11",
                    environment={},
                    gpu_hours=0.1,
                ),
            )
            drawn = dict.fromkeys(ap, tuple(np.add(value, draws).tolist()))
            replicates = Replicates(
                run_id=spec.run_id,
                annotations="a" * 64,
                results="c" * 64,
                drawn="d" * 64,
                evaluator="harness 0.1.0",
                ap=dict.fromkeys(REPLICATED_TASKS, ap),
                draws=dict.fromkeys(REPLICATED_TASKS, drawn),
            )
            write_replicates(place.results.replicates(spec.run_id), replicates)

    return leave
