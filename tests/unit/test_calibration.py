"""Calibration metrics against dlordinal, scipy, scikit-learn and their own definitions."""

import dlordinal.metrics
import numpy as np
import pytest
import scipy.integrate
import sklearn.calibration
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.metrics import ordinal
from softbio.metrics.calibration import (
    calibration_scalars,
    central_intervals,
    exceedance,
    ranked_probability_score,
    reliability,
)

CASES = {"seed": st.integers(0, 10_000), "k": st.integers(2, 12)}


def predictions(seed: int, k: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Labels and P(y = k), some of them exactly 0 or 1."""
    generator = np.random.default_rng(seed)
    classes = generator.dirichlet(np.full(k, generator.choice([0.1, 1.0])), size=count)
    classes[0] = np.eye(k)[generator.integers(k)]
    return generator.integers(0, k, count), classes


# dlordinal imports much at its first call
@settings(deadline=None)
@given(**CASES)
def test_score_equals_dlordinal(seed, k):
    labels, classes = predictions(seed, k)
    ours = ranked_probability_score(labels, exceedance(classes, "class"))
    assert ours == pytest.approx(dlordinal.metrics.ranked_probability_score(labels, classes))


def test_score_is_the_integral_of_the_squared_error_of_the_distribution():
    """CRPS of one image by quadrature over the age axis."""
    p, label = np.array([0.1, 0.2, 0.4, 0.3]), 1

    def squared(t):
        return (p[: int(np.floor(t)) + 1].sum() - (t >= label)) ** 2

    integral = sum(scipy.integrate.quad(squared, a, a + 1 - 1e-12)[0] for a in range(3))
    ours = ranked_probability_score(np.array([label]), exceedance(p[None], "class"))
    assert ours == pytest.approx(integral)


@given(**CASES)
def test_score_of_certain_predictions_is_the_mean_absolute_error(seed, k):
    labels, classes = predictions(seed, k)
    ranks = classes.argmax(axis=1)
    certain = exceedance(np.eye(k)[ranks], "class")
    assert ranked_probability_score(labels, certain) == pytest.approx(ordinal.mae(labels, ranks))


@given(**CASES)
def test_exceedance_is_a_falling_share(seed, k):
    classes = predictions(seed, k)[1].astype(np.float32)
    above = exceedance(classes, "class")
    assert above.shape == (40, k - 1)
    assert ((above >= 0) & (above <= 1)).all()
    assert (np.diff(above, axis=1) <= 0).all()
    assert above == pytest.approx(1 - classes.cumsum(axis=1)[:, :-1], abs=1e-5)


@given(**CASES)
def test_reliability_equals_scikit_learn(seed, k):
    labels, classes = predictions(seed, k)
    above = exceedance(classes, "class")
    ours = reliability(labels, above)
    observed, predicted = sklearn.calibration.calibration_curve(
        # scikit-learn's bins hold their upper edge: keep off the edges
        (labels[:, None] > np.arange(k - 1)).ravel(),
        np.where(np.isin(above, [0, 1]), above, above + 1e-12).ravel().clip(0, 1),
        n_bins=10,
    )
    filled = ours.count > 0
    assert ours.count.sum() == above.size
    assert ours.observed[filled] == pytest.approx(observed)
    assert ours.predicted[filled] == pytest.approx(predicted)


def test_calibration_error_by_hand():
    """Two thresholds, two images: pairs (.05, no), (.95, yes), (.15, yes), (.95, no)."""
    labels, above = np.array([1, 1]), np.array([[0.95, 0.05], [0.15, 0.95]])
    ours = reliability(labels, above)
    assert ours.count.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert ours.error == pytest.approx((0.05 + 0.85 + 2 * abs(0.5 - 0.95)) / 4)


def test_a_perfect_and_a_constant_forecast():
    labels = np.array([0, 3, 2])
    certain = exceedance(np.eye(4)[labels], "class")
    assert ranked_probability_score(labels, certain) == 0
    assert reliability(labels, certain).error == 0
    # the shares of a large population as the forecast of each of its members: calibrated
    labels = np.random.default_rng(0).integers(0, 4, 100_000)
    shares = np.broadcast_to(np.bincount(labels) / len(labels), (len(labels), 4))
    assert reliability(labels, exceedance(shares, "class")).error == pytest.approx(0, abs=1e-9)


@given(**CASES)
def test_intervals_are_between_quantiles_of_the_distribution(seed, k):
    labels, classes = predictions(seed, k)
    intervals = central_intervals(exceedance(classes, "class"))
    for row, p in enumerate(classes):
        below = 1 - exceedance(p[None], "class")[0]
        below = np.r_[below, 1.0]
        assert intervals.lower[row] == np.flatnonzero(below >= 0.1 - 1e-15)[0]
        assert intervals.upper[row] == np.flatnonzero(below >= 0.9 - 1e-15)[0]
        inside = p[intervals.lower[row] : intervals.upper[row] + 1].sum()
        assert intervals.mass[row] == pytest.approx(inside)
        assert inside >= 0.8 - 1e-12
    assert (intervals.widths >= 1).all()
    inside = (labels >= intervals.lower) & (labels <= intervals.upper)
    assert (intervals.covers(labels) == inside).all()


def test_widths_count_the_ages_inside():
    classes = np.array([[0.05, 0.2, 0.5, 0.2, 0.05], [0.2, 0.2, 0.2, 0.2, 0.2], [0, 0, 0, 0, 1]])
    intervals = central_intervals(exceedance(classes, "class"))
    assert intervals.lower.tolist() == [1, 0, 4]
    assert intervals.widths.tolist() == [3, 5, 1]
    found = calibration_scalars(np.array([1, 2, 3]), classes, "class")
    assert found["width80"] == 3


@given(**CASES)
def test_rearranging_changes_no_interval_rank_or_expectation_and_lowers_the_score(seed, k):
    generator = np.random.default_rng(seed)
    raw = generator.random((20, k - 1))
    falling = -np.sort(-raw, axis=1)
    labels = generator.integers(0, k, 20)
    ours, theirs = central_intervals(raw), central_intervals(falling)
    for field in ("lower", "upper", "mass"):
        assert np.array_equal(getattr(ours, field), getattr(theirs, field))
    assert (ours.mass >= 0.8 - 1e-12).all()
    assert ((raw > 0.5).sum(axis=1) == (falling > 0.5).sum(axis=1)).all()
    assert raw.sum(axis=1) == pytest.approx(falling.sum(axis=1))
    scores = [ranked_probability_score(labels, above) for above in (raw, falling)]
    assert scores[1] <= scores[0] + 1e-12


def test_coverage_of_a_true_distribution_is_the_mass_of_its_intervals():
    generator = np.random.default_rng(1)
    classes = generator.dirichlet(np.ones(20), size=20_000)
    labels = (generator.random((len(classes), 1)) > classes.cumsum(axis=1)).sum(axis=1)
    found = calibration_scalars(labels.clip(max=19), classes, "class")
    assert found["coverage80"] == pytest.approx(found["mass80"], abs=0.01)
    assert found["mass80"] > 0.8
    assert found["ece"] < 0.01


def test_both_kinds_of_probabilities_give_the_same_numbers():
    labels, classes = predictions(3, 9)
    above = exceedance(classes, "class")
    assert calibration_scalars(labels, above, "exceedance") == pytest.approx(
        calibration_scalars(labels, classes, "class")
    )
