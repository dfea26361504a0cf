"""Power: how large a difference n seeds can tell from none, and how many seeds a difference takes.

A difference is detected where its interval (`harness.statistics.difference`) lies on the right side
of 0. With a true difference D that has probability P(T > t), T noncentral t with noncentrality
D / √V and t the quantile of the interval, both with Welch's and Satterthwaite's degrees of freedom.
Without an image part this is the power of the paired t-test, exactly. With one it is approximate,
since S of few seeds moves those degrees of freedom: what is said to be 80% is at worst 77.0% with
n = 3 and 79.1% with n = 5, by integration over the distribution of S. There a small image part may
even make a difference easier to detect, as t has more degrees of freedom.

Paired t-test: J. Cohen, "Statistical power analysis for the behavioral sciences", 2nd ed., 1988.
"""

import math
from dataclasses import dataclass

from scipy import optimize, special

from harness.statistics.difference import DECIDED_FROM, degrees_of_freedom

LEVEL = 0.05  # of a two-sided test: an interval of 95%
POWER = 0.8
MOST_SEEDS = 64  # that are looked at
FEWEST_SEEDS = 2  # that have a spread


@dataclass(frozen=True)
class Noise:
    """Standard deviations of a paired difference, in AP points.

    Attributes:
        seed_std: between seeds, of the difference of one pair of runs.
        image_std: of the mean difference, from the images drawn; does not shrink with the number
            of seeds. 0 where it is not counted.

    Raises:
        ValueError: `seed_std` is not positive, `image_std` is negative, or one is not finite.
    """

    seed_std: float
    image_std: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.seed_std < math.inf:
            raise ValueError(f"seed_std must be positive and finite; got {self.seed_std!r}")
        if not 0 <= self.image_std < math.inf:
            raise ValueError(f"image_std must be 0 or more and finite; got {self.image_std!r}")


def detection_power(noise: Noise, n: int, difference: float, *, level: float = LEVEL) -> float:
    """The probability that n seeds detect a difference, in its direction.

    Args:
        noise: of a paired difference.
        n: how many seeds, at least 2.
        difference: the true one in AP points, 0 or more.
        level: probability that a difference of 0 is called one, in either direction.

    Raises:
        ValueError: `n` is below 2.
    """
    std_error, degrees = _sampling(noise, n)
    quantile = special.stdtrit(degrees, 1 - level / 2)
    shift = difference / std_error
    missed = float(special.nctdtr(degrees, shift, quantile))
    # So far above the quantile that it underflows: nothing is missed.
    return 1.0 if math.isnan(missed) and not math.isnan(shift) else 1 - missed


def smallest_detectable(
    noise: Noise, n: int, *, level: float = LEVEL, power: float = POWER
) -> float:
    """The true difference, in AP points, that n seeds detect with probability `power`.

    Args:
        noise: of a paired difference.
        n: how many seeds, at least 2.
        level: as in `detection_power`.
        power: above `level` and below 1.

    Raises:
        ValueError: `n` is below 2, or `power` is not between `level` and 1.
    """
    if not level < power < 1:
        raise ValueError(f"power must be between level={level!r} and 1; got {power!r}")
    high, _ = _sampling(noise, n)
    while detection_power(noise, n, high, level=level) < power:
        high *= 2

    def beyond(difference: float) -> float:
        return detection_power(noise, n, difference, level=level) - power

    return float(optimize.brentq(beyond, 0.0, high))


def seeds_needed(
    noise: Noise,
    difference: float,
    *,
    level: float = LEVEL,
    power: float = POWER,
    most: int = MOST_SEEDS,
) -> int | None:
    """The fewest seeds that give a verdict and detect a difference with probability `power`.

    Args:
        noise: of a paired difference.
        difference: the true one in AP points, 0 or more.
        level: as in `detection_power`.
        power: as in `smallest_detectable`.
        most: seeds up to which is searched.

    Returns:
        `DECIDED_FROM` or more; None where `most` are too few, or the image part alone forbids it.
    """
    for n in range(DECIDED_FROM, most + 1):
        if detection_power(noise, n, difference, level=level) >= power:
            return n
    return None


def smallest_by_images(noise: Noise, *, level: float = LEVEL, power: float = POWER) -> float:
    """What no number of seeds can go below: `smallest_detectable` of infinitely many, AP points.

    Args:
        noise: of a paired difference; 0 comes back where its image part is not counted.
        level: as in `detection_power`.
        power: as in `smallest_detectable`.
    """
    return noise.image_std * float(special.ndtri(1 - level / 2) + special.ndtri(power))


def _sampling(noise: Noise, n: int) -> tuple[float, float]:
    """Standard error and degrees of freedom of the mean difference of n seeds."""
    if n < FEWEST_SEEDS:
        raise ValueError(f"n must be {FEWEST_SEEDS} or more; got {n!r}")
    seeds, images = noise.seed_std**2 / n, noise.image_std**2
    return math.sqrt(seeds + images), degrees_of_freedom(seeds, images, n)
