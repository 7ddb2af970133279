"""Intervals of verification and gender numbers for other subjects of the same kind.

Images of one person are no independent evidence, and a comparison belongs to two people at once.
So subjects are drawn with replacement, as many as there are, and everything else follows: an image
of a subject drawn c times counts c times, a mated comparison too, and a non-mated comparison of
subjects drawn c and d times counts c d times. This is the vertex bootstrap of Fogliato, Patil and
Perona (Confidence intervals for error rates in 1:1 matching tasks, IJCV 2024, arXiv:2306.01198), of
the family of product weights that Owen and Eckles (Annals of Applied Statistics 6, 2012) show to
overestimate the variance mildly, never to underestimate it in the limit. It overestimates most
where a subject takes part in few comparisons, as in LFW's View 2, and hardly where all images are
compared with all.

The limits are BCa (Efron 1987), accelerated by leaving out one subject at a time with all that it
takes part in: percentiles alone cover an AUC near 1 less often than they say. The draws are seeded
and depend on the set of subjects alone, so that scores of the same subjects before and after
protection are drawn together and their difference has an interval of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from softbio.errors import UserError
from softbio.metrics.groups import balanced_error, weighted_mean
from softbio.metrics.verification import FMRS, supports
from softbio.results.attribute_scores import AttributeAbout, AttributeScores
from softbio.results.scores import ComparisonAbout, ComparisonScores, GenderAbout, GenderScores
from softbio.statistics.means import LEVEL, Interval, bca, never_seen
from softbio.statistics.redrawn import Redrawn, redraw, sort_cases
from softbio.statistics.subjects import RESAMPLES, cases_of, leave_one_out, resample

ROUNDING = 1e-12
_NOTHING = (float("nan"), float("nan"))
Scores = GenderScores | ComparisonScores | AttributeScores


@dataclass(frozen=True)
class Resampled:
    """Numbers and their resamples.

    names (K,); estimates float (K,); values float (R, K), NaN where a resample has none; without
    float (S, K): the numbers when one subject is left out; subjects (S,) sorted names; fewest: the
    smaller number of subjects among the positive and the negative cases.
    """

    names: tuple[str, ...]
    estimates: np.ndarray
    values: np.ndarray
    without: np.ndarray
    subjects: np.ndarray
    fewest: int

    def interval(self, name: str) -> Interval:
        """Of one of the numbers, which are shares of 1.

        Where an error has been seen in no subject, or in all, every resample repeats that: then the
        limit is the exact one for this many independent subjects (`never_seen`). NaN limits where a
        single subject tells nothing.
        """
        place = self.names.index(name)
        estimate = float(self.estimates[place])
        low, high = limits(estimate, self.values[:, place], self.without[:, place])
        if low == high == estimate:
            return never_seen(estimate, self.fewest)
        return Interval(estimate, low, high)

    def difference(self, before: "Resampled", name: str) -> Interval:
        """Of this number minus the one before, on the same subjects drawn together; NaN limits
        where neither varies.

        Raises ValueError for other subjects.
        """
        if not np.array_equal(self.subjects, before.subjects):
            raise ValueError("a paired difference needs the same subjects on both sides")
        place, other = self.names.index(name), before.names.index(name)
        estimate = float(self.estimates[place] - before.estimates[other])
        values = self.values[:, place] - before.values[:, other]
        without = self.without[:, place] - before.without[:, other]
        sides = [(self, place), (before, other)]
        if all(np.ptp(side.values[:, column]) <= ROUNDING for side, column in sides):
            return Interval(estimate, *_NOTHING)
        return Interval(estimate, *limits(estimate, values, without))


def limits(estimate: float, values: np.ndarray, without: np.ndarray) -> tuple[float, float]:
    """BCa limits, over the resamples that have a value; NaN where more of them than an interval
    leaves out have none: it would speak of the others alone.

    They hold the estimate, which of the largest of several numbers may lie beyond most resamples.
    """
    without = without[~np.isnan(without)]
    if not len(without):
        return _NOTHING
    if np.ptp(without) <= ROUNDING:
        return percentiles(estimate, values)
    return _around(estimate, values, lambda known: bca(estimate, known, without))


def percentiles(estimate: float, values: np.ndarray) -> tuple[float, float]:
    """Percentile limits, with the same exceptions; where resamples do not vary, the estimate."""

    def ends(known: np.ndarray) -> tuple[float, float]:
        if np.ptp(known) <= ROUNDING:
            return estimate, estimate
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    return _around(estimate, values, ends)


def _around(
    estimate: float, values: np.ndarray, ends: Callable[[np.ndarray], tuple[float, float]]
) -> tuple[float, float]:
    """Limits that `ends` takes of the resamples that have a value, widened to hold the estimate."""
    if np.isnan(values).mean() > 1 - LEVEL:
        return _NOTHING
    low, high = ends(values[~np.isnan(values)])
    return min(low, estimate), max(high, estimate)


def _fewest(positive: np.ndarray, first: np.ndarray, second: np.ndarray) -> int:
    """Subjects of the positive or of the negative cases, whichever are fewer."""
    parts = (np.concatenate([first[part], second[part]]) for part in (positive, ~positive))
    return min(len(np.unique(part.astype(str))) for part in parts)


def _resampled(
    names: tuple[str, ...],
    numbers: Callable[[Redrawn], list[np.ndarray]],
    scores: np.ndarray,
    positive: np.ndarray,
    subjects: tuple[np.ndarray, np.ndarray],
    resamples: int,
    among: np.ndarray | None,
) -> Resampled:
    """numbers: those of `names`, float (B,) each."""
    ordered = sort_cases(scores, positive)
    cases = cases_of(*(side[ordered.order] for side in subjects), among)

    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.stack(numbers(redraw(ordered, weights.T)), axis=-1)

    return Resampled(
        names,
        statistic(np.ones((1, len(positive)), np.float32))[0],
        resample(statistic, cases, resamples),
        leave_one_out(statistic, cases),
        cases.names,
        _fewest(positive, *subjects),
    )


def of_gender(
    scores: GenderScores, resamples: int = RESAMPLES, among: np.ndarray | None = None
) -> Resampled:
    """auc, eer; error and balanced_error at the shipped threshold; the cluster is the subject.

    among: the subjects that are drawn, object (S,), where others than the file's are too."""

    def numbers(drawn: Redrawn) -> list[np.ndarray]:
        return [drawn.area(), drawn.equal_error_rate(), *drawn.errors_at(scores.threshold)]

    names = ("auc", "eer", "error", "balanced_error")
    subjects = (scores.subjects, scores.subjects)
    return _resampled(names, numbers, scores.scores, scores.labels == 1, subjects, resamples, among)


