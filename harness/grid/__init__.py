"""What to run: specs, grids, plans. The standard library only, so that a login node can plan."""

from harness.grid.grid import Cell, Grid, Layout, merge, table_grid
from harness.grid.losses import NO_LOSS, Loss, contour, mse_contour, mse_edge
from harness.grid.recipes import Setting, finetune, scaled
from harness.grid.spec import RunSpec, Schedule, base_of

__all__ = [
    "NO_LOSS",
    "Cell",
    "Grid",
    "Layout",
    "Loss",
    "RunSpec",
    "Schedule",
    "Setting",
    "base_of",
    "contour",
    "finetune",
    "merge",
    "mse_contour",
    "mse_edge",
    "scaled",
    "table_grid",
]
