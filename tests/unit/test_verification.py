"""FMR, FNMR, EER, TMR and CMC against scikit-learn, pyeer and their own laws."""

from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from pyeer import eer_stats
from pyeer.cmc_stats import get_cmc_curve

from softbio.metrics import verification as v
from softbio.statistics.redrawn import Redrawn, redraw, sort_cases

# few distinct scores, so that ties within and between both kinds are common
SCORES = st.lists(st.integers(-4, 4), min_size=1, max_size=30)


def comparisons(own, other) -> tuple[np.ndarray, np.ndarray]:
    """Scores and mated of lists of either kind."""
    return np.r_[own, other].astype(float), np.r_[np.ones(len(own)), np.zeros(len(other))] == 1


def of_pyeer(scores, mated) -> SimpleNamespace:
    """What pyeer.eer_info.get_eer_stats gives; that module needs pkg_resources, which is gone."""
    own, other = scores[mated], scores[~mated]
    thrs, fmr, fnmr = eer_stats.calculate_roc(own, other)
    _, low, high, eer = eer_stats.get_eer_values(fmr, fnmr)
    points = {f"fmr{n}": eer_stats.get_fmr_op(fmr, fnmr, 1 / n)[1] for n in (100, 1000)}
    return SimpleNamespace(
        thrs=thrs, fmr=fmr, fnmr=fnmr, eer_low=low, eer_high=high, eer=eer, **points
    )


def drawn_once(scores, mated) -> Redrawn:
    """Every comparison once, as the library computes the numbers of a file."""
    return redraw(sort_cases(scores, mated), np.ones((len(scores), 1)))


def eer_of(scores, mated) -> float:
    return drawn_once(scores, mated).equal_error_rate()[0]


def area_of(scores, mated) -> float:
    return drawn_once(scores, mated).area()[0]


def tmr_of(scores, mated, fmr) -> float:
    return drawn_once(scores, mated).true_positive_at(fmr)[0]


def normal(own: int, other: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return comparisons(generator.normal(1.5, 1, own), generator.normal(0, 1, other))


@given(SCORES, SCORES)
def test_operating_points_equal_scikit_learn(own, other):
    scores, mated = comparisons(own, other)
    found = v.curve(scores, mated)
    fmr, tmr, thresholds = sklearn.metrics.roc_curve(mated, scores, drop_intermediate=False)
    np.testing.assert_array_equal(found.thresholds[::-1], thresholds)
    np.testing.assert_allclose(found.fmr[::-1], fmr, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.tmr[::-1], tmr, rtol=0, atol=1e-12)
    assert area_of(scores, mated) == pytest.approx(sklearn.metrics.roc_auc_score(mated, scores))


@given(SCORES, SCORES)
def test_det_equals_scikit_learn_where_it_has_points(own, other):
    scores, mated = comparisons(own, other)
    fmr, fnmr, thresholds = sklearn.metrics.det_curve(mated, scores)
    finite = np.isfinite(thresholds)
    found = v.curve(scores, mated)
    places = np.searchsorted(found.thresholds, thresholds[finite])
    np.testing.assert_allclose(found.fmr[places], fmr[finite], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.fnmr[places], fnmr[finite], rtol=0, atol=1e-12)


@given(SCORES, SCORES)
def test_both_rates_are_monotone_between_0_and_1(own, other):
    found = v.curve(*comparisons(own, other))
    assert (np.diff(found.fmr) <= 0).all()
    assert (np.diff(found.fnmr) >= 0).all()
    assert (found.fmr[0], found.fnmr[0], found.fmr[-1], found.fnmr[-1]) == (1, 0, 0, 1)


@given(SCORES, SCORES)
def test_eer_lies_on_the_roc_of_scikit_learn(own, other):
    scores, mated = comparisons(own, other)
    eer = eer_of(scores, mated)
    fmr, tmr, _ = sklearn.metrics.roc_curve(mated, scores, drop_intermediate=False)
    # where the curve is vertical its TMR at the EER is a range
    low = np.interp(eer - 1e-9, fmr, tmr)
    high = np.interp(eer + 1e-9, fmr, tmr)
    assert low - 1e-6 <= 1 - eer <= high + 1e-6


@given(SCORES, SCORES)
def test_eer_lies_within_the_interval_of_pyeer(own, other):
    scores, mated = comparisons(own, other)
    found = v.curve(scores, mated)
    # pyeer has no threshold above all scores
    assume(found.fmr[-2] <= found.fnmr[-2])
    reference = of_pyeer(scores, mated)
    eer = eer_of(scores, mated)
    assert reference.eer_low - 1e-12 <= eer <= reference.eer_high + 1e-12


def test_all_rates_equal_pyeer():
    scores, mated = normal(400, 3000)
    reference = of_pyeer(scores, mated)
    found = v.curve(scores, mated)
    np.testing.assert_array_equal(found.thresholds[:-1], reference.thrs)
    np.testing.assert_allclose(found.fmr[:-1], reference.fmr, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.fnmr[:-1], reference.fnmr, rtol=0, atol=1e-12)
    assert tmr_of(scores, mated, 0.01) == pytest.approx(1 - reference.fmr100)
    assert eer_of(scores, mated) == pytest.approx(reference.eer, abs=1 / 400)
    # the mean of both rates at one threshold, as pyeer defines it, from ours
    gap = found.fmr - found.fnmr
    near = np.flatnonzero(gap <= 0)[0] - np.array([1, 0])
    both = (found.fmr + found.fnmr)[near]
    assert both.min() / 2 == pytest.approx(reference.eer)


def test_tmr_at_fmr_of_a_thousandth_equals_pyeer():
    scores, mated = normal(200, 30_000)
    reference = of_pyeer(scores, mated)
    assert tmr_of(scores, mated, 0.001) == pytest.approx(1 - reference.fmr1000)


@given(SCORES, SCORES)
def test_a_monotone_transform_changes_neither_eer_nor_area(own, other):
    scores, mated = comparisons(own, other)
    for changed in (np.exp(scores), scores**3, 7 - 2 / (scores + 9)):
        assert eer_of(changed, mated) == eer_of(scores, mated)
        assert area_of(changed, mated) == area_of(scores, mated)


@given(SCORES, SCORES)
def test_exchanging_both_kinds_complements_area_and_eer(own, other):
    scores, mated = comparisons(own, other)
    assert area_of(scores, ~mated) == pytest.approx(1 - area_of(scores, mated))
    assert eer_of(scores, ~mated) == pytest.approx(1 - eer_of(scores, mated))
    # both exchanges at once are the same matcher seen from the other side
    assert eer_of(-scores, ~mated) == pytest.approx(eer_of(scores, mated))


@given(SCORES, SCORES)
def test_distances_are_turned_once(own, other):
    scores, mated = comparisons(own, other)
    distances = v.similarity(-scores, "distance")
    assert eer_of(distances, mated) == eer_of(scores, mated)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="cosine"):
        v.similarity(np.zeros(2), "cosine")


