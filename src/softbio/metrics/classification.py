"""How well scores separate the two classes of a trait; of gender, female and male.

Throughout: scores float (N,), finite, higher for the positive class; labels int or bool (N,), 1 for
the positive class, with at least one image of each. An image is decided positive where its score is
at or above the threshold. All rates are shares of 1.

A protector that inverts the decisions hides nothing: an attacker who knows it inverts them again.
So the separation is max(AUC, 1 - AUC), which is 1/2 where the score has no information, and an
error above 1/2 gives as much away as one below.
"""

from dataclasses import dataclass

import numpy as np

from softbio.metrics import rates
from softbio.metrics.rates import Rates, error_rates


def roc(scores: np.ndarray, labels: np.ndarray) -> Rates:
    """False positive and false negative rate at every threshold."""
    return error_rates(scores, np.asarray(labels) == 1)


def area(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve; equal scores count half."""
    return rates.area(roc(scores, labels))


def separation(area: float) -> float:
    """max(AUC, 1 - AUC): the AUC of an attacker who knows which way the scores point."""
    return max(area, 1 - area)


@dataclass(frozen=True)
class Errors:
    """Error rates at one threshold: of the negative and of the positive images, shares of 1."""

    false_positive: float
    false_negative: float


def errors_at(scores: np.ndarray, labels: np.ndarray, threshold: float) -> Errors:
    """Error rates at a given threshold, such as the one that an evaluator is shipped with."""
    positive = np.asarray(labels) == 1
    wrong = (np.asarray(scores, float) >= threshold) != positive
    return Errors(float(wrong[~positive].mean()), float(wrong[positive].mean()))
