"""Intervals and tests of mean errors: over test images, over seeds, and over both.

Two things vary. Another test set of the same kind would hold other images (and, where subjects are
known, other subjects: images of one person are no independent evidence); another seed would train
another network. Each gets its own interval, and a claim about methods has to hold under both.
Everything is seeded: the same predictions give the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

LEVEL = 0.95
RESAMPLES = 4000
FLIPS = 9999
SEED = 20191114


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval of level `LEVEL`."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside; False where the limits are not known."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Clusters:
    """Values summed by cluster: what is drawn together when images are drawn anew.

    sums float (C,), counts int (C,): of each cluster's values.
    """

    sums: np.ndarray
    counts: np.ndarray

    @property
    def mean(self) -> float:
        """Over all values."""
        return float(self.sums.sum() / self.counts.sum())


def clustered(values: np.ndarray, clusters: np.ndarray | None = None) -> Clusters:
    """Sum values (N,) by the names of their clusters (N,); each its own where there are none."""
    values = np.asarray(values, float)
    if clusters is None:
        return Clusters(values, np.ones(len(values), int))
    _, member = np.unique(np.asarray(clusters).astype(str), return_inverse=True)
    return Clusters(np.bincount(member, values), np.bincount(member))


def bootstrap(values: Clusters, resamples: int = RESAMPLES) -> Interval:
    """BCa bootstrap interval of the mean (Efron 1987), clusters drawn with replacement.

    The acceleration comes from leaving out one cluster at a time. A mean that does not vary has an
    interval of no width.
    """
    rng = np.random.default_rng(SEED)
    many, estimate = len(values.sums), values.mean
    means = np.empty(resamples)
    for number in range(resamples):
        drawn = rng.integers(0, many, many)
        means[number] = values.sums[drawn].sum() / values.counts[drawn].sum()
    # equal but for rounding
    if np.ptp(means) <= 1e-12 * np.abs(values.sums).max():
        return Interval(estimate, estimate, estimate)
    without = (values.sums.sum() - values.sums) / (values.counts.sum() - values.counts)
    return Interval(estimate, *bca(estimate, means, without))


def of_share(values: Clusters, resamples: int = RESAMPLES) -> Interval:
    """`bootstrap` of a share; where it is 0 or 1 and so in each draw, the limit is that of
    `never_seen` for the clusters."""
    found = bootstrap(values, resamples)
    return found if found.low < found.high else never_seen(found.estimate, len(values.sums))


def never_seen(share: float, units: int) -> Interval:
    """Exact interval (Clopper and Pearson 1934) of a share of independent units that is 0 or 1, the
    limit about 3.7 / units away; NaN limits for another share."""
    limit = ((1 - LEVEL) / 2) ** (1 / units)
    low, high = {0.0: (0.0, 1 - limit), 1.0: (limit, 1.0)}.get(share, (np.nan, np.nan))
    return Interval(share, low, high)


def bca(estimate: float, resamples: np.ndarray, without: np.ndarray) -> tuple[float, float]:
    """Limits of the BCa interval (Efron 1987) of any number, from its resamples (R,) and its values
    without one cluster at a time (C,); neither may be all equal."""
    away = without.mean() - without
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    # ties count half, as where errors are whole years they are common
    below = (resamples < estimate).mean() + (resamples == estimate).mean() / 2
    bias = norm.ppf(np.clip(below, 1 / len(resamples), 1 - 1 / len(resamples)))
    tails = bias + norm.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    shares = norm.cdf(bias + tails / (1 - acceleration * tails))
    low, high = np.quantile(resamples, shares)
    return float(low), float(high)


def sign_flip_p(differences: Clusters, flips: int = FLIPS) -> float:
    """Two-sided p value of a paired permutation test that a mean difference is 0.

    Under the null hypothesis the two methods may be exchanged on every cluster, which turns the
    sign of its differences. The observed arrangement counts as one of the permutations (Phipson
    and Smyth 2010), so that p is never 0.
    """
    rng = np.random.default_rng(SEED)
    observed, reached = abs(differences.sums.sum()), 1
    # what differs by rounding alone is equal
    limit = observed - 1e-9 * np.abs(differences.sums).sum()
    for _ in range(flips):
        signs = rng.integers(0, 2, len(differences.sums), dtype=np.int8).astype(bool)
        reached += abs(differences.sums.sum() - 2 * differences.sums[signs].sum()) >= limit
    return float(reached / (flips + 1))


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p values (Holm 1979), float (M,): they control the chance of any false
    claim among the M."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    out = np.empty(len(p))
    out[order] = np.minimum(adjusted, 1)
    return out


def seed_interval(ours: np.ndarray, theirs: np.ndarray) -> Interval | None:
    """Welch interval of the difference of two means over seeds, each (S,), on these test images;
    None where either has one seed."""
    if min(len(ours), len(theirs)) < 2:
        return None
    estimate = float(np.mean(ours) - np.mean(theirs))
    parts = [(np.var(seeds, ddof=1) / len(seeds), len(seeds) - 1) for seeds in (ours, theirs)]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return Interval(estimate, estimate, estimate)
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    half = float(t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance))
    return Interval(estimate, estimate - half, estimate + half)


def mean_interval(values: np.ndarray) -> Interval | None:
    """Student's t interval of a mean over seeds (S,), on these test images; None of one seed."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return None
    estimate, spread = float(values.mean()), float(values.std(ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * spread / np.sqrt(len(values))
    return Interval(estimate, estimate - half, estimate + half)


def both(seeds: Interval | None, images: Interval) -> Interval | None:
    """The interval for new seeds and new test images, from one of each.

    The distances of the limits from the estimate add up as squares, as independent errors do
    (MOVER: Zou and Donner 2008), so that it is never narrower than either. None without the first.
    """
    if seeds is None:
        return None
    middle = images.estimate
    below = np.hypot(seeds.estimate - seeds.low, middle - images.low)
    above = np.hypot(seeds.high - seeds.estimate, images.high - middle)
    return Interval(middle, float(middle - below), float(middle + above))


def effect_size(differences: np.ndarray) -> float:
    """Cohen's d_z of paired differences (N,): their mean over their SD; 0 where all are 0, NaN
    where all are equal, but for rounding, and not 0."""
    if np.ptp(differences) <= 1e-12 * np.abs(differences).max():
        return float("nan") if np.any(differences) else 0.0
    return float(np.mean(differences) / np.std(differences, ddof=1))
