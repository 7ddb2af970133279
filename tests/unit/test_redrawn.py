"""The fast way to the rates of resamples gives what the plain one gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from softbio.metrics import rates
from softbio.metrics.classification import errors_at
from softbio.statistics.redrawn import redraw, sort_cases


def both_ways(scores, positive, weights):
    """Numbers of weights (B, N) by `redrawn` and by `rates`."""
    ordered = sort_cases(scores, positive)
    fast, plain = redraw(ordered, weights[:, ordered.order].T), rates.error_rates(
        scores, positive, weights
    )  # fmt: skip
    errors = errors_at(scores, positive, 1.5, weights)
    return [
        (fast.area(), rates.area(plain)),
        (fast.equal_error_rate(), rates.equal_error_rate(plain)),
        *((fast.true_positive_at(x), rates.true_positive_at(plain, x)) for x in (0.0, 0.1, 1.0)),
        *zip(fast.errors_at(1.5), (errors.error, errors.balanced), strict=True),
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


def test_one_class_or_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        sort_cases(np.array([0.0, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match="at least one"):
        sort_cases(np.array([0.0, 1.0]), np.array([True, True]))
