"""Table I: the impact of k on mask accuracy.

Published: baseline 34.28 mAP; k = 1..6 between 34.18 and 34.54, best at k = 2 (section IV-C).
Runs:      1 base (R50, 120K iterations), 7 fine-tunes (60K iterations each).
Cost:      harness plan table1
Command:   harness submit table1 --site NAME        (demo scale: add --scale demo --site local)

In the paper's literal formulas k >= 3 computes almost the same loss as k = 2, so differences among
these rows are mostly run-to-run noise. table1_sound.py has the rows of the other variant.
"""

from harness.grid import NO_LOSS, Cell, Grid, Layout, Setting, contour, finetune, table_grid

NAME = "table1"
LAYOUT = Layout(
    caption="The impact of different values of k on mask accuracy (%).",
    columns=("Method", "mAP", "AP50", "AP75", "APs", "APm", "APl", "k"),
    published=True,
)
BACKBONE = "mask_rcnn_R50_FPN"  # IV-B: Res-50+FPN is the default
K_VALUES = (1, 2, 3, 4, 5, 6)  # IV-C


def grid(setting: Setting) -> Grid:
    baseline = Cell(
        NAME, "baseline", finetune(setting, BACKBONE, NO_LOSS), {"Method": "baseline", "k": "–"}
    )
    sweep = [
        Cell(
            NAME,
            f"k={k}",
            finetune(setting, BACKBONE, contour(k=k)),
            {"Method": "Contour loss", "k": str(k)},
        )
        for k in K_VALUES
    ]
    return table_grid(NAME, LAYOUT, [baseline, *sweep])
