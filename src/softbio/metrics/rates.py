"""Both error rates of a two-class decision by a score, at every threshold.

A case is decided positive where its score is at or above the threshold. Positive are mated
comparisons in verification and the images of one class in classification; both use the functions
here. Only the order of the scores matters, except for the thresholds themselves.

`statistics.redrawn` computes single numbers of many resamples from the same definitions.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rates:
    """Error rates at each threshold, shares of 1.

    thresholds float (T,): the distinct scores in ascending order, then infinity. false_positive
    float (T,): share of the negative cases with score >= threshold, falling from 1 to 0;
    false_negative float (T,): share of the positive cases with score < threshold, rising from 0
    to 1. Cases of equal score stand on the same side of every threshold.
    """

    thresholds: np.ndarray
    false_positive: np.ndarray
    false_negative: np.ndarray


def checked(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores as float (N,) and positive as bool (N,).

    Raises ValueError for scores that are not finite and where a class has no case.
    """
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    if not positive.any() or positive.all():
        raise ValueError("needs at least one positive and one negative case")
    return scores, positive


def error_rates(scores: np.ndarray, positive: np.ndarray) -> Rates:
    """The rates of scores float (N,), higher for positive, and positive bool (N,).

    Raises ValueError as `checked`.
    """
    scores, positive = checked(scores, positive)
    thresholds = np.append(np.unique(scores), np.inf)
    own, other = np.sort(scores[positive]), np.sort(scores[~positive])
    above = len(other) - np.searchsorted(other, thresholds)
    below = np.searchsorted(own, thresholds)
    return Rates(thresholds, above / len(other), below / len(own))


def area(rates: Rates) -> float:
    """Area under the ROC curve: the chance that a positive case has a higher score than a negative
    one, equal scores counting half (Hanley and McNeil 1982)."""
    true_positive = 1 - rates.false_negative
    heights = (true_positive[:-1] + true_positive[1:]) / 2
    return float((-np.diff(rates.false_positive) * heights).sum())
