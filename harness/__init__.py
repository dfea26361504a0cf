"""harness: grids of segmentation runs, trained once each and rebuilt into the paper's tables."""

__version__ = "0.1.0"
