"""Errors of groups or classes, for weighted cases.

Throughout: labels int (N,), the group of each case; weights float (..., N) or None for 1 each.
"""

import numpy as np


def balanced_error(
    labels: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """1 - balanced accuracy: the mean over the groups of the labels of the share of their cases
    that is predicted to be of another group, float (...); NaN where a group has no weight.

    predicted: int (N,).
    """
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, float)
    members = (labels[:, None] == np.unique(labels)).astype(float)
    wrong = (predicted != labels)[:, None] * members
    with np.errstate(invalid="ignore"):
        return (weights @ wrong / (weights @ members)).mean(axis=-1)


def weighted_mean(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The mean of values float (N,), such as absolute errors, float (...); NaN without weight."""
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    with np.errstate(invalid="ignore"):
        return weights @ values / weights.sum(axis=-1)
