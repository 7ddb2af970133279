"""How well groups or classes are told, for weighted cases.

Throughout: told int (N,), the group of each case; weights float (..., N) or None for 1 each.
"""

import numpy as np


def balanced_error(
    told: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """1 - balanced accuracy: the mean over the groups that are told of the share of their cases
    that is taken for another, float (...); NaN where one of them has no weight.

    predicted: int (N,).
    """
    weights = np.ones(len(told)) if weights is None else np.asarray(weights, float)
    members = (told[:, None] == np.unique(told)).astype(float)
    wrong = (predicted != told)[:, None] * members
    with np.errstate(invalid="ignore"):
        return (weights @ wrong / (weights @ members)).mean(axis=-1)


def weighted_mean(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Of values float (N,), such as absolute errors, float (...); NaN without weight."""
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    with np.errstate(invalid="ignore"):
        return weights @ values / weights.sum(axis=-1)
