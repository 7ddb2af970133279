"""Logistic regression ends at the minimum, whatever the order of sums on the way to it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from softbio.evaluators.logistic import fit_logistic

PENALTY = 0.7


@pytest.fixture(scope="module")
def given() -> tuple[np.ndarray, np.ndarray]:
    """Correlated features of 300 cases, a third of them positive, and not separable."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(300, 40)) @ rng.normal(size=(40, 40)) / 6
    return features, features[:, :3].sum(1) + rng.normal(size=300) > 0.8


def test_no_step_improves_it(given):
    """The gradient of the penalised loss, written out, is zero."""
    features, positive = given
    model = fit_logistic(features, positive, PENALTY)
    weights, bias = model.coef_[0], model.intercept_[0]
    shares = np.where(positive, positive.mean(), 1 - positive.mean())
    wrong = 1 / (1 + np.exp(-(features @ weights + bias))) - positive
    wrong *= 0.5 / shares
    assert abs(wrong.sum()) < 1e-7
    np.testing.assert_allclose(PENALTY * wrong @ features + weights, 0, atol=1e-7)


def test_another_solver_comes_near_it(given):
    features, positive = given
    other = LogisticRegression(C=PENALTY, class_weight="balanced", tol=1e-10, max_iter=10_000)
    ours = fit_logistic(features, positive, PENALTY).coef_
    np.testing.assert_allclose(other.fit(features, positive).coef_, ours, atol=1e-5)


def test_the_order_of_the_cases_is_not_in_the_weights(given):
    """It stands for the kind of CPU and the number of threads, which change the order of sums."""
    features, positive = given
    order = np.random.default_rng(0).permutation(len(features))
    first = fit_logistic(features, positive, PENALTY).coef_
    other = fit_logistic(features[order], positive[order], PENALTY).coef_
    np.testing.assert_array_equal(first.astype(np.float32), other.astype(np.float32))
