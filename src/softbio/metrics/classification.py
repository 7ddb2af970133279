"""How well scores tell two classes of a trait apart, for gender female and male.

Throughout: scores float (N,), finite, higher for the positive class; labels int or bool (N,), 1 for
the positive class, with at least one image of each. An image is decided positive where its score is
at or above the threshold. All rates are shares of 1.

A protector that turns the decisions round hides nothing: whoever knows it turns them back. So the
separation is max(AUC, 1 - AUC), which is 1/2 where the score says nothing, and an error above 1/2
is as telling as one below.
"""

from dataclasses import dataclass

import numpy as np

from softbio.metrics import rates as core
from softbio.metrics.rates import Rates, error_rates


def roc(scores: np.ndarray, labels: np.ndarray) -> Rates:
    """False positive and false negative rate at every threshold."""
    return error_rates(scores, np.asarray(labels) == 1)


def area(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve; equal scores count half."""
    return float(core.area(roc(scores, labels)))


def separation(area: float) -> float:
    """max(AUC, 1 - AUC): the AUC of an attacker who knows which way the scores point."""
    return max(area, 1 - area)


def equal_error_rate(scores: np.ndarray, labels: np.ndarray) -> float:
    """Where both error rates are equal; see `rates.equal_error_rate`. Above 1/2 where the scores
    point the wrong way."""
    return float(core.equal_error_rate(roc(scores, labels)))


@dataclass(frozen=True)
class Errors:
    """Errors at one threshold, (...): of all images, of the negative and of the positive ones, and
    the mean of these two, which does not depend on how many images a class has."""

    error: np.ndarray
    false_positive: np.ndarray
    false_negative: np.ndarray

    @property
    def balanced(self) -> np.ndarray:
        """1 - balanced accuracy."""
        return (self.false_positive + self.false_negative) / 2


def errors_at(
    scores: np.ndarray, labels: np.ndarray, threshold: float, weights: np.ndarray | None = None
) -> Errors:
    """Errors at a given threshold, such as the one an evaluator is shipped with.

    weights float (..., N) or None for 1 each, as in `rates`; NaN for a class without weight.
    """
    positive = np.asarray(labels) == 1
    wrong = (np.asarray(scores, float) >= threshold) != positive
    weights = np.ones(len(positive)) if weights is None else np.asarray(weights, float)
    with np.errstate(invalid="ignore"):
        shares = [
            (weights * (wrong & part)).sum(axis=-1) / (weights * part).sum(axis=-1)
            for part in (np.ones_like(positive), ~positive, positive)
        ]
    return Errors(*shares)


def flips(before: np.ndarray, after: np.ndarray, threshold: float) -> tuple[float, float, float]:
    """Share of images whose decision differs between two scores of them, (N,) each: in all, from
    negative to positive among those decided negative before, and from positive to negative among
    those decided positive (NaN among none)."""
    first, second = np.asarray(before) >= threshold, np.asarray(after) >= threshold
    up = float(second[~first].mean()) if (~first).any() else float("nan")
    down = float((~second[first]).mean()) if first.any() else float("nan")
    return float((first != second).mean()), up, down
