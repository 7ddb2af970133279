"""Calibration of predicted probabilities: scores, reliability, predictive intervals.

Throughout: labels are ranks int (N,); exceedance is P(y > k) for the thresholds k = 0..K-2, float64
(N, K-1), N >= 1. One rank is one year.

The thresholds of OR-CNN are trained separately and their probabilities may rise with k, which those
of a distribution never do. Scores and reliability judge each threshold by itself and use the
probabilities as predicted. Intervals need a distribution: they are those of the monotone
rearrangement (P(y > k) in descending order; Chernozhukov, Fernandez-Val, Galichon 2010), which is
never farther from any distribution than the prediction, and which keeps both the published rank
(the number of probabilities above 1/2) and the expected rank (their sum).
"""

from dataclasses import dataclass

import numpy as np

BINS = 10
LEVEL = 0.8
SCALARS = ("rps", "ece", "coverage80", "mass80", "width80")


def exceedance(probabilities: np.ndarray, kind: str) -> np.ndarray:
    """P(y > k), (N, K-1), of probabilities of either kind ("class" (N, K), "exceedance")."""
    probabilities = np.asarray(probabilities, np.float64)
    if kind == "exceedance":
        return probabilities
    # summed from above: 1 - P(y <= k) would cancel where little is left
    tail = probabilities[:, :0:-1].cumsum(axis=1)[:, ::-1]
    return np.minimum(tail, 1.0)


def _above(labels: np.ndarray, thresholds: int) -> np.ndarray:
    """Whether y > k, bool (N, K-1)."""
    return labels[:, None] > np.arange(thresholds)


def ranked_probability_score(labels: np.ndarray, exceedance: np.ndarray) -> float:
    """RPS (Epstein 1969): squared errors of P(y > k) summed over the K-1 thresholds, mean over the
    images.

    Not divided by K-1, so it is in years: it is the CRPS of a distribution on whole years, and the
    absolute error of a certain prediction. dlordinal has the same, from P(y = k).
    """
    errors = exceedance - _above(labels, exceedance.shape[1])
    return float(np.square(errors).sum(axis=1).mean())


@dataclass(frozen=True)
class Reliability:
    """P(y > k) of all images and thresholds in bins of equal width between 0 and 1.

    predicted, observed: mean probability of a bin and share of its pairs with y > k, float (BINS,),
    NaN where the bin is empty; count: pairs in it, int (BINS,).
    """

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: |observed - predicted|, mean over the pairs."""
        filled = self.count > 0
        gaps = np.abs(self.observed - self.predicted)[filled]
        return float(np.average(gaps, weights=self.count[filled]))


def reliability(labels: np.ndarray, exceedance: np.ndarray, bins: int = BINS) -> Reliability:
    """Reliability of P(y > k) pooled over images and thresholds; a bin holds its lower edge."""
    predicted = exceedance.ravel()
    observed = _above(labels, exceedance.shape[1]).ravel()
    place = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, v, minlength=bins) / count for v in (predicted, observed)]
    return Reliability(*means, count)


@dataclass(frozen=True)
class Intervals:
    """Central predictive intervals of whole ranks, both ends included: lower, upper int (N,);
    mass: their predicted probability, float (N,)."""

    lower: np.ndarray
    upper: np.ndarray
    mass: np.ndarray

    @property
    def widths(self) -> np.ndarray:
        """Number of ages in each, int (N,): years, as an age lasts one."""
        return self.upper - self.lower + 1

    def covers(self, labels: np.ndarray) -> np.ndarray:
        """Whether the true rank lies inside, bool (N,)."""
        return (self.lower <= labels) & (labels <= self.upper)


def central_intervals(exceedance: np.ndarray, level: float = LEVEL) -> Intervals:
    """From the (1 - level)/2 to the (1 + level)/2 quantile of each predicted distribution.

    A quantile q is the lowest rank with P(y <= k) >= q, which is the number of thresholds with
    P(y > k) > 1 - q; this count is the same for the monotone rearrangement. In whole years an
    interval holds at least `level`, mostly more: compare its coverage with its mass.
    """
    tail = (1 - level) / 2
    lower = (exceedance > 1 - tail).sum(axis=1)
    upper = (exceedance > tail).sum(axis=1)
    # P(y > k) falling from k = -1 (certain) to k = K-1 (impossible)
    falling = -np.sort(-exceedance, axis=1)
    falling = np.pad(falling, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
    rows = np.arange(len(exceedance))
    return Intervals(lower, upper, falling[rows, lower] - falling[rows, upper + 1])


def calibration_scalars(
    labels: np.ndarray, probabilities: np.ndarray | None, kind: str
) -> dict[str, float]:
    """The numbers of metrics.json: rps, ece, and of the central 80 % interval its coverage, the
    mass that the predictions give it (both shares of 1) and its width in years; NaN each where
    kind is "point", which has no probabilities."""
    if kind == "point":
        return dict.fromkeys(SCALARS, float("nan"))
    above = exceedance(probabilities, kind)
    intervals = central_intervals(above)
    values = (
        ranked_probability_score(labels, above),
        reliability(labels, above).error,
        float(intervals.covers(labels).mean()),
        float(intervals.mass.mean()),
        float(intervals.widths.mean()),
    )
    return dict(zip(SCALARS, values, strict=True))
