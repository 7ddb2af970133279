"""Logistic regression, solved until nothing is left to gain.

scikit-learn's usual solver stops where it is near enough. Where that is depends on the order of its
sums, and so on the kind of CPU and the number of threads: the equal error rate of HOG features
moved by 0.4 percentage points. Newton's steps end at the one minimum that there is.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


def fit_logistic(
    features: np.ndarray, positive: np.ndarray, inverse_penalty: float
) -> "LogisticRegression":
    """Fitted to features, float64 (N, D), and answers, bool (N,), both of which weigh as much;
    inverse_penalty: as scikit-learn's C. Holds the features twice."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=inverse_penalty, class_weight="balanced", solver="newton-cholesky", tol=1e-8
    )
    return model.fit(features, np.asarray(positive, bool))
