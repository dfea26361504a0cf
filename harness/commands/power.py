"""`harness plan --power`: the noise that it reckons with, and what a plan's seeds can settle."""

import math

from harness.errors import SpecError
from harness.grid import Grid
from harness.grid.plan import Plan
from harness.statistics.power import Noise
from harness.statistics.power_report import Power, power_report

# AP points between runs that differ in their seed alone. On COCO mmdetection's maintainers call
# gaps below 0.2 (issue 3624) and below 0.3 (issue 3496) usual, an author of Mask2Former ±0.2 (issue
# 46). As a standard deviation that is on the safe side: two runs are 1.13 of them apart on average.
SEED_STD = 0.25
UNMEASURED_NOISE = 0.35  # of a difference of two such runs that share nothing: √2 times as much


def plan_power(planned: Plan, grid: Grid, noise: float | None) -> Power:
    """What the seeds of a plan can settle.

    Args:
        planned: the plan of `grid`.
        grid: may hold several seeds; the GPU-hours told are those of one.
        noise: standard deviation between seeds of a paired difference, in AP points; None where
            the user states none.

    Raises:
        SpecError: `noise` is not a positive number.
    """
    seeds = {spec.seed for spec in grid.runs.values()}
    hours = planned.gpu_hours.plan / len(seeds)
    if noise is None:
        return power_report(Noise(UNMEASURED_NOISE), _UNMEASURED, hours)
    if not 0 < noise < math.inf:
        raise SpecError(
            f"--noise is {noise:g}, but a standard deviation is above 0 and finite. Give one in AP "
            "points, as --noise 0.35, or leave it out."
        )
    return power_report(Noise(noise), "Stated with --noise, not measured.", hours)


_UNMEASURED = (
    f"Stated, not measured: {SEED_STD:g} AP between two runs that differ in their seed alone, as "
    "maintainers of public code tell it of COCO, times √2 for a difference of two. Two runs of one "
    "seed share their base, so that the real one may be smaller."
)
