"""Holding out a validation part, and dividing whole groups among parts."""

import numpy as np
import pandas as pd

# The split belongs to the protocol, not to the run: all runs of a data set share it.
SPLIT_SEED = 2019


def hold_out(labels: np.ndarray, subjects: np.ndarray | None, share: float) -> np.ndarray:
    """Which training images to hold out for validation.

    Without subjects: stratified by rank, each rank giving its rounded share. With subjects: whole
    subjects at random until the share is reached, so that no person is on both sides.

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


def assign(
    labels: np.ndarray, groups: np.ndarray, shares: np.ndarray, home: np.ndarray | None = None
) -> np.ndarray:
    """Give whole groups to parts: the part of each image, int (N,), fixed for equal inputs.

    labels int (N,) ranks; groups int (N,); shares (P,) of the parts, adding up to 1; home int (N,)
    the part where an image should preferably be. The largest groups come first, each goes where its
    ranks are most lacking among the parts that are not yet full. So a part of share s has less than
    one largest group more than s N images, and less than P - 1 of them fewer.
    """
    names, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), labels.max(initial=0) + 1))
    np.add.at(counts, (group, labels), 1)
    sizes = counts.sum(1)
    homes = _homes(group, home, len(names))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(names))
    lack = np.outer(shares, counts.sum(0))
    room = lack.sum(1)
    chosen = np.zeros(len(names), int)
    for g in order[np.argsort(-sizes[order], kind="stable")]:
        gain = np.where(room > 0, lack @ counts[g], -np.inf)
        stays = homes[g] >= 0 and gain[homes[g]] > 0
        chosen[g] = part = homes[g] if stays else int(np.argmax(gain))
        lack[part] -= counts[g]
        room[part] -= sizes[g]
    return chosen[group]


def _homes(group: np.ndarray, home: np.ndarray | None, count: int) -> np.ndarray:
    """The part that holds all of a group, -1 where it is divided or nothing is known."""
    if home is None:
        return np.full(count, -1)
    parts = pd.Series(home).groupby(group)
    return parts.min().where(parts.min() == parts.max(), -1).to_numpy()
