"""`harness plan --power`: the noise that it reckons with, and what a plan's seeds can settle."""

import math

from harness.collect.noise import MeasuredNoise, measured_noise
from harness.errors import SpecError
from harness.grid import Grid
from harness.grid.plan import Plan
from harness.statistics.power import Noise
from harness.statistics.power_report import Power, power_report
from harness.workplace import Workplace

# AP points between runs that differ in their seed alone. On COCO mmdetection's maintainers call
# gaps below 0.2 (issue 3624) and below 0.3 (issue 3496) usual, an author of Mask2Former ±0.2 (issue
# 46). As a standard deviation that is on the safe side: two runs are 1.13 of them apart on average.
SEED_STD = 0.25
UNMEASURED_NOISE = 0.35  # of a difference of two such runs that share nothing: √2 times as much


def plan_power(planned: Plan, grid: Grid, stated: float | None, place: Workplace) -> Power:
    """What the seeds of a plan can settle.

    Args:
        planned: the plan of `grid`.
        grid: may hold several seeds; the GPU-hours told are those of one.
        stated: standard deviation between seeds of a paired difference, in AP points; None where
            the user states none.
        place: whose results, where there are any, tell the noise.

    Raises:
        SpecError: `stated` is not a positive number.
        ResultsError: a file of the results is damaged.
    """
    if stated is not None and not 0 < stated < math.inf:
        raise SpecError(
            f"--noise is {stated:g}, but a standard deviation is above 0 and finite. Give one in "
            "AP points, as --noise 0.35, or leave it out."
        )
    hours = planned.gpu_hours.plan / len(grid.seeds)
    measured = measured_noise(place.known_grid(), place.results)
    by_seeds, seed_source = _seed_noise(stated, measured)
    by_images, image_source = _image_noise(measured)
    return power_report(Noise(by_seeds, by_images), seed_source, image_source, hours)


def _seed_noise(stated: float | None, measured: MeasuredNoise) -> tuple[float, str]:
    """The standard deviation between seeds, and where it is from."""
    if stated is not None:
        return stated, "Stated with --noise, not measured."
    if measured.seed_std > 0:
        return measured.seed_std, (
            f"Measured on the runs collected: {measured.pairs} pairs of rows, with up to "
            f"{measured.seeds} seeds."
        )
    return UNMEASURED_NOISE, _UNMEASURED


def _image_noise(measured: MeasuredNoise) -> tuple[float, str]:
    """The standard deviation from the images drawn, 0 where nothing was, and where it is from."""
    if math.isnan(measured.image_std):
        return 0.0, "Not counted, for no run collected was scored in draws of the test images."
    return measured.image_std, (
        "Measured on the draws of the test images in which the runs collected were scored."
    )


_UNMEASURED = (
    f"Stated, not measured: {SEED_STD:g} AP between two runs that differ in their seed alone, as "
    "maintainers of public code tell it of COCO, times √2 for a difference of two. Two runs of one "
    "seed share their base, so that the real one may be smaller."
)
