"""What a grid's seeds can settle, and at what cost: what `harness plan --power` tells, as data."""

from dataclasses import asdict, dataclass
from typing import Any

from harness.statistics.power import (
    LEVEL,
    MOST_SEEDS,
    POWER,
    Noise,
    seeds_needed,
    smallest_by_images,
    smallest_detectable,
)

SEEDS = (3, 5, 8, 10, 20)
DIFFERENCES = (0.1, 0.2, 0.3)  # AP points: the gains that the paper reports


@dataclass(frozen=True)
class Detectable:
    """The smallest difference in AP points that this many seeds detect."""

    seeds: int
    difference: float


@dataclass(frozen=True)
class Needed:
    """What it takes to settle a difference.

    Attributes:
        difference: in AP points.
        seeds: the fewest that do; None where no number up to the report's `most_seeds` does.
        gpu_hours: of the whole grid with so many seeds; None where there is no such number.
    """

    difference: float
    seeds: int | None
    gpu_hours: float | None


@dataclass(frozen=True)
class Power:
    """What can be told at `level` with probability `power`.

    Attributes:
        noise: of a paired difference.
        seed_source, image_source: where the two parts of `noise` are from, a sentence each.
        level: of a two-sided test.
        power: the probability of a detection.
        most_seeds: up to which `needed` was searched.
        smallest_by_images: in AP points, what no number of seeds goes below; 0 where images are not
            counted.
        gpu_hours_per_seed: of the whole grid.
        detectable: by number of seeds.
        needed: by difference.
    """

    noise: Noise
    seed_source: str
    image_source: str
    level: float
    power: float
    most_seeds: int
    smallest_by_images: float
    gpu_hours_per_seed: float
    detectable: tuple[Detectable, ...]
    needed: tuple[Needed, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def power_report(
    noise: Noise, seed_source: str, image_source: str, gpu_hours_per_seed: float
) -> Power:
    """What `SEEDS` can detect and what `DIFFERENCES` take, at the usual 5% and 80%.

    Args:
        noise: of a paired difference.
        seed_source: where its part of the seeds is from, a sentence for people.
        image_source: the same of its part of the images.
        gpu_hours_per_seed: of the whole grid.
    """
    return Power(
        noise=noise,
        seed_source=seed_source,
        image_source=image_source,
        level=LEVEL,
        power=POWER,
        most_seeds=MOST_SEEDS,
        smallest_by_images=smallest_by_images(noise),
        gpu_hours_per_seed=gpu_hours_per_seed,
        detectable=tuple(Detectable(n, smallest_detectable(noise, n)) for n in SEEDS),
        needed=tuple(_needed(noise, one, gpu_hours_per_seed) for one in DIFFERENCES),
    )


def _needed(noise: Noise, difference: float, gpu_hours_per_seed: float) -> Needed:
    seeds = seeds_needed(noise, difference)
    return Needed(difference, seeds, None if seeds is None else seeds * gpu_hours_per_seed)
