"""Intervals clustered by subject: their laws, and how often they cover the truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from softbio.data.pairs import all_pairs
from softbio.results.scores import (
    SIDES,
    ComparisonAbout,
    ComparisonScores,
    GenderAbout,
    GenderScores,
)
from softbio.statistics import intervals
from softbio.statistics.intervals import Resampled
from softbio.statistics.means import Interval

ABOUT = ComparisonAbout("made", "m", "original", "", "original-original", "similarity", "all")
GENDER = GenderAbout("made", "g", "original", "", 0.0, "higher")
DELTA, SHARED, OWN = 2.0, 0.5, 0.7


def compared(frame: pd.DataFrame, scores: np.ndarray) -> ComparisonScores:
    return ComparisonScores(ABOUT, frame.assign(score=scores))


def images(subjects: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    names = np.array([f"s{s:03d}" for s in range(subjects) for _ in range(each)], object)
    return np.array([f"{s}-{i}" for i, s in enumerate(names)], object), names


def drawn(frame: pd.DataFrame, generator) -> ComparisonScores:
    """Scores in which each subject is alike to others, or to itself, in its own degree. Both kinds
    have one variance, so that AUC, EER and TMR are known."""
    first, second = (pd.factorize(frame[f"{s}_subject"], sort=True)[0] for s in SIDES)
    mated = frame["mated"].to_numpy(bool)
    own, other = generator.normal(0, SHARED, (2, max(first.max(), second.max()) + 1))
    common = np.where(mated, DELTA + np.sqrt(2) * own[first], other[first] + other[second])
    return compared(frame, common + generator.normal(0, OWN, len(frame)))


SPREAD = np.sqrt(2 * SHARED**2 + OWN**2)
TRUTH = {
    "auc": norm.cdf(DELTA / (np.sqrt(2) * SPREAD)),
    "eer": norm.cdf(-DELTA / (2 * SPREAD)),
    "tmr@0.1": norm.cdf(DELTA / SPREAD - norm.ppf(0.9)),
}


def coverage(frame: pd.DataFrame, repeats: int) -> dict[str, float]:
    covered = dict.fromkeys(TRUTH, 0)
    for seed in range(repeats):
        scores = drawn(frame, np.random.default_rng(seed))
        found = intervals.of_comparisons(scores, fmrs=(0.1,), resamples=200)
        for name, truth in TRUTH.items():
            interval = found.interval(name)
            covered[name] += interval.low <= truth <= interval.high
    return {name: count / repeats for name, count in covered.items()}


def test_intervals_of_all_pairs_cover_the_truth():
    """95 % intended; 100 repeats have an SD of 2 points."""
    found = coverage(all_pairs(*images(25, 3)), repeats=100)
    assert min(found.values()) >= 0.89, found


def test_intervals_of_few_comparisons_a_subject_are_wide_rather_than_narrow():
    frame = all_pairs(*images(300, 2), cap=300)
    assert min(coverage(frame, repeats=60).values()) >= 0.93


def test_taking_comparisons_for_independent_would_not_cover():
    """The reason for clusters: with each comparison its own subject the truth is often outside."""
    frame = all_pairs(*images(25, 2))
    own, covered = np.arange(len(frame)).astype(str).astype(object), 0
    for seed in range(30):
        scores = drawn(frame, np.random.default_rng(seed))
        alone = scores.frame.assign(reference_subject=own, probe_subject=own)
        found = intervals.of_comparisons(compared(alone, scores.scores), (0.1,), 100)
        covered += found.interval("auc").low <= TRUTH["auc"] <= found.interval("auc").high
    assert covered / 30 < 0.8


def test_gender_intervals_cover_the_truth():
    covered, names = 0, images(40, 3)
    for seed in range(100):
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, 2, 40)
        labels[:2] = 0, 1
        scores = np.repeat(labels + generator.normal(0, 0.8, 40), 3) + generator.normal(0, 0.6, 120)
        frame = pd.DataFrame({"image": names[0], "subject": names[1], "score": scores})
        judged = GenderScores(GENDER, frame.assign(label=np.repeat(labels, 3)))
        interval = intervals.of_gender(judged, 200).interval("auc")
        covered += interval.low <= norm.cdf(1 / np.sqrt(2)) <= interval.high
    assert covered >= 88


def test_a_weight_is_the_product_of_both_subjects_draws():
    # of a by itself, of a and b, of b and c, of b by itself, of c by itself
    first, second = np.array(["a", "a", "b", "b", "c"]), np.array(["a", "b", "c", "b", "c"])
    cases = intervals.cases_of(first, second)
    weights = intervals.resample(lambda w: w, cases, 500)
    assert cases.names.tolist() == ["a", "b", "c"]
    # a drawn thrice: the mated comparison counts three times, not nine
    assert set(weights[:, 0]) <= {0, 1, 2, 3}
    assert (weights[:, 1] == weights[:, 0] * weights[:, 3]).all()
    assert (weights[:, 2] == weights[:, 3] * weights[:, 4]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()
    assert set(weights[:, 1]) == {0, 1, 2}
    assert weights[:, 0].mean() == pytest.approx(1, abs=0.15)
    without = intervals.leave_one_out(lambda w: w, cases)
    assert without.tolist() == [[0, 0, 1, 1, 1], [1, 0, 0, 0, 1], [1, 1, 0, 1, 0]]


def test_too_few_non_mated_comparisons_support_no_rate():
    frame = all_pairs(*images(3000, 2), cap=3000)
    assert len(frame) == 6000
    found = intervals.of_comparisons(drawn(frame, np.random.default_rng(0)))
    assert found.values.shape == (1000, 4)
    assert np.isnan(found.interval("tmr@0.001").estimate)
    assert np.isnan(found.interval("tmr@0.001").low)
    assert found.interval("tmr@0.01").low < found.interval("tmr@0.01").estimate


def test_the_order_of_rows_changes_nothing():
    frame = all_pairs(*images(10, 2))
    scores = drawn(frame, np.random.default_rng(1))
    turned = compared(frame[::-1], scores.scores[::-1])
    first, second = (intervals.of_comparisons(part, resamples=50) for part in (scores, turned))
    np.testing.assert_allclose(first.values[:, :2], second.values[:, :2], rtol=0, atol=1e-12)


def test_without_errors_the_limit_is_that_of_the_subjects():
    frame = all_pairs(*images(20, 2))
    perfect = compared(frame, frame["mated"].to_numpy(float))
    found = intervals.of_comparisons(perfect, resamples=50)
    assert found.interval("eer") == Interval(0, 0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert found.interval("auc") == Interval(1, pytest.approx(0.025 ** (1 / 20)), 1)


def test_limits_of_a_number_that_no_subject_moves_are_percentiles():
    values, still = np.r_[np.arange(1001) / 1000, np.nan], np.full(5, 0.4)
    assert intervals.limits(0.4, values, still) == pytest.approx((0.025, 0.975))
    assert intervals.limits(0.4, np.full(9, 0.4), still) == (0.4, 0.4)
    assert np.isnan(intervals.limits(0.4, np.full(9, np.nan), still)).all()


def test_a_difference_is_paired():
    frame = all_pairs(*images(30, 2))
    scores = drawn(frame, np.random.default_rng(2))
    noise = np.random.default_rng(3).normal(0, 0.02, len(frame))
    before = intervals.of_comparisons(scores, resamples=200)
    after = intervals.of_comparisons(compared(frame, scores.scores + noise), resamples=200)
    paired, alone = after.difference(before, "auc"), after.interval("auc")
    assert paired.low <= paired.estimate <= paired.high
    assert paired.high - paired.low < (alone.high - alone.low) / 4
    other = intervals.of_comparisons(drawn(all_pairs(*images(31, 2)), np.random.default_rng(0)))
    with pytest.raises(ValueError, match="same subjects"):
        after.difference(other, "auc")


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ((0.8, 0.7, 0.9), (0.8, 0.7, 0.9)),
        ((0.2, 0.1, 0.3), (0.8, 0.7, 0.9)),
        ((0.45, 0.3, 0.6), (0.55, 0.5, 0.7)),
    ],
)
def test_separation_is_the_image_of_the_interval(area, expected):
    found = intervals.separation(Interval(*area))
    assert (found.estimate, found.low, found.high) == pytest.approx(expected)


def test_files_that_pass_over_a_subject_can_be_drawn_with_the_others():
    frame = all_pairs(*images(20, 2))
    scores = drawn(frame, np.random.default_rng(4))
    everybody, sides = images(20, 2)[1], frame[[f"{side}_subject" for side in SIDES]]
    without = frame[~(sides == "s007").any(axis=1)]
    part = compared(without, scores.frame.loc[without.index, "score"].to_numpy())
    whole = intervals.of_comparisons(scores, resamples=200)
    same = intervals.of_comparisons(scores, resamples=200, among=everybody)
    np.testing.assert_array_equal(whole.values, same.values)
    found = intervals.of_comparisons(part, resamples=200, among=everybody)
    alone = intervals.of_comparisons(part, resamples=200)
    assert found.estimates.tolist() == pytest.approx(alone.estimates.tolist(), nan_ok=True)
    # one subject of twenty: nearly the same numbers, draw by draw
    assert np.corrcoef(found.values[:, 0], whole.values[:, 0])[0, 1] > 0.9
    assert found.difference(whole, "auc").low <= found.difference(whole, "auc").high
    # without it there is nothing that it could change
    assert found.without[found.subjects == "s007", 0] == found.estimates[0]
    with pytest.raises(ValueError, match="s007 is not among the subjects"):
        intervals.of_comparisons(scores, resamples=5, among=alone.subjects)


@pytest.mark.parametrize(("lacking", "known"), [(4, True), (6, False)])
def test_limits_leave_out_no_more_resamples_than_an_interval_does(lacking, known):
    values = np.random.default_rng(0).normal(size=100)
    values[:lacking] = np.nan
    without = np.random.default_rng(1).normal(size=20)
    for low, high in (intervals.limits(0.0, values, without), intervals.percentiles(0.0, values)):
        assert np.isfinite([low, high]).all() == known


@pytest.mark.parametrize("estimate", [-9.0, 9.0])
def test_limits_hold_the_estimate_where_all_resamples_lie_beside_it(estimate):
    low, high = intervals.percentiles(estimate, np.linspace(-1, 1, 200))
    assert (estimate, pytest.approx(0.95)) in ((low, high), (high, -low))


def test_a_difference_has_limits_where_one_of_the_two_numbers_varies():
    rng = np.random.default_rng(0)
    moving = Resampled(("eer",), np.array([0.3]), 0.3 + rng.normal(0, 0.01, (400, 1)),
                       0.3 + rng.normal(0, 0.001, (30, 1)), np.arange(30), 30)  # fmt: skip
    fixed = Resampled(("eer",), np.array([0.1]), np.full((400, 1), 0.1), np.full((30, 1), 0.1),
                      np.arange(30), 30)  # fmt: skip
    for one, other, sign in ((moving, fixed, 1), (fixed, moving, -1)):
        found = one.difference(other, "eer")
        assert found.estimate == pytest.approx(sign * 0.2)
        assert found.low < found.estimate < found.high
    assert np.isnan(fixed.difference(fixed, "eer").low)


def test_an_error_that_nobody_made_is_known_by_the_rarer_kind_of_subject():
    """4 of 14 subjects are positive and all are told apart: Clopper and Pearson for 4 of 4."""
    labels = np.repeat([1, 0], [4, 10])
    names = [f"s{n}" for n in range(14)]
    frame = pd.DataFrame({"image": names, "subject": names, "label": labels, "score": 1.0 * labels})
    found = intervals.of_gender(GenderScores(GENDER, frame), 200).interval("auc")
    exact = binomtest(4, 4).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
