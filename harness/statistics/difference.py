"""The difference between two methods and its interval: seeds and test images, the two noises of AP.

Another seed trains another network, and other test images give the same network another AP. With n
seeds the variance of the mean difference is

    V = S / n + B

S is the sample variance over seeds of the paired differences, method minus baseline of one seed. B
is the variance, over draws of the test images, of the mean difference of all seeds: each draw is
scored by every run, so that B does not shrink with n unless seeds disagree on which images are
hard. The interval is delta ± t √V. S / n has n - 1 degrees of freedom; B, of a thousand draws, is
as good as known; so t has those of Welch and Satterthwaite, V² (n - 1) / (S / n)².

**Shared noise.** Fine-tunes that share a base share what is good or bad about it. A method and its
baseline of one seed share one: what it adds to both leaves their difference, and S holds what is
left, which is why seeds are paired. It stays in their two APs, so these are never treated as
independent, and two differences from one baseline are not either: a table's rows are no repetitions
of each other. Only seeds are, since each has a base of its own.

**Limits.** Below `DECIDED_FROM` seeds no verdict is given. Intervals of 95% hold the truth less
often than that: S of few seeds is a poor estimate, and with it t's degrees of freedom. By
integration over the distribution of S, with n = 3 they hold it in 94.1% where B is as large as
S / n, in 92.2 to 93.2% where it is a 16th to a half of that, in 95% without B or without S; at
worst (B an eighth or so) in 92.2% with n = 3, 94.1% with n = 5, 94.7% with n = 8. B of few images
is a poor estimate too: on 120 images, where B was a seventh of S / n,
tests/benchmarks/bench_coverage.py counted 91.0 ± 0.6% with n = 3. What a seed does to some images
and not to others is counted twice, in S and in B; there that did not make up for it.

The half width √(t² S / n + z² B), t with n - 1 degrees of freedom and z of the normal distribution,
would hold the truth in 95.0 to 97.7% with n = 3 (95.0 to 96.5% with n = 5), by the same
integration: never too seldom, with intervals that are wider.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances
are involved", Biometrika 34 (1947); F. E. Satterthwaite, "An approximate distribution of estimates
of variance components", Biometrics Bulletin 2 (1946). That seeds and test data both count: X.
Bouthillier et al., "Accounting for variance in machine learning benchmarks", MLSys 2021.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes a second to load

DECIDED_FROM = 3  # seeds: with 2, t is 12.7, and an interval says next to nothing
FEWEST_REPLICATES = 2  # that have a variance


@dataclass(frozen=True)
class Difference:
    """A mean difference in AP points and what is known of its variance. NaN: no ground truth.

    Attributes:
        delta: mean over seeds of method minus baseline.
        n: how many seeds.
        seed_variance: of that mean, from the spread over seeds: S / n. NaN: unknown, of one seed.
        image_variance: of that mean, from the images drawn: B. NaN: unknown, no bootstrap. Seeds
            alone then make an interval that is too narrow to decide anything.
        confidence: of the interval.
        all_drawn: whether B is of all n seeds, where there is any.
    """

    delta: float
    n: int
    seed_variance: float
    image_variance: float
    confidence: float
    all_drawn: bool = True

    @property
    def counted(self) -> tuple[str, ...]:
        """The parts that are known and make up the interval: "seeds", "images", both or none."""
        parts = {"seeds": self.seed_variance, "images": self.image_variance}
        return tuple(name for name, variance in parts.items() if not math.isnan(variance))

    @property
    def std_error(self) -> float:
        """Square root of the sum of the parts that are counted; NaN where none is."""
        if not self.counted:
            return math.nan
        return math.sqrt(_known(self.seed_variance) + _known(self.image_variance))

    @property
    def degrees_of_freedom(self) -> float:
        """Those of t, by Welch and Satterthwaite; infinite where no spread over seeds counts.

        n - 1 where B is of fewer seeds: it is too large, and would bring t more of them than it
        should have, so many that the interval could become narrower.
        """
        if not self.all_drawn:
            return self.n - 1
        return degrees_of_freedom(_known(self.seed_variance), _known(self.image_variance), self.n)

    @property
    def low(self) -> float:
        """Lower end of the interval; NaN where nothing is known of the variance."""
        return self.delta - self._half_width

    @property
    def high(self) -> float:
        """Upper end of the interval; NaN where nothing is known of the variance."""
        return self.delta + self._half_width

    @property
    def _half_width(self) -> float:
        quantile = special.stdtrit(self.degrees_of_freedom, (1 + self.confidence) / 2)
        return float(quantile) * self.std_error


def paired_difference(
    deltas: Sequence[float],
    image_replicates: NDArray[np.float64] | None,
    confidence: float = 0.95,
) -> Difference:
    """The mean of `deltas` with the variance that seeds and images give it.

    All of it is NaN where a delta is: a metric without ground truth has no difference.

    Args:
        deltas: method minus baseline of each seed, in AP points.
        image_replicates: the same differences in draws of the images, shape (m, draws), of m of the
            seeds, 1 to n; a column is one draw, the same for every seed. Where m is below n, B is
            the variance of a mean over fewer seeds, which on average is that of n or more: a safe
            stand-in, as t then keeps n - 1 degrees of freedom. A draw without ground truth (NaN) is
            left out. None where nothing was drawn.
        confidence: of the interval, between 0 and 1.

    Raises:
        ValueError: there is no delta, `image_replicates` has no row, more rows than there are
            deltas or no two columns, or `confidence` is not between 0 and 1.
    """
    n = len(deltas)
    if n == 0:
        raise ValueError("deltas must hold one value per seed; got none")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence!r}")
    if image_replicates is not None:
        _check_replicates(image_replicates, n)
    if np.isnan(deltas).any():
        return Difference(math.nan, n, math.nan, math.nan, confidence)
    return Difference(
        delta=float(np.mean(deltas)),
        n=n,
        seed_variance=float(np.var(deltas, ddof=1)) / n if n > 1 else math.nan,
        image_variance=math.nan if image_replicates is None else _variance(image_replicates),
        confidence=confidence,
        all_drawn=image_replicates is None or len(image_replicates) == n,
    )


def degrees_of_freedom(seed_variance: float, image_variance: float, n: int) -> float:
    """Welch and Satterthwaite's, of a sum whose first part has n - 1 and whose second is known.

    Args:
        seed_variance: of the mean over seeds, S / n.
        image_variance: B.
        n: how many seeds; 1 only where `seed_variance` is 0.

    Returns:
        n - 1 or more; infinite where `seed_variance` is 0.
    """
    if seed_variance == 0:
        return math.inf
    ratio = 1 + image_variance / seed_variance  # V over S / n; its product cannot raise, ** can
    return ratio * ratio * (n - 1)


def _check_replicates(replicates: NDArray[np.float64], n: int) -> None:
    shape = replicates.shape
    if len(shape) != 2 or not 1 <= shape[0] <= n or shape[1] < FEWEST_REPLICATES:
        raise ValueError(
            f"image_replicates must have shape (1 to {n}, {FEWEST_REPLICATES} or more), at most a "
            f"row for each delta; got {shape}"
        )


def _variance(replicates: NDArray[np.float64]) -> float:
    """Over draws, of the mean over seeds; NaN where fewer than two draws have a ground truth."""
    means = replicates.mean(axis=0)
    means = means[~np.isnan(means)]
    return float(np.var(means, ddof=1)) if len(means) >= FEWEST_REPLICATES else math.nan


def _known(variance: float) -> float:
    return 0.0 if math.isnan(variance) else variance
