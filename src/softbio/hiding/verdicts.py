"""How a claim is decided: an interval against a bound, and joint resamples of several files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from softbio.statistics.intervals import Resampled, limits
from softbio.statistics.means import LEVEL, Interval

HELD, NOT_HELD, UNDECIDED = "held", "not held", "undecided"
NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def above(interval: Interval, bound: float = 0.0) -> str:
    """Whether a number is above a bound: held where its whole interval is, not held where none of
    it is, undecided else."""
    if not np.isfinite([interval.estimate, interval.low, interval.high]).all():
        return UNDECIDED
    return HELD if interval.low > bound else NOT_HELD if interval.high <= bound else UNDECIDED


def below(interval: Interval, bound: float = 0.0) -> str:
    """The same for being below it."""
    return above(turned(interval), -bound)


def turned(interval: Interval) -> Interval:
    """The same of the number with the other sign."""
    return Interval(-interval.estimate, -interval.high, -interval.low)


def at_least(interval: Interval, bound: float = 0.0) -> str:
    """Whether a number is at or above a bound."""
    return {HELD: NOT_HELD, NOT_HELD: HELD}.get(below(interval, bound), UNDECIDED)


def all_of(words: Sequence[str]) -> str:
    """A claim of several parts holds where each does, and fails where one fails."""
    if NOT_HELD in words:
        return NOT_HELD
    return HELD if words and all(word == HELD for word in words) else UNDECIDED


@dataclass(frozen=True)
class Draws:
    """One number with its resamples (R,) and its values without one subject each (S,)."""

    estimate: float
    values: np.ndarray
    without: np.ndarray


def draws(numbers: Resampled, name: str) -> Draws:
    """Of one of the numbers of a score file."""
    place = numbers.names.index(name)
    parts = numbers.values[:, place], numbers.without[:, place]
    return Draws(float(numbers.estimates[place]), *parts)


def joint(files: Sequence[Resampled]) -> bool:
    """Whether the resamples of these files belong together: the draws depend on the set of
    subjects alone, so they do where all have the same subjects and as many resamples."""
    first = files[0]
    return all(
        np.array_equal(each.subjects, first.subjects) and len(each.values) == len(first.values)
        for each in files[1:]
    )


def derived(function: Callable[..., np.ndarray], *parts: Draws) -> Draws:
    """A function of several numbers that are drawn together. function: float (N,) each -> (N,), NaN
    where it has no value."""
    estimate = float(function(*(np.array([each.estimate]) for each in parts))[0])
    return Draws(
        estimate,
        function(*(each.values for each in parts)),
        function(*(each.without for each in parts)),
    )


def interval_of(number: Draws) -> Interval:
    """BCa interval of a number over its draws.

    NaN limits where more of the resamples than an interval leaves out have no value: the interval
    would speak of the others alone.
    """
    if np.isnan(number.estimate) or np.isnan(number.values).mean() > 1 - LEVEL:
        return Interval(number.estimate, float("nan"), float("nan"))
    return Interval(number.estimate, *limits(number.estimate, number.values, number.without))


def combined(function: Callable[..., np.ndarray], *parts: Draws) -> Interval:
    """Interval of a function of several numbers that are drawn together, as `derived` takes it."""
    return interval_of(derived(function, *parts))


def interpolated(x: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Where a path of points is at x: the first place on it, drawn with straight lines.

    x float (N,); xs, ys float (N, P), the points of the path in their order, which need not go one
    way. Returns float (N,), NaN where the path never comes to x.
    """
    found = np.full(len(x), np.nan)
    exact = xs[:, 0] == x
    found[exact] = ys[exact, 0]
    for place in range(xs.shape[1] - 1):
        a, b = xs[:, place], xs[:, place + 1]
        inside = np.isnan(found) & (np.minimum(a, b) <= x) & (x <= np.maximum(a, b)) & (a != b)
        share = (x[inside] - a[inside]) / (b[inside] - a[inside])
        found[inside] = (1 - share) * ys[inside, place] + share * ys[inside, place + 1]
    return found


def separated(area: np.ndarray) -> np.ndarray:
    """max(AUC, 1 - AUC) of areas of any shape."""
    return np.maximum(area, 1 - area)
