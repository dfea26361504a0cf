"""The paper's contour losses: torch in, torch out. Nothing here knows of a detector.

Two variants run the same equations: "paper" as printed, "sound" with the three repairs listed in
`variants.py`. The losses take both by name; the building blocks take the settings one by one.
"""

from harness.losses.binarize import soft_binarize
from harness.losses.contour import contour_response
from harness.losses.contour_loss import contour_loss
from harness.losses.ksdt import ksdt
from harness.losses.mse import mse_contour_loss, mse_edge_loss

__all__ = [
    "contour_loss",
    "contour_response",
    "ksdt",
    "mse_contour_loss",
    "mse_edge_loss",
    "soft_binarize",
]
