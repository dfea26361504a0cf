"""Table I once more, with contour losses whose distance image counts pixels: variant "sound".

Published: nothing; the paper has these rows with the formulas as printed (table1_k_sweep.py).
Runs:      6 fine-tunes (60K iterations each); the base and the baseline are Table I's.
Cost:      harness plan table1_sound
Command:   harness submit table1_sound --site NAME  (demo scale: add --scale demo --site local)

In the literal formulas k >= 3 computes almost the same loss as k = 2. Here k truncates the distance
at k + 1 pixels, so these rows tell whether k matters where it does what the text says.
"""

from harness.grid import NO_LOSS, Cell, Grid, Layout, Setting, contour, finetune, table_grid

NAME = "table1_sound"
ON_REQUEST = True  # six fine-tunes that the paper does not have
LAYOUT = Layout(
    caption='Table I with the loss in variant "sound", whose distance image counts pixels: the '
    "impact of different values of k on mask accuracy (%). Not in the paper.",
    columns=("Method", "mAP", "AP50", "AP75", "APs", "APm", "APl", "k"),
)
BACKBONE = "mask_rcnn_R50_FPN"  # as Table I: so base and baseline are the same runs
K_VALUES = (1, 2, 3, 4, 5, 6)  # as Table I


def grid(setting: Setting) -> Grid:
    baseline = Cell(
        NAME, "baseline", finetune(setting, BACKBONE, NO_LOSS), {"Method": "baseline", "k": "–"}
    )
    sweep = [
        Cell(
            NAME,
            f"k={k}",
            finetune(setting, BACKBONE, contour(k=k, variant="sound")),
            {"Method": "Contour loss, sound", "k": str(k)},
        )
        for k in K_VALUES
    ]
    return table_grid(NAME, LAYOUT, [baseline, *sweep])
