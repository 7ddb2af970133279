"""Task importance weights."""

import numpy as np


def importance_weights(labels: np.ndarray, k: int) -> np.ndarray:
    """Weights of the K-1 binary tasks, Eq. 7 of arXiv:1901.07884v3.

    S_k = number of labels above rank k, M_k = max(S_k, N - S_k), lambda_k = sqrt(M_k) / max_j
    sqrt(M_j). The authors' code sizes its array by the ranks that occur and fails where one is
    missing; counting by threshold needs no rank to occur.

    labels: ranks int (N,), N >= 1 -> float64 (k-1,), in [sqrt(1/2), 1].
    """
    above = (np.asarray(labels)[:, None] > np.arange(k - 1)).sum(axis=0)
    larger = np.sqrt(np.maximum(above, len(labels) - above))
    return larger / larger.max()
