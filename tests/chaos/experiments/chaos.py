"""The grid of the fault campaign: runs of seconds, long enough to be hit again and again.

Published: nothing; this grid is compared with itself, disturbed and undisturbed.
Runs:      3 bases, 7 fine-tunes; one pair trains in two processes. CHAOS_ROWS=2: 1 base, 2 of them.
Cost:      two minutes on two cores where nothing disturbs it.
Command:   make chaos
"""

import os
from dataclasses import replace

from harness.grid import (
    NO_LOSS,
    Cell,
    Grid,
    Layout,
    RunSpec,
    Schedule,
    Setting,
    contour,
    finetune,
    mse_contour,
    mse_edge,
    table_grid,
)

NAME = "chaos"
LAYOUT = Layout(caption="Runs to be disturbed.", columns=("Method", "mAP"))
SCHEDULE = Schedule(base_lr=0.02, steps=(80, 110), max_iter=140, warmup_iters=10)
LOSSES = {
    "none": NO_LOSS,
    "contour": contour(k=2),
    "mse_edge": mse_edge(),
    "mse_contour": mse_contour(k=2),
}


ROWS = (
    ("R50", "none", 1),
    ("R50", "contour", 1),
    ("R50", "mse_edge", 1),
    ("R50", "mse_contour", 1),
    ("R101", "none", 1),
    ("R101", "contour", 1),
    ("R50", "contour", 2),
)


def run(setting: Setting, architecture: str, loss: str, num_gpus: int) -> RunSpec:
    spec = finetune(setting, f"mask_rcnn_{architecture}_FPN", LOSSES[loss])
    # Fewer lines than iterations: an interrupted training must end on a line all the same.
    every = 1 if architecture == "R50" else 3
    return replace(
        spec,
        schedule=SCHEDULE,
        total_batch_size=2,
        num_gpus=num_gpus,
        checkpoint_every=5 * every,
        log_every=every,
    )


def grid(setting: Setting) -> Grid:
    rows = ROWS[: int(os.environ.get("CHAOS_ROWS", len(ROWS)))]
    cells = [
        Cell(NAME, "{} {} x{}".format(*row), run(setting, *row), {"Method": row[1]}) for row in rows
    ]
    return table_grid(NAME, LAYOUT, cells)
