"""Run folders in, committed metrics and tidy frames out; no torch."""

from harness.collect.collect import collect
from harness.collect.frame import cells_frame

__all__ = ["cells_frame", "collect"]
