"""Run folders in, committed metrics and tidy frames out; no torch."""

from harness.collect.collect import collect
from harness.collect.frame import cells_frame
from harness.collect.scores import row_scores

__all__ = ["cells_frame", "collect", "row_scores"]