def tmr_name(fmr: float) -> str:
    """The name of TMR at an FMR among the numbers of `of_comparisons`."""
    return f"tmr@{fmr:g}"


def of_comparisons(
    scores: ComparisonScores,
    fmrs: tuple[float, ...] = FMRS,
    resamples: int = RESAMPLES,
    among: np.ndarray | None = None,
) -> Resampled:
    """auc, eer and the TMR at each FMR (`tmr_name`), NaN where the comparisons do not support it;
    the cluster is the subject, of which a comparison has two. among: as in `of_gender`."""
    mated = scores.mated
    held = [supports(int((~mated).sum()), fmr) for fmr in fmrs]

    def numbers(drawn: Redrawn) -> list[np.ndarray]:
        area = drawn.area()
        nothing = np.full_like(area, np.nan)
        at = [
            drawn.true_positive_at(fmr) if is_held else nothing
            for fmr, is_held in zip(fmrs, held, strict=True)
        ]
        return [area, drawn.equal_error_rate(), *at]

    names = ("auc", "eer", *(tmr_name(fmr) for fmr in fmrs))
    return _resampled(names, numbers, scores.scores, mated, scores.subjects, resamples, among)


def of_attribute(
    scores: AttributeScores, resamples: int = RESAMPLES, among: np.ndarray | None = None
) -> Resampled:
    """balanced_error over groups or classes and, of years, mae; among: as in `of_gender`.

    Raises ValueError where the labels tell but one group."""
    told, predicted = scores.classes
    if len(np.unique(told)) < 2:
        raise ValueError(f"all images are of one {scores.about.attribute}")
    names = ("balanced_error", "mae") if scores.in_years else ("balanced_error",)
    cases = cases_of(scores.subjects, scores.subjects, among)

    def statistic(weights: np.ndarray) -> np.ndarray:
        found = balanced_error(told, predicted, weights), weighted_mean(scores.errors, weights)
        return np.stack(found[: len(names)], axis=-1)

    return Resampled(
        names,
        statistic(np.ones((1, len(told)), np.float32))[0],
        resample(statistic, cases, resamples),
        leave_one_out(statistic, cases),
        cases.names,
        min(len(np.unique(scores.subjects[told == each].astype(str))) for each in np.unique(told)),
    )


def separation(area: Interval) -> Interval:
    """Interval of max(AUC, 1 - AUC) from that of the AUC: its image, so that one around 1/2 starts
    at 1/2."""
    ends = (area.low, 1 - area.low, area.high, 1 - area.high)
    inside = area.low <= 0.5 <= area.high
    lowest = 0.5 if inside else min(max(ends[:2]), max(ends[2:]))
    return Interval(max(area.estimate, 1 - area.estimate), lowest, max(ends))


@dataclass(frozen=True)
class Judged:
    """A score file and its numbers: what tables and figures are made from."""

    scores: Scores
    numbers: Resampled

    @property
    def about(self) -> GenderAbout | ComparisonAbout | AttributeAbout:
        """What the file is about."""
        return self.scores.about

    def interval(self, name: str) -> Interval:
        """Of one of the numbers, for other subjects."""
        return self.numbers.interval(name)


JUDGES = {GenderScores: of_gender, ComparisonScores: of_comparisons, AttributeScores: of_attribute}


def judge(scores: Scores, resamples: int = RESAMPLES, among: np.ndarray | None = None) -> Judged:
    """Numbers of a score file with their intervals. among: the subjects that are drawn, of several
    files all that one of them has, so that they are drawn together; those of the file without it.

    Raises UserError where a class or a kind of comparison has no case.
    """
    try:
        found = JUDGES[type(scores)](scores, resamples=resamples, among=among)
        return Judged(scores, found)
    except ValueError as error:
        about = scores.about
        by = about.matcher if isinstance(scores, ComparisonScores) else about.evaluator
        raise UserError(f"{about.dataset}, {by}, {about.protector}: {error}") from None
