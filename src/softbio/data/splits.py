"""Holding out a validation part."""

import numpy as np

# The split belongs to the protocol, not to the run: all runs of a data set share it.
SPLIT_SEED = 2019


def hold_out(labels: np.ndarray, subjects: np.ndarray | None, share: float) -> np.ndarray:
    """Which training images to hold out for validation.

    Without subjects: stratified by rank, each rank giving its rounded share. With subjects: whole
    subjects at random until the share is reached, so that nobody stands on both sides.

    labels int (N,); subjects object (N,) or None; share in [0, 1) -> bool (N,), fixed for equal
    inputs.
    """
    generator = np.random.default_rng(SPLIT_SEED)
    held = np.zeros(len(labels), bool)
    if subjects is not None:
        names, member = np.unique(subjects.astype(str), return_inverse=True)
        order = generator.permutation(len(names))
        before = np.cumsum(np.bincount(member)[order]) - np.bincount(member)[order]
        return np.isin(member, order[before < share * len(labels)])
    for rank in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == rank))
        held[members[: round(share * len(members))]] = True
    return held
