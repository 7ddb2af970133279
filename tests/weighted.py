"""Numbers of weighted cases from the rates at all thresholds: slow, and independent of how the
library computes them (`statistics.redrawn`).

Throughout: scores float (N,), higher for positive; positive bool (N,); weights float (..., N) or
None for 1 each, a row a resample. Numbers are (...), NaN where a resample has none of one class.
"""

import numpy as np

from softbio.metrics.rates import Rates


def error_rates(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> Rates:
    """False positives and false negatives (..., T) at the distinct scores, then infinity."""
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    order = np.argsort(scores, kind="stable")
    ordered, positive = scores[order], positive[order]
    starts = np.flatnonzero(np.diff(ordered)) + 1
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, float)[..., order]
    thresholds = np.r_[ordered[0], ordered[starts], np.inf]
    above, total = _below(weights * ~positive, starts)
    below, all_positive = _below(weights * positive, starts)
    with np.errstate(invalid="ignore"):
        return Rates(thresholds, (total - above) / total, below / all_positive)


def _below(weights: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight below each threshold (..., T) and in all (..., 1), of weights in order of score."""
    summed = weights.cumsum(axis=-1)
    total = summed[..., -1:]
    parts = [np.zeros_like(total), summed[..., starts - 1], total]
    return np.concatenate(parts, axis=-1), total


def area(rates: Rates) -> np.ndarray:
    """Area under the ROC curve by the trapezoidal rule."""
    true_positive = 1 - rates.false_negative
    heights = (true_positive[..., :-1] + true_positive[..., 1:]) / 2
    return (-np.diff(rates.false_positive, axis=-1) * heights).sum(axis=-1)


def equal_error_rate(rates: Rates) -> np.ndarray:
    """Where straight lines between the operating points meet the diagonal."""
    difference = rates.false_positive - rates.false_negative
    last = np.maximum((difference >= 0).sum(axis=-1, keepdims=True) - 1, 0)
    before, after = (np.take_along_axis(difference, last + step, -1) for step in (0, 1))
    low, high = (np.take_along_axis(rates.false_positive, last + step, -1) for step in (0, 1))
    return (low + before / (before - after) * (high - low))[..., 0]


def true_positive_at(rates: Rates, false_positive: float) -> np.ndarray:
    """True positive rate at the lowest threshold whose false positive rate is at most this."""
    lowest = (rates.false_positive > false_positive).sum(axis=-1, keepdims=True)
    lowest = np.minimum(lowest, len(rates.thresholds) - 1)
    found = 1 - np.take_along_axis(rates.false_negative, lowest, -1)[..., 0]
    return np.where(np.isnan(rates.false_positive[..., 0]), np.nan, found)


def errors_at(
    scores: np.ndarray, positive: np.ndarray, threshold: float, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Share of all cases that a threshold decides wrongly, and the mean share of both classes."""
    positive = np.asarray(positive, bool)
    wrong = (np.asarray(scores, float) >= threshold) != positive
    weights = np.ones(len(positive)) if weights is None else np.asarray(weights, float)
    with np.errstate(invalid="ignore"):
        error, negative, own = (
            (weights * (wrong & part)).sum(axis=-1) / (weights * part).sum(axis=-1)
            for part in (np.ones_like(positive), ~positive, positive)
        )
    return error, (negative + own) / 2


def eer_of(scores: np.ndarray, positive: np.ndarray) -> float:
    """Equal error rate of cases that count once."""
    return float(equal_error_rate(error_rates(scores, positive)))


def tmr_of(scores: np.ndarray, mated: np.ndarray, fmr: float = 0.01) -> float:
    """True match rate at a false match rate, of comparisons that count once."""
    return float(true_positive_at(error_rates(scores, mated), fmr))
