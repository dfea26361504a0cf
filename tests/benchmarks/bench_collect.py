"""Seconds for collecting 10,000 metrics files and rebuilding a table. Aim: under 3 s.

The first collection creates 10,000 files, which may take a disk longer than all else here.

Command:   PYTHONPATH=. python tests/benchmarks/bench_collect.py
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from harness.collect import collect
from harness.grid import Cell, Grid, Layout, Setting, contour, finetune, table_grid
from harness.grid.spec import identity_of
from harness.paths import ResultsFolder, RunsFolder
from harness.rebuild import table_text
from harness.records import METRICS, TASKS, Metrics, write_metrics

FILES = 10_000
ROWS = 8
LAYOUT = Layout("Benchmark.", ("Method", "mAP", "AP50", "AP75", "APs", "APm", "APl"))


def main() -> None:
    """Print one line for each thing measured."""
    with tempfile.TemporaryDirectory() as folder:
        runs, results = RunsFolder(Path(folder, "runs")), ResultsFolder(Path(folder, "results"))
        grid = _grid(FILES // 2)  # each fine-tune has a base of its own
        write_runs(grid, runs)
        table = replace(grid, cells=grid.cells[:ROWS])

        print(f"{len(grid.runs):,} metrics files: seconds")
        for name in ("first collection", "nothing new"):
            start = time.perf_counter()
            new = collect(grid, runs, results)
            collected = time.perf_counter()
            table_text(table, "bench", results, Path(folder), format="html")
            rebuilt = time.perf_counter()
            print(
                f"  {name:<16}  {len(new):>6,} new  collect {collected - start:5.2f}"
                f"  table {rebuilt - collected:5.2f}  together {rebuilt - start:5.2f}"
            )


def _grid(rows: int) -> Grid:
    specs = (
        finetune(Setting(scale="demo", seed=seed), "mask_rcnn_R50_FPN", contour())
        for seed in range(rows)
    )
    return table_grid(
        "bench",
        LAYOUT,
        [
            Cell("bench", str(row), spec, {"Method": "Contour loss"})
            for row, spec in enumerate(specs)
        ],
    )


def write_runs(grid: Grid, runs: RunsFolder) -> None:
    """A made-up metrics.json for each run."""
    for run_id, spec in grid.runs.items():
        scores = {task: dict.fromkeys(METRICS, 34.281572) for task in TASKS}
        write_metrics(
            runs.run(run_id).metrics,
            Metrics(
                run_id=run_id,
                parent=None,
                spec=identity_of(spec),
                ap={} if spec.stage == "base" else scores,
                annotations={"shapes_train": "0" * 64, "shapes_val": "1" * 64},
                order_hash="2" * 64,
                evaluator="pycocotools 2.0.10",
                environment={"commit": "3" * 40, "torch": "2.14.1", "python": "3.11.2"},
                gpu_hours=0.1,
            ),
        )


if __name__ == "__main__":
    main()
