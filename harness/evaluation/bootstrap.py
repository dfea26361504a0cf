"""How far AP would differ on other images of the same kind: the paired bootstrap over images.

Images are drawn with replacement, as many as there are, and stand in a draw as often as they were
drawn. Two results files are scored on the same draws, so what is hard in an image is hard for both
and leaves the difference. Detections are matched once; a draw only weighs the images anew.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 6 and 13.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.evaluation.accumulate import Ranked, Weights, average_precision
from harness.evaluation.ground_truth import read_ground_truth
from harness.evaluation.objects import Floats
from harness.evaluation.ranking import COMPARES, rankings, read_truth
from harness.evaluation.results_file import read_results
from harness.records import EXTENDED_METRICS


@dataclass(frozen=True)
class ImageDifference:
    """The difference of one metric, second file minus first, in AP points.

    Attributes:
        delta: on the images as they are.
        low, high: the interval.
        std_error: standard deviation over the draws.
        replicates: the difference in each draw; NaN in one without ground truth for this metric.
    """

    delta: float
    low: float
    high: float
    std_error: float
    replicates: Floats


@dataclass(frozen=True)
class PairedBootstrap:
    """Two results files compared on the same draws of images.

    Attributes:
        by_metric: AP, AP50, AP75, APs, APm, APl, AP80 and AP90.
    """

    by_metric: Mapping[str, ImageDifference]

    @property
    def delta(self) -> float:
        """Of AP, as the four that follow."""
        return self.by_metric["AP"].delta

    @property
    def low(self) -> float:
        return self.by_metric["AP"].low

    @property
    def high(self) -> float:
        return self.by_metric["AP"].high

    @property
    def std_error(self) -> float:
        return self.by_metric["AP"].std_error

    @property
    def replicates(self) -> Floats:
        return self.by_metric["AP"].replicates


def paired_bootstrap(
    gt_json: str | Path,
    results_a: str | Path,
    results_b: str | Path,
    *,
    task: str = "segm",
    replicates: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedBootstrap:
    """The difference of two results files, b minus a, and how sure it is over images.

    The interval is the percentiles of the draws. It says nothing of training again: two trainings
    of one method differ too.

    Args:
        gt_json: annotations in COCO's format.
        results_a: detections in COCO's results format, for instance of a baseline.
        results_b: detections of what is compared with it.
        task: "segm" for masks, "bbox" for boxes, "boundary" for Boundary AP.
        replicates: draws of images, at least 2.
        seed: of the draws; the same seed draws the same images.
        confidence: of the interval, between 0 and 1.

    Raises:
        ValueError: an argument is not allowed.
        DataError: the ground truth cannot be evaluated against.
        ResultsError: the results are damaged, or do not belong to the ground truth.
    """
    if task not in COMPARES:
        raise ValueError(f"task must be one of {', '.join(COMPARES)}; got {task!r}")
    if replicates < 2:
        raise ValueError(f"replicates must be at least 2; got {replicates}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence}")
    ground_truth = read_ground_truth(Path(gt_json), COMPARES[task])
    truth = read_truth(ground_truth, COMPARES[task])
    weights = draws(truth.images, replicates, seed)
    one, other = (
        replicated(
            rankings(truth, read_results(Path(path), ground_truth, COMPARES[task]), [task])[task],
            weights,
        )
        for path in (results_a, results_b)
    )
    return compared(other - one, confidence)


def draws(images: int, replicates: int, seed: int) -> Weights:
    """How often each image stands in each draw, shape (replicates, images).

    From the raw numbers of the generator, which numpy keeps as they are in all its versions: what
    was drawn years ago can be compared with what is drawn now.
    """
    if not images:
        return np.zeros((replicates, 0), np.int32)
    numbers = np.random.PCG64(seed).random_raw((replicates, images))
    places = (numbers % np.uint64(images)).astype(np.int64)
    places += images * np.arange(replicates)[:, None]
    counts = np.bincount(places.ravel(), minlength=replicates * images)
    return counts.reshape(replicates, images).astype(np.int32)


def replicated(ranked: Sequence[Ranked], weights: Weights) -> Floats:
    """`EXTENDED_METRICS` on the images as they are, then in each draw: shape (1 + draws, 8)."""
    as_they_are = np.ones((1, weights.shape[1]), weights.dtype)
    return average_precision(ranked, np.concatenate([as_they_are, weights]))


def compared(differences: Floats, confidence: float) -> PairedBootstrap:
    """What `replicated` differences say.

    Args:
        differences: of `EXTENDED_METRICS`, on the images as they are and in each draw.
        confidence: of the intervals.
    """
    tail = (1 - confidence) / 2
    by_metric = {}
    for metric, column in zip(EXTENDED_METRICS, differences.T, strict=True):
        known = column[1:][~np.isnan(column[1:])]
        enough = len(known) > 1 and not np.isnan(column[0])
        low, high = np.quantile(known, [tail, 1 - tail]) if enough else (np.nan, np.nan)
        by_metric[metric] = ImageDifference(
            delta=float(column[0]),
            low=float(low),
            high=float(high),
            std_error=float(known.std(ddof=1)) if enough else float("nan"),
            replicates=column[1:],
        )
    return PairedBootstrap(by_metric)
