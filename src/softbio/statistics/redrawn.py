"""Error rates of many resamples at once.

A resample gives each case a weight: a case of weight 2 counts twice, one of weight 0 not at all.
Rates at all thresholds of every resample would take many times as long. So scores are sorted once,
weights are whole numbers, whose sums float32 holds exactly, and a number of a resample needs the
weights below only a few thresholds, which a search finds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from softbio.metrics.rates import checked


@dataclass(frozen=True)
class Sorted:
    """Cases by kind and score, and the thresholds: the distinct scores ascending, then infinity.

    order int (N,): the cases, negative ones first, each kind by ascending score; negatives: how
    many they are.
    below int (2, T): how many negative and positive cases have a score below each threshold.
    around int (2, P): of each positive case, how many negative ones score lower, and how many lower
    or the same.
    """

    order: np.ndarray
    negatives: int
    thresholds: np.ndarray
    below: np.ndarray
    around: np.ndarray


def sort_cases(scores: np.ndarray, positive: np.ndarray) -> Sorted:
    """scores float (N,), higher for positive; positive bool (N,).

    Raises ValueError as `metrics.rates.checked`.
    """
    scores, positive = checked(scores, positive)
    order = np.lexsort((scores, positive))
    negatives = int((~positive).sum())
    other, own = scores[order[:negatives]], scores[order[negatives:]]
    thresholds = np.append(np.unique(scores), np.inf)
    below = np.stack([np.searchsorted(part, thresholds) for part in (other, own)])
    around = np.stack([np.searchsorted(other, own, side) for side in ("left", "right")])
    return Sorted(order, negatives, thresholds, below, around)


@dataclass(frozen=True)
class Redrawn:
    """B resamples of sorted cases. negative, positive: the weight, in whole numbers, of the first
    n cases of a kind, (1 + cases, B).

    All numbers are float64 (B,), NaN where a resample has drawn none of one class.
    """

    cases: Sorted
    negative: np.ndarray
    positive: np.ndarray

    def _wrong(self, place: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the negative cases at or above, and of the positive ones below, the thresholds
        at these places, int (B,) or one for all."""
        negative, positive = (
            sums[below[place], np.arange(sums.shape[1])].astype(float)
            for sums, below in zip((self.negative, self.positive), self.cases.below, strict=True)
        )
        return self.negative[-1] - negative, positive

    def _rates(self, place: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
        """The same as shares: false positive and false negative rate."""
        above, below = self._wrong(place)
        with np.errstate(invalid="ignore"):
            return above / self.negative[-1], below / self.positive[-1]

    def _count(self, holds: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """At how many thresholds something holds that, from one on, no longer does, int (B,)."""
        low = np.zeros(self.negative.shape[1], int)
        high = np.full_like(low, len(self.cases.thresholds))
        while (low < high).any():
            middle = np.minimum((low + high) // 2, len(self.cases.thresholds) - 1)
            held = holds(middle) & (low < high)
            low, high = (
                np.where(held, middle + 1, low),
                np.where(held, high, np.minimum(middle, high)),
            )
        return low

    def area(self) -> np.ndarray:
        """Area under the ROC curve; equal scores count half (Hanley and McNeil 1982)."""
        first, last = self.cases.around
        # twice the weight of the negative cases below each positive one, equal ones counting half
        lower = self.negative[first].astype(float)
        lower += lower if np.array_equal(first, last) else self.negative[last]
        weights = np.diff(self.positive, axis=0)
        total = 2 * self.negative[-1].astype(float) * self.positive[-1]
        with np.errstate(invalid="ignore"):
            return np.einsum("pb,pb->b", weights, lower) / total

    def equal_error_rate(self) -> np.ndarray:
        """Where both error rates are equal on the ROC curve drawn with straight lines.

        Between the last threshold where the false positive rate is at least the false negative rate
        and the next one, both rates change linearly; they meet exactly once. The number depends on
        the order of the scores only. A point between two thresholds is reached by choosing one of
        them at random; pyeer instead takes, after FVC2000, the mean of both rates at one of them.
        """

        def more_false_positives(place: np.ndarray) -> np.ndarray:
            false_positive, false_negative = self._rates(place)
            return false_positive - false_negative >= 0

        last = np.maximum(self._count(more_false_positives) - 1, 0)
        (low, low_other), (high, high_other) = self._rates(last), self._rates(last + 1)
        before, after = low - low_other, high - high_other
        with np.errstate(invalid="ignore"):
            return low + before / (before - after) * (high - low)

    def true_positive_at(self, false_positive: float) -> np.ndarray:
        """True positive rate at the lowest threshold whose false positive rate is at most this.

        No line is drawn between thresholds: it is what a threshold on these scores reaches.
        """
        lowest = self._count(lambda place: self._rates(place)[0] > false_positive)
        # a resample without negative cases is NaN at every threshold
        lowest = np.minimum(lowest, len(self.cases.thresholds) - 1)
        rates = self._rates(lowest)
        return np.where(np.isnan(rates[0]), np.nan, 1 - rates[1])

    def errors_at(self, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Share of all cases that a threshold decides wrongly, and the mean share of both kinds."""
        place = int(np.searchsorted(self.cases.thresholds, threshold))
        place = min(place, len(self.cases.thresholds) - 1)
        with np.errstate(invalid="ignore"):
            error = sum(self._wrong(place)) / (self.negative[-1] + self.positive[-1])
        return error, sum(self._rates(place)) / 2


def redraw(cases: Sorted, weights: np.ndarray) -> Redrawn:
    """weights float (N, B) of the cases in their order, a column a resample."""
    # beyond this float32 may round the sums
    kind = np.float32 if len(weights) < 2**21 else np.float64
    parts = weights[: cases.negatives], weights[cases.negatives :]
    return Redrawn(cases, *(_cumulated(part.astype(kind, copy=False)) for part in parts))


def _cumulated(weights: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, .. N rows of (N, B), (N + 1, B): as np.cumsum along the first axis,
    whose strided steps take five times as long."""
    many, side = len(weights), int(np.sqrt(len(weights)))
    sums = np.zeros((many + 1, weights.shape[1]), weights.dtype)
    whole = many // side * side
    # side by side in stretches, then each stretch on top of those before
    stretches = sums[1 : whole + 1].reshape(-1, side, weights.shape[1])
    given = weights[:whole].reshape(stretches.shape)
    stretches[:, 0] = given[:, 0]
    for step in range(1, side):
        np.add(stretches[:, step - 1], given[:, step], out=stretches[:, step])
    stretches[1:] += np.cumsum(stretches[:-1, -1], axis=0)[:, None]
    for row in range(whole, many):
        np.add(sums[row], weights[row], out=sums[row + 1])
    return sums
