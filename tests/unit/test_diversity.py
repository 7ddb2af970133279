"""Measures of diversity: by hand, and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from softbio.metrics.diversity import COLUMNS, kappa, mean_of_pairs, pairs_of, q_statistic

BOOLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def test_q_by_hand():
    # both right 4, first alone 2, second alone 1, both wrong 3: (12 - 2) / (12 + 2)
    first = np.repeat([True, True, False, False], [4, 2, 1, 3])
    second = np.repeat([True, False, True, False], [4, 2, 1, 3])
    assert q_statistic(first, second) == pytest.approx(10 / 14)
    assert q_statistic(first, ~second) == pytest.approx(-10 / 14)
    assert q_statistic(first, first) == 1
    assert q_statistic(first, ~first) == -1


def test_q_of_independent_classifiers_is_near_0():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 200_000)) < np.array([[0.8], [0.6]])
    assert abs(q_statistic(first, second)) < 0.02


def test_kappa_by_hand():
    # Cohen's two by two table 20, 5, 10, 15: agreed .7, chance .5
    first = np.repeat([True, True, False, False], [20, 5, 10, 15])
    second = np.repeat([True, False, True, False], [20, 5, 10, 15])
    assert kappa(first, second) == pytest.approx(0.4)


@given(BOOLS)
def test_kappa_is_that_of_scikit_learn(pairs):
    first, second = np.array(pairs).T
    found = kappa(first, second)
    if (first.all() and second.all()) or not (first.any() or second.any()):
        assert np.isnan(found)
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_measures_that_say_nothing_are_nan():
    right = np.ones(5, bool)
    assert np.isnan(q_statistic(right, right))
    assert np.isnan(kappa(right, right))
    assert np.isnan(kappa(right[:0], right[:0]))


def test_every_pair_once():
    rng = np.random.default_rng(1)
    truth, decisions = rng.random(50) < 0.5, rng.random((4, 50)) < 0.5
    frame = pairs_of(decisions, truth)
    assert list(frame.columns) == COLUMNS
    numbers = list(zip(frame["first"], frame["second"], strict=True))
    assert numbers == [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]
    row = frame.set_index(["first", "second"]).loc[(2, 4)]
    assert row["kappa"] == pytest.approx(cohen_kappa_score(decisions[1], decisions[3]))
    assert row["disagreement"] == pytest.approx((decisions[1] != decisions[3]).mean())
    assert row["q"] == q_statistic(decisions[1] == truth, decisions[3] == truth)
    with pytest.raises(ValueError, match="two rows"):
        pairs_of(decisions[:1], truth)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_a_weighted_case_is_one_that_is_repeated(seed, members):
    rng = np.random.default_rng(seed)
    truth, decisions = rng.random(12) < 0.5, rng.random((members, 12)) < 0.6
    counts = rng.integers(0, 4, (3, 12))
    counts[0] = 1
    found = mean_of_pairs(decisions, truth, counts)
    for row, count in zip(found, counts, strict=True):
        frame = pairs_of(np.repeat(decisions, count, axis=1), np.repeat(truth, count))
        # pandas leaves NaN out of a mean as well
        assert row == pytest.approx(frame[COLUMNS[2:]].mean().to_numpy(), nan_ok=True)
