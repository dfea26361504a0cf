"""The command that trains some runs of a grid, those that it names and no others."""

import shlex
from collections.abc import Sequence

from harness.grid import Grid
from harness.grid.grid import SEED_MARK


def to_train(grid: Grid, run_ids: Sequence[str]) -> str:
    """`harness submit ...`, for this machine; "" without runs.

    Args:
        grid: the runs that are known.
        run_ids: of those to train. Others of the same experiments and seeds that are not done are
            trained by it too.
    """
    if not run_ids:
        return ""
    spec = grid.runs[run_ids[0]]
    parts = ["harness", "submit", *_experiments(grid, run_ids), "--site", "local"]
    seeds = sorted({grid.runs[run_id].seed for run_id in run_ids})
    if seeds != [0]:
        parts += ["--seeds", str(seeds[-1] + 1)]
    if seeds != list(range(seeds[-1] + 1)):  # those between were not asked for
        parts += [part for seed in seeds for part in ("--only", f"*{SEED_MARK}{seed}")]
    parts += ["--scale", spec.scale]
    if spec.train_split.startswith("own_"):
        parts += ["--data", str(spec.data_dir)]
    return shlex.join(parts)


def _experiments(grid: Grid, run_ids: Sequence[str]) -> list[str]:
    """Those to be named: none where all runs are reached without."""
    named = dict.fromkeys(name for one in run_ids for name in grid.to_be_named(one))
    if not named:
        return []
    by_default = [name for name in grid.layouts if name not in grid.on_request]
    reached = any(not grid.to_be_named(run_id) for run_id in run_ids)
    return [*(by_default if reached else ()), *named]
