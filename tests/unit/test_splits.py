"""Laws of the held-out validation part."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from softbio.data.splits import hold_out


@given(st.lists(st.integers(0, 5), min_size=1, max_size=300), st.floats(0, 0.9))
def test_every_rank_gives_its_share(labels, share):
    labels = np.array(labels)
    held = hold_out(labels, None, share)
    for rank in np.unique(labels):
        members = labels == rank
        assert held[members].sum() == round(share * members.sum())
    assert np.array_equal(held, hold_out(labels, None, share))


@given(st.lists(st.integers(0, 40), min_size=50, max_size=300), st.floats(0.05, 0.5))
def test_subjects_stay_whole(people, share):
    subjects = np.array([f"p{person}" for person in people], object)
    held = hold_out(np.zeros(len(people), int), subjects, share)
    assert not set(subjects[held]) & set(subjects[~held])
    largest = max(np.unique(subjects, return_counts=True)[1])
    assert share * len(people) <= held.sum() <= share * len(people) + largest
