"""Data sets drawn from a population in which it is known how much better one method is.

Boxes of one category, none of which touches another, so that a detection's IoU is what it is drawn
to be. How well an object is found depends on the image and on the object, alike for all methods; on
what a method makes of the object, alike for all seeds; on the seed, alike for all objects; and on
chance. Two methods differ in nothing but their mean quality.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.evaluation.accumulate import Weights, of_category
from harness.evaluation.bootstrap import ImageDifference, compared, draws, replicated
from harness.evaluation.objects import Floats
from harness.evaluation.ranking import Truth, rankings, read_truth
from harness.records import EXTENDED_METRICS
from harness.statistics.difference import Difference, paired_difference

SIDE, APART = 40, 100  # of boxes, in pixels
OBJECTS, FALSE_ALARMS = 3.0, 1.5  # an image, on average
# Standard deviations of an object's quality; a quality of 0 is an IoU of 0.5, of 1 one of 0.73.
OF_IMAGE, OF_OBJECT, OF_METHOD, OF_CHANCE = 0.5, 0.8, 0.5, 0.2
MEANS = 1.0, 1.1  # of the two methods
OF_BASE, OF_SEED = 0.1, 0.05  # of what both methods of a seed share, and of each method's own
AP = EXTENDED_METRICS.index("AP")
Item = dict[str, Any]


@dataclass(frozen=True)
class Images:
    """A test set.

    Attributes:
        truth: as harness reads it.
        image, place: of each object, its image and which one it is there.
        quality: of each object, what all methods have in common.
    """

    truth: Truth
    image: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    quality: Floats


def draw_images(rng: np.random.Generator, number: int) -> Images:
    """A test set of `number` images."""
    image, place = _placed(rng.poisson(OBJECTS, number))
    quality = rng.normal(0, OF_IMAGE, number)[image] + rng.normal(0, OF_OBJECT, len(image))
    boxes = [[APART * p, 0, SIDE, SIDE] for p in place.tolist()]
    annotations = [
        {"id": i, "image_id": of, "category_id": 1, "iscrowd": 0, "area": SIDE**2, "bbox": box}
        for i, (of, box) in enumerate(zip(image.tolist(), boxes, strict=True))
    ]
    ground_truth = {
        "images": [{"id": i, "height": 480, "width": 640} for i in range(number)],
        "categories": [{"id": 1}],
        "annotations": annotations,
    }
    return Images(read_truth(ground_truth, "bbox"), image, place, quality)


def draw_method(rng: np.random.Generator, images: Images) -> Floats:
    """What a method makes of each object, whatever the seed."""
    return rng.normal(0, OF_METHOD, len(images.image))


def detect(rng: np.random.Generator, images: Images, method: Floats, mean: float) -> list[Item]:
    """The detections of one run of a method, as `harness.evaluation.results_file` reads them.

    Args:
        rng: of what is chance.
        images: the test set.
        method: from `draw_method`.
        mean: quality of the method and of this seed.
    """
    quality = mean + images.quality + method + rng.normal(0, OF_CHANCE, len(images.image))
    iou = 1 / (1 + np.exp(-quality))
    shift = SIDE * (1 - iou) / (1 + iou)
    wrong_in, wrong_place = _placed(rng.poisson(FALSE_ALARMS, images.truth.images))
    image = np.concatenate([images.image, wrong_in])
    x = APART * np.concatenate([images.place, wrong_place]) + np.append(shift, 0 * wrong_in)
    y = np.repeat([0, 200], [len(shift), len(wrong_in)])
    sure = np.concatenate([quality, rng.normal(-0.5, 1, len(wrong_in))])
    score = sure + rng.normal(0, 0.5, len(sure))
    return [
        {"image_id": i, "category_id": 1, "score": s, "bbox": [left, top, SIDE, SIDE]}
        for i, s, left, top in zip(
            image.tolist(), score.tolist(), x.tolist(), y.tolist(), strict=True
        )
    ]


def ap(
    rng: np.random.Generator, images: Images, method: Floats, mean: float, weights: Weights
) -> Floats:
    """`EXTENDED_METRICS` of one run on the images as they are, and then with each of `weights`."""
    found = rankings(images.truth, detect(rng, images, method, mean), ["bbox"])["bbox"]
    # APs, APm and APl are not looked at: a category without objects takes no time.
    sizes = [found[0], *(of_category(size, 1) for size in found[1:])]
    return replicated(sizes, weights)


def over_images(seed: int, images: int, replicates: int) -> ImageDifference:
    """Two runs of mean quality compared on a test set drawn from `seed`."""
    rng = np.random.default_rng(seed)
    test = draw_images(rng, images)
    weights = draws(images, replicates, seed)
    one, other = (ap(rng, test, draw_method(rng, test), mean, weights) for mean in MEANS)
    return compared(other - one, confidence=0.95).by_metric["AP"]


def over_seeds(
    seed: int, images: int, replicates: int, numbers: Sequence[int], of_seed: float = OF_SEED
) -> list[Difference]:
    """Two methods compared by so many seeds, for each of `numbers`; a few are the first of many."""
    rng = np.random.default_rng(seed)
    test = draw_images(rng, images)
    weights = draws(images, replicates, seed)
    methods = [(draw_method(rng, test), mean) for mean in MEANS]
    differences = []
    for base in rng.normal(0, OF_BASE, max(numbers)):
        one, other = (
            ap(rng, test, method, mean + base + rng.normal(0, of_seed), weights)
            for method, mean in methods
        )
        differences.append(other - one)
    of_runs = np.array(differences)[:, :, AP]
    return [paired_difference(of_runs[:n, 0], of_runs[:n, 1:]) for n in numbers]


def true_differences(images: int, seed: int, of_seed: float = OF_SEED) -> Floats:
    """The population's: of two runs of mean quality, and of the methods, the mean over all seeds.

    One test set stands for the population, on which the two methods share all that is chance. The
    mean is over a normal distribution, by three nodes of Gauss and Hermite.

    Returns:
        The two differences, and below them their standard errors: shape (2, 2).
    """
    rng = np.random.default_rng(seed)
    test = draw_images(rng, images)
    method = draw_method(rng, test)
    weights = draws(images, 20, seed)
    nodes, shares = np.polynomial.hermite_e.hermegauss(3)
    differences = []
    for away in math.hypot(OF_BASE, of_seed) * nodes:
        one, other = (
            ap(np.random.default_rng([seed, 1]), test, method, mean + away, weights)
            for mean in MEANS
        )
        differences.append(other - one)
    of_nodes = np.array(differences)[:, :, AP]
    means = np.array([of_nodes[1], shares @ of_nodes / shares.sum()])
    return np.stack([means[:, 0], means[:, 1:].std(axis=1, ddof=1)])


def _placed(counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """For so many in each image: the image of each, and which one it is there."""
    image = np.repeat(np.arange(len(counts)), counts)
    return image, np.arange(len(image)) - np.repeat(np.cumsum(counts) - counts, counts)
