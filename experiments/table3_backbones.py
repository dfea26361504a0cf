"""Table III: contour loss on three backbones and on Hybrid Task Cascade.

Published: mAP from 34.28 to 34.54 (R50), 35.79 to 35.96 (R101), 38.16 to 38.29 (X101) and
           37.7 to 37.9 (HTC) (section IV-E).
Runs:      4 bases, 8 fine-tunes; the R50 rows are also Tables I's and II's.
Cost:      harness plan table3
Command:   harness submit table3 --site NAME        (demo scale: add --scale demo --site local)
"""

from harness.grid import NO_LOSS, Cell, Grid, Layout, Setting, contour, finetune, table_grid

NAME = "table3"
LAYOUT = Layout(
    caption="Performance comparison of different instance segmentation algorithms (%). "
    "CL is contour loss.",
    columns=("Method", "Backbone", "CL", "mAP", "AP50", "AP75", "APs", "APm", "APl"),
    note="HTC: trained on COCO 2017 train (115K images), reported on COCO 2017 val (5K images).",
    published=True,
)
K = 2  # IV-C: "We set k to 2 in the following experiments."

ROWS = {
    "R50": ("mask_rcnn_R50_FPN", "Mask R-CNN", "Res-50+FPN"),
    "R101": ("mask_rcnn_R101_FPN", "Mask R-CNN", "Res-101+FPN"),
    "X101": ("mask_rcnn_X101_FPN", "Mask R-CNN", "Res-X-101"),
    "HTC": ("htc_R50_FPN", "HTC", "Res-50+FPN"),
}


def grid(setting: Setting) -> Grid:
    cells = []
    for row, (architecture, method, backbone) in ROWS.items():
        for name, mark, loss in ((row, "×", NO_LOSS), (f"{row}+contour", "✓", contour(k=K))):
            labels = {"Method": method, "Backbone": backbone, "CL": mark}
            cells.append(Cell(NAME, name, finetune(setting, architecture, loss), labels))
    return table_grid(NAME, LAYOUT, cells)
