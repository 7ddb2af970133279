"""How a claim is decided: an interval against a bound, and joint resamples of several files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from softbio.statistics.intervals import ROUNDING, Resampled, limits, percentiles
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


def doubt(interval: Interval, bound: float = 0.0, seeds: int = 1) -> float:
    """One-sided p value of a number's being so far from the bound if it were at the bound. NaN
    without limits; of a number that does not vary 1/2 at the bound, 0 elsewhere.

    The longer side of its interval is taken for the 97.5 % point of a normal number or, of a mean
    over several seeds, of Student's t: whose tails are much longer where the seeds are few. Where
    the spread over subjects dominates, or an interval leans to one side, p is too large rather than
    too small.
    """
    reach = np.max([interval.estimate - interval.low, interval.high - interval.estimate])
    away = abs(interval.estimate - bound)
    if reach == 0:
        return 0.0 if away > ROUNDING else 0.5
    law = t(seeds - 1) if seeds > 1 else norm
    return float(law.sf(law.ppf((1 + LEVEL) / 2) * away / reach))


def clear_among(interval: Interval, count: int, bound: float = 0.0, seeds: int = 1) -> bool:
    """Whether a number lies so clearly on one side of a bound that the clearest of `count` numbers
    at the bound would not by chance: Bonferroni's correction, the first step of Holm's."""
    return doubt(interval, bound, seeds) * count <= (1 - LEVEL) / 2


@dataclass(frozen=True)
class Draws:
    """One number with its resamples (R,) and its values without one subject each (S,).

    of_varying: whether any of the numbers that it was derived from varies, None where of none;
    kinked: whether its function has a kink among the draws, so that they are not about symmetric on
    any scale, which BCa limits assume.
    """

    estimate: float
    values: np.ndarray
    without: np.ndarray
    of_varying: bool | None = None
    kinked: bool = False

    @property
    def varies(self) -> bool:
        """Whether the draws tell what other subjects would do: those of a number in which no error
        was seen do not, nor those of what is made of such numbers alone. The difference of two
        files that are equal is 0 in each draw, and certain."""
        if self.of_varying is not None:
            return self.of_varying
        spreads = [np.ptp(each[~np.isnan(each)]) for each in (self.values, self.without)
                   if not np.isnan(each).all()]  # fmt: skip
        return any(spread > ROUNDING for spread in spreads)


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
        any(each.varies for each in parts),
        any(each.kinked for each in parts),
    )


def interval_of(number: Draws) -> Interval:
    """BCa interval of a number over its draws, of percentiles where it is `kinked`; NaN limits as
    of `limits`, and where it does not vary."""
    if np.isnan(number.estimate) or not number.varies:
        return Interval(number.estimate, float("nan"), float("nan"))
    if number.kinked:
        return Interval(number.estimate, *percentiles(number.estimate, number.values))
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


def folded(error: np.ndarray) -> np.ndarray:
    """min(e, 1 - e) of errors between two classes, of any shape: what is left of those beyond 1/2
    where somebody inverts the decisions."""
    return np.minimum(error, 1 - error)


def folded_draws(error: Draws) -> Draws:
    """`folded` of an error between two classes, all draws on the side of the estimate.

    A draw on the other side of 1/2 is not folded but lies above 1/2. Folded draws of an error near
    1/2 would all lie below it, so that no interval of theirs could hold 1/2; an interval of these
    is to be brought back by `folded_interval`.
    """
    return error if not error.estimate > 0.5 else derived(lambda each: 1 - each, error)


def folded_interval(found: Interval) -> Interval:
    """The interval of a folded error, or of a mean of some, from that of `folded_draws`: its image,
    so that one around 1/2 ends at 1/2."""
    if not found.high > 0.5:
        return found
    return Interval(found.estimate, min(found.low, 1 - found.high), 0.5)


def separated_draws(area: Draws) -> Draws:
    """max(AUC, 1 - AUC) of an area, all draws on the side of the estimate, as `folded_draws`: one
    on the other side of 1/2 lies below 1/2."""
    return area if not area.estimate < 0.5 else derived(lambda each: 1 - each, area)


def folded_path(xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A path of points, float (N, P), whose x is an error between two classes, with x folded: a
    line that crosses 1/2 turns back there, so each has a point more, float (N, 2 P - 1)."""
    first, second = xs[:, :-1], xs[:, 1:]
    crosses = (first - 0.5) * (second - 0.5) < 0
    step = np.where(crosses, second - first, 1.0)
    share = np.where(crosses, (0.5 - first) / step, 0.0)
    both = []
    for side, between in ((xs, np.where(crosses, 0.5, first)),
                          (ys, ys[:, :-1] + share * (ys[:, 1:] - ys[:, :-1]))):  # fmt: skip
        points = np.empty((len(side), 2 * side.shape[1] - 1))
        points[:, ::2], points[:, 1::2] = side, between
        both.append(points)
    return folded(both[0]), both[1]
