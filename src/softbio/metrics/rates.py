"""Both error rates of a two-class decision by a score, at every threshold.

A case is decided positive where its score is at or above the threshold. Positive are mated
comparisons in verification and the images of one class in classification; both judge with the
functions here. Scores enter by their order alone, but for the thresholds themselves.

Weights make a resample: a case of weight 2 counts twice, one of weight 0 not at all. They come as
(..., N), a row a resample, and what is computed from them has the leading dimensions `...`.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rates:
    """Error rates at each threshold, shares of 1.

    thresholds float (T,): the distinct scores upwards, then infinity. false_positive float
    (..., T): share of the negative cases with score >= threshold, falling from 1 to 0;
    false_negative float (..., T): share of the positive cases with score < threshold, rising from
    0 to 1. Cases of equal score stand on the same side of every threshold.
    """

    thresholds: np.ndarray
    false_positive: np.ndarray
    false_negative: np.ndarray


def error_rates(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None
) -> Rates:
    """scores float (N,), higher for positive; positive bool (N,); weights float (..., N) or None
    for 1 each. NaN in a resample that has drawn none of one class.

    Raises ValueError for scores that are not finite and where a class has no case.
    """
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    if not positive.any() or positive.all():
        raise ValueError("needs at least one positive and one negative case")
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
    """Area under the ROC curve, (...): the chance that a positive case has a higher score than a
    negative one, equal scores counting half (Hanley and McNeil 1982)."""
    true_positive = 1 - rates.false_negative
    heights = (true_positive[..., :-1] + true_positive[..., 1:]) / 2
    return (-np.diff(rates.false_positive, axis=-1) * heights).sum(axis=-1)


def equal_error_rate(rates: Rates) -> np.ndarray:
    """Where both error rates are equal on the ROC curve drawn with straight lines, (...).

    Between the last threshold where the false positives are at least as many as the false
    negatives and the next, both rates change linearly; they meet exactly once. It depends on the
    order of the scores alone. A point between two thresholds is reached by choosing either at
    random; pyeer instead takes, after FVC2000, the mean of both rates at one of the two.
    """
    difference = rates.false_positive - rates.false_negative
    last = np.maximum((difference >= 0).sum(axis=-1, keepdims=True) - 1, 0)
    before, after = (np.take_along_axis(difference, last + step, -1) for step in (0, 1))
    low, high = (np.take_along_axis(rates.false_positive, last + step, -1) for step in (0, 1))
    return (low + before / (before - after) * (high - low))[..., 0]


def true_positive_at(rates: Rates, false_positive: float) -> np.ndarray:
    """True positive rate at the lowest threshold whose false positive rate is at most this, (...).

    No line is drawn between thresholds: it is what a threshold on these scores reaches.
    """
    lowest = (rates.false_positive > false_positive).sum(axis=-1, keepdims=True)
    # a resample without negative cases is NaN at every threshold
    lowest = np.minimum(lowest, len(rates.thresholds) - 1)
    found = 1 - np.take_along_axis(rates.false_negative, lowest, -1)[..., 0]
    return np.where(np.isnan(rates.false_positive[..., 0]), np.nan, found)
