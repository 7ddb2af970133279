"""Eq. 7 against its own definition, term by term, and the authors' values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softbio.engine.importance import importance_weights

# Images of AFAD by age 15..40, as the CORN repository prints np.bincount over all parts.
AFAD = [1251, 2423, 2482, 5585, 12477, 13232, 12560, 13572, 10510, 12891, 11261, 7676, 6481, 5170]
AFAD += [4730, 4806, 4456, 3996, 3701, 3856, 4246, 4234, 3898, 3798, 3791, 1335]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200))
def test_definition(labels):
    weights = importance_weights(np.array(labels), 10)
    larger = []
    for rank in range(9):
        above = sum(label > rank for label in labels)
        larger.append(max(above, len(labels) - above) ** 0.5)
    np.testing.assert_allclose(weights, np.array(larger) / max(larger))
    assert weights.max() == 1
    assert weights.min() >= 0.5**0.5 - 1e-12


def test_afad():
    """The weights printed for AFAD's training part; 80 % of the images give the same to .002."""
    printed = [1.0, 0.992, 0.985, 0.968, 0.927, 0.882, 0.837, 0.786, 0.744, 0.730, 0.776, 0.806]
    printed += [0.830, 0.849, 0.866, 0.883, 0.898, 0.912, 0.924, 0.937, 0.950, 0.964, 0.976, 0.988]
    weights = importance_weights(np.repeat(np.arange(26), AFAD), 26)
    np.testing.assert_allclose(weights[:24], printed, atol=0.003)


def test_missing_ranks_are_no_error():
    """The authors' loop runs past its array where a label is missing."""
    weights = importance_weights(np.array([0, 0, 4]), 6)
    assert weights.shape == (5,)
    assert weights == pytest.approx(np.sqrt([2 / 3, 2 / 3, 2 / 3, 2 / 3, 1]))
