"""Errors of predicted ranks and consistency of predicted probabilities.

Throughout: labels are ranks int (N,), predictions ranks int or real (N,), N >= 1. One rank is one
year, so that errors are in years.
"""

import numpy as np

CS_LIMITS = np.arange(16)
# Adjacent probabilities may rise by this much before they count as inconsistent; the authors'
# count_inconsistency uses the same (coral-cnn, table2 notebooks).
TOLERANCE = 1e-5


def mae(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean absolute error."""
    return float(np.abs(predictions - labels).mean())


def rmse(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.square(predictions - labels, dtype=np.float64).mean()))


def cumulative_score(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """CS(theta), the share of images with an error of at most theta = 0..15 years, (16,)."""
    return (np.abs(predictions - labels)[:, None] <= CS_LIMITS).mean(axis=0)


def mae_by_rank(
    labels: np.ndarray, predictions: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of images, MAE and bias (mean signed error) of each rank, (k,) each; NaN if none."""
    counts = np.bincount(labels, minlength=k)
    errors = np.asarray(predictions - labels, np.float64)
    with np.errstate(invalid="ignore"):
        absolute = np.bincount(labels, np.abs(errors), minlength=k) / counts
        signed = np.bincount(labels, errors, minlength=k) / counts
    return counts, absolute, signed


def quadratic_weighted_kappa(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968), of integer ranks.

    With squared differences as weights the expected disagreement of independent raters is var(y) +
    var(p) + (mean y - mean p)^2, which needs no confusion matrix. NaN if both never vary.
    """
    expected = np.var(labels) + np.var(predictions) + (np.mean(labels) - np.mean(predictions)) ** 2
    observed = np.square(predictions - labels, dtype=np.float64).mean()
    return float(1 - observed / expected) if expected else float("nan")


def inconsistencies(probabilities: np.ndarray) -> np.ndarray:
    """Rank inconsistencies of each image: thresholds k with P(y > k+1) > P(y > k) + 1e-5.

    probabilities (N, K-1) -> int64 (N,). Journal paper (PRL 140, 2020), Table 2.
    """
    return (np.diff(probabilities, axis=1) > TOLERANCE).sum(axis=1)


def expected_rank(probabilities: np.ndarray, kind: str) -> np.ndarray:
    """Expected value of the predicted distribution, real (N,).

    kind "class": sum_k k P(y = k); "exceedance": sum_k P(y > k), the same for a valid distribution.
    """
    if kind == "exceedance":
        return probabilities.sum(axis=1, dtype=np.float64)
    return probabilities.astype(np.float64) @ np.arange(probabilities.shape[1])
