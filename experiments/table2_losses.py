"""Table II: contour loss against the MSE edge loss and the MSE contour loss.

Published: mAP 34.28 baseline, 34.33 MSE edge, 34.42 MSE contour, 34.54 contour (section IV-D).
Runs:      1 base, 4 fine-tunes; the base, the baseline and the contour loss are also Table I's.
Cost:      harness plan table2
Command:   harness submit table2 --site NAME        (demo scale: add --scale demo --site local)
"""

from harness.grid import (
    NO_LOSS,
    Cell,
    Grid,
    Layout,
    Setting,
    contour,
    finetune,
    mse_contour,
    mse_edge,
    table_grid,
)

NAME = "table2"
LAYOUT = Layout(
    caption="Performance comparison of different loss functions (%).",
    columns=("Method", "mAP", "AP50", "AP75", "APs", "APm", "APl"),
    emphasis=True,
    note="The highest value in each column is shown in bold, and the second highest is underlined.",
    published=True,
)
BACKBONE = "mask_rcnn_R50_FPN"  # IV-B
K = 2  # IV-C: "We set k to 2 in the following experiments."

ROWS = {
    "baseline": ("baseline", NO_LOSS),
    "mse_edge": ("MSE edge loss", mse_edge()),
    "mse_contour": ("MSE contour loss", mse_contour(k=K)),
    "contour": ("Contour loss", contour(k=K)),
}


def grid(setting: Setting) -> Grid:
    cells = [
        Cell(NAME, row, finetune(setting, BACKBONE, loss), {"Method": method})
        for row, (method, loss) in ROWS.items()
    ]
    return table_grid(NAME, LAYOUT, cells)