@pytest.mark.parametrize(
    ("own", "other", "eer", "area"),
    [
        ([1], [0], 0, 1),
        ([0], [1], 1, 0),
        ([0], [0], 0.5, 0.5),
        ([0, 2], [0, 2], 0.5, 0.5),
        # between the thresholds 3 and 4 FMR falls from 1/3 to 0 and FNMR rises from 1/4 to 1/2
        ([1, 3, 4, 5], [0, 2, 3], 2 / 7, 9.5 / 12),
    ],
)
def test_small_cases_by_hand(own, other, eer, area):
    scores, mated = comparisons(own, other)
    assert eer_of(scores, mated) == pytest.approx(eer)
    assert area_of(scores, mated) == pytest.approx(area)


def test_the_rule_of_30_decides_which_fmr_is_reported():
    assert v.supports(3000, 0.01)
    assert not v.supports(2999, 0.01)
    assert v.supports(30_000, 0.001)
    assert not v.supports(3000, 0.001)


def test_tmr_is_reached_by_a_threshold():
    scores, mated = normal(500, 3000, seed=3)
    found = v.curve(scores, mated)
    place = np.flatnonzero(found.fmr <= 0.01)[0]
    assert tmr_of(scores, mated, 0.01) == found.tmr[place]
    assert found.fmr[place - 1] > 0.01


def test_the_fmr_that_is_asked_for_may_be_reached_exactly():
    other = np.r_[np.zeros(2970), np.full(30, 0.5)]
    scores, mated = np.r_[[0.5] * 6, [-1.0] * 4, other], np.arange(3010) < 10
    assert tmr_of(scores, mated, 0.01) == 0.6


@pytest.mark.parametrize(
    ("scores", "mated"), [([1.0, np.nan], [1, 0]), ([1.0, 2.0], [1, 1]), ([1.0], [0])]
)
def test_what_cannot_be_judged_is_refused(scores, mated):
    with pytest.raises(ValueError, match=r"finite|at least one"):
        eer_of(np.array(scores), np.array(mated) == 1)


def gallery(scores: np.ndarray) -> tuple[np.ndarray, ...]:
    """(P, G) scores in long form; probe p shows subject p modulo G."""
    probes, references = np.indices(scores.shape)
    names = np.char.add("p", probes.astype(str)).ravel()
    return scores.ravel(), names, references.ravel(), (probes % scores.shape[1]).ravel()


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 99))
def test_cmc_rises_to_1_at_rank_n(size, probes, seed):
    scores = np.random.default_rng(seed).integers(0, 3, (probes, size)).astype(float)
    names, ranks = v.identification_ranks(*gallery(scores))
    found = v.cmc(ranks, size)
    assert len(names) == probes
    assert (np.diff(found) >= 0).all()
    assert found[-1] == pytest.approx(1)


def test_cmc_equals_pyeer():
    scores = np.random.default_rng(5).normal(size=(9, 9)) + np.eye(9)
    _, ranks = v.identification_ranks(*gallery(scores))
    reference = {
        p: ([p], sorted(enumerate(row), key=lambda found: -found[1]))
        for p, row in enumerate(scores)
    }
    np.testing.assert_allclose(v.cmc(ranks, 9), get_cmc_curve(reference, 9))


def test_ties_count_against_the_probe():
    _, ranks = v.identification_ranks(*gallery(np.zeros((4, 4))))
    assert ranks.tolist() == [4] * 4
    assert v.cmc(ranks, 4).tolist() == [0, 0, 0, 1]


def test_a_gallery_subject_scores_as_its_best_reference():
    scores, probes = np.array([0.1, 0.9, 0.5]), np.array(["x"] * 3)
    own = np.array(["a"] * 3)
    _, ranks = v.identification_ranks(scores, probes, np.array(["a", "a", "b"]), own)
    assert ranks.tolist() == [1]


def test_identification_is_closed_set_and_complete():
    scores = np.array([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="p2 is not compared with subject b"):
        v.identification_ranks(
            scores, np.array(["p1", "p1", "p2"]), np.array(["a", "b", "a"]), np.array(["a"] * 3)
        )
    with pytest.raises(ValueError, match="p1: its subject is not in the gallery"):
        v.identification_ranks(scores[:1], np.array(["p1"]), np.array(["a"]), np.array(["z"]))
