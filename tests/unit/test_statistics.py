"""Intervals and tests against scipy, by hand, and by what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from softbio.statistics.means import (
    Interval,
    bca,
    bootstrap,
    both,
    clustered,
    effect_size,
    holm,
    mean_interval,
    of_share,
    seed_interval,
    sign_flip_p,
)


@pytest.fixture
def values() -> np.ndarray:
    """Skewed, as absolute errors are."""
    return np.random.default_rng(3).gamma(1.2, 4, 300)


def test_bootstrap_equals_scipys_bca(values):
    ours = bootstrap(clustered(values), 20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)
    assert ours.estimate == pytest.approx(values.mean())


@pytest.mark.parametrize("whole", [False, True])
def test_bca_limits_equal_scipys_of_the_same_resamples(whole):
    """Also of whole numbers, whose resamples are often equal to the estimate."""
    few = np.random.default_rng(9).lognormal(1, 1.2, 12)
    few = few.round() if whole else few
    result = stats.bootstrap((few,), np.mean, n_resamples=999, method="BCa", rng=1)
    without = np.array([np.delete(few, place).mean() for place in range(len(few))])
    expected = result.confidence_interval
    found = bca(few.mean(), result.bootstrap_distribution, without)
    assert found == pytest.approx((expected.low, expected.high))


def test_bootstrap_of_few_and_skewed_values_equals_scipys():
    """Here the acceleration moves the limits by a tenth of the interval and more."""
    few = np.random.default_rng(9).lognormal(1, 1.2, 12)
    theirs = stats.bootstrap(
        (few,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = bootstrap(clustered(few), 20_000)
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_clustered_bootstrap_equals_scipys_of_cluster_totals():
    rng = np.random.default_rng(4)
    names = rng.integers(0, 60, 400)
    values = rng.gamma(1.2, 4, 400) + 3 * (names % 5)
    ours = bootstrap(clustered(values, names), 10_000)
    totals = clustered(values, names)
    theirs = stats.bootstrap(
        (totals.sums, totals.counts),
        lambda sums, counts, axis: sums.sum(axis) / counts.sum(axis),
        n_resamples=10_000, method="BCa", paired=True, rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.04 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.04 * width)
    # images of one person are no independent evidence
    single = bootstrap(clustered(values))
    assert ours.high - ours.low > 1.3 * (single.high - single.low)


def test_sign_flips_equal_scipys_exact_test():
    differences = np.random.default_rng(6).normal(0.45, 1, 12)
    exact = stats.permutation_test(
        (differences, np.zeros(12)), lambda a, b: np.mean(a - b), permutation_type="samples",
        n_resamples=np.inf, alternative="two-sided",
    ).pvalue  # fmt: skip
    # 2^12 arrangements; ours draws 9,999 of them
    assert sign_flip_p(clustered(differences)) == pytest.approx(exact, abs=0.012)


def test_sign_flips_of_nothing_and_of_everything():
    assert sign_flip_p(clustered(np.zeros(50))) == 1
    assert sign_flip_p(clustered(np.ones(50))) == pytest.approx(1e-4)


def test_sign_flips_turn_whole_clusters():
    """Four persons cannot give a p below 1/8, however many images they have."""
    names = np.repeat(np.arange(4), 100)
    assert sign_flip_p(clustered(np.ones(400), names)) > 0.1


def test_false_claims_are_as_rare_as_promised():
    """Without a difference the p value is uniform and 95 % of the intervals hold zero."""
    rng = np.random.default_rng(8)
    p, covered = [], 0
    for _ in range(300):
        differences = clustered(rng.gamma(1.5, 2, 60) - rng.gamma(1.5, 2, 60))
        p.append(sign_flip_p(differences, 199))
        covered += not bootstrap(differences, 300).excludes_zero
    # binomial: 300 draws, sd of the share .0126
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.10
    assert 0.90 < covered / 300 < 0.985


def test_seed_interval_equals_scipys_welch():
    ours, theirs = np.array([3.56, 3.48, 3.50]), np.array([3.42, 3.51, 3.48, 3.40])
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    found = seed_interval(ours, theirs)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert seed_interval(ours[:1], theirs) is None


def test_mean_interval_equals_scipys_students():
    seeds = np.array([3.56, 3.48, 3.50])
    expected = stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    found = mean_interval(seeds)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    pair = stats.ttest_1samp(seeds[:2], 0).confidence_interval(0.95)
    assert mean_interval(seeds[:2]).low == pytest.approx(pair.low)
    assert mean_interval(seeds[:1]) is None


def test_interval_over_both_is_never_narrower_than_either():
    images, seeds = Interval(1.0, 0.6, 1.5), Interval(1.0, 0.7, 1.3)
    found = both(seeds, images)
    assert found.low == pytest.approx(1 - 0.5)  # 3, 4, 5
    assert found.high == pytest.approx(1 + np.sqrt(0.3**2 + 0.5**2))
    assert both(None, images) is None


def test_interval_over_both_covers_as_promised():
    """Two networks, three seeds each, sixty images: the truth lies inside in 95 % of trials."""
    rng, covered = np.random.default_rng(10), 0
    for _ in range(300):
        image, seed = rng.normal(0.3, 2, 200), rng.normal(0, 0.15, (2, 3))
        ours, theirs = image.mean() + seed[0], seed[1]
        found = both(
            seed_interval(ours, theirs),
            bootstrap(clustered(image + np.mean(seed[0]) - np.mean(seed[1])), 300),
        )
        covered += found.low <= 0.3 <= found.high
    assert covered / 300 > 0.92


def test_holm_by_hand():
    """Holm 1979: .01 x 4, .02 x 3, .03 x 2 (not below .06), .04 x 1 (not below .06)."""
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_the_raw_and_bonferronis(p):
    adjusted = holm(p)
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (adjusted <= np.minimum(np.array(p) * len(p), 1) + 1e-12).all()
    # the order is kept
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-20, 20), min_size=3, max_size=40), st.integers(1, 5))
def test_repeating_every_image_of_a_person_changes_nothing(values, times):
    """The law that images of one person are no independent evidence."""
    names = np.arange(len(values))
    once = clustered(np.array(values), names)
    often = clustered(np.repeat(values, times), np.repeat(names, times))
    assert bootstrap(often, 200).low == pytest.approx(bootstrap(once, 200).low)
    assert sign_flip_p(often, 99) == sign_flip_p(once, 99)


def test_what_does_not_vary_has_no_width():
    found = bootstrap(clustered(np.full(20, 2.0)))
    assert (found.low, found.estimate, found.high) == (2, 2, 2)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_none_or_all_has_the_exact_limit(share):
    values = clustered(np.full(60, share), np.repeat(np.arange(20), 3))
    exact = stats.binomtest(int(20 * share), 20).proportion_ci(0.95, "exact")
    found = of_share(values)
    assert (found.estimate, found.low, found.high) == pytest.approx((share, exact.low, exact.high))
    assert np.isnan(of_share(clustered(np.full(9, 0.5))).low)
    mixed = clustered(np.repeat([0.0, 1.0], 10))
    assert of_share(mixed) == bootstrap(mixed)


def test_effect_size():
    assert effect_size(np.array([1.0, 2.0, 3.0])) == 2
    assert effect_size(np.zeros(4)) == 0
    # equal but for the rounding of their mean
    assert np.isnan(effect_size(np.full(1000, 1 / 3)))
    assert np.isnan(effect_size(np.array([2.0])))


def test_an_interval_of_unknown_limits_excludes_nothing():
    assert Interval(1.0, 0.5, 1.5).excludes_zero
    assert Interval(-1.0, -1.5, -0.5).excludes_zero
    assert not Interval(1.0, -0.5, 1.5).excludes_zero
    assert not Interval(1.0, float("nan"), float("nan")).excludes_zero
