"""The fast way to the rates of resamples gives what the plain one gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from softbio.metrics import rates
from softbio.statistics.redrawn import redraw, sort_cases
from tests import weighted


def both_ways(scores, positive, weights):
    """Numbers of weights (B, N) by `redrawn` and from the rates at all thresholds."""
    ordered = sort_cases(scores, positive)
    fast = redraw(ordered, weights[:, ordered.order].T)
    plain = weighted.error_rates(scores, positive, weights)
    errors = weighted.errors_at(scores, positive, 1.5, weights)
    return [
        (fast.area(), weighted.area(plain)),
        (fast.equal_error_rate(), weighted.equal_error_rate(plain)),
        *((fast.true_positive_at(x), weighted.true_positive_at(plain, x)) for x in (0, 0.1, 1)),
        *zip(fast.errors_at(1.5), errors, strict=True),
    ]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_same_numbers_as_with_the_plain_rates(data):
    many = data.draw(st.integers(2, 12))
    # few distinct scores, so that ties are common
    scores = data.draw(arrays.arrays(float, many, elements=st.integers(0, 4)))
    positive = data.draw(arrays.arrays(bool, many))
    positive[:2] = False, True
    weights = data.draw(arrays.arrays(float, (3, many), elements=st.integers(0, 3)))
    for fast, plain in both_ways(scores, positive, weights):
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-12)


def test_sums_beyond_sixteen_million_squared_are_exact():
    generator = np.random.default_rng(0)
    scores, positive = generator.normal(size=20_000), np.arange(20_000) % 2 == 0
    weights = generator.integers(0, 9, (2, 20_000)).astype(float)
    for fast, plain in both_ways(scores, positive, weights):
        np.testing.assert_allclose(fast, plain, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans(), st.integers(1, 3)), min_size=2))
def test_weights_are_repetitions(cases):
    scores, positive, weights = np.array(cases).T
    positive[:2] = 0, 1
    repeated = np.repeat(scores, weights), np.repeat(positive == 1, weights)
    ordered = sort_cases(scores, positive)
    fast = redraw(ordered, weights[ordered.order][:, None].astype(float))
    plain = rates.error_rates(*repeated)
    assert fast.area()[0] == pytest.approx(rates.area(plain))
    assert fast.equal_error_rate()[0] == pytest.approx(weighted.eer_of(*repeated))
    assert fast.true_positive_at(0.25)[0] == pytest.approx(weighted.tmr_of(*repeated, 0.25))


def test_a_resample_without_one_class_is_nan():
    ordered = sort_cases(np.array([0.0, 1.0]), np.array([False, True]))
    drawn = redraw(ordered, np.array([[0.0, 1.0], [1.0, 0.0]]))
    for numbers in (drawn.area(), drawn.equal_error_rate(), drawn.true_positive_at(0.1)):
        assert np.isnan(numbers).all()


@pytest.mark.parametrize("judged_by", [sort_cases, rates.error_rates])
def test_one_class_or_no_number_is_refused(judged_by):
    with pytest.raises(ValueError, match="finite"):
        judged_by(np.array([0.0, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match="at least one"):
        judged_by(np.array([0.0, 1.0]), np.array([True, True]))
