"""Drawing subjects with replacement, and leaving one out, with all the cases that show them.

A case is an image of one subject or a comparison of two; its weight follows from how often its
subjects were drawn (the vertex bootstrap, see `softbio.statistics.intervals`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from softbio.statistics.means import SEED

RESAMPLES = 1000
# weights that are held at once; a row of them stays in the fastest cache
_BLOCK, _COLUMNS = 4_000_000, 128
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cases:
    """Whom each case shows: names (S,) sorted; one, other int (N,) into them, the same where a case
    has one subject."""

    names: np.ndarray
    one: np.ndarray
    other: np.ndarray

    def weights(self, counts: np.ndarray) -> np.ndarray:
        """Weights float32 (B, N) of the cases where subjects are drawn counts (B, S) times; in
        memory the resamples of a case are neighbours."""
        drawn = np.ascontiguousarray(counts.T, np.float32)
        found = drawn[self.one]
        if (self.one != self.other).any():
            # two copies of one subject are no non-mated comparison, so c and not c squared
            drawn = np.concatenate([drawn, np.ones_like(drawn[:1])])
            found *= drawn[np.where(self.one == self.other, len(drawn) - 1, self.other)]
        return found.T

    def blocks(self, rows: int) -> list[range]:
        """The numbers below `rows` in blocks whose weights fit into memory."""
        block = min(max(1, _BLOCK // len(self.one)), _COLUMNS)
        return [range(start, min(start + block, rows)) for start in range(0, rows, block)]


def cases_of(first: np.ndarray, second: np.ndarray, among: np.ndarray | None = None) -> Cases:
    """Cases that show first and second, object (N,) each, the same where a case has one subject.

    among: the subjects that are drawn, those of the cases without it. Raises ValueError for a
    subject that is not among them.
    """
    both = np.concatenate([np.asarray(first), np.asarray(second)]).astype(str)
    names = np.unique(both if among is None else np.asarray(among).astype(str))
    member = np.minimum(np.searchsorted(names, both), len(names) - 1)
    if (names[member] != both).any():
        raise ValueError(f"{both[names[member] != both][0]} is not among the subjects to draw")
    return Cases(names, member[: len(first)], member[len(first) :])


def resample(statistic: Statistic, cases: Cases, resamples: int = RESAMPLES) -> np.ndarray:
    """Values of a statistic when subjects are drawn anew, (R, K); statistic: weights float (B, N)
    of the cases -> (B, K)."""
    rng, many, values = np.random.default_rng(SEED), len(cases.names), []
    for rows in cases.blocks(resamples):
        drawn = [np.bincount(rng.integers(0, many, many), minlength=many) for _ in rows]
        values.append(statistic(cases.weights(np.stack(drawn))))
    return np.concatenate(values)


def leave_one_out(statistic: Statistic, cases: Cases) -> np.ndarray:
    """Values of a statistic without one subject at a time, (S, K)."""
    places, values = np.arange(len(cases.names)), []
    for rows in cases.blocks(len(places)):
        values.append(statistic(cases.weights(places != np.array(rows)[:, None])))
    return np.concatenate(values)
