"""Means over seeds: an interval that holds the truth as often as it says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from softbio.hiding.seeds import DIFFERENCE, SEPARATION, averaged, of_files, over_seeds
from softbio.hiding.systems import compared_with_mixing, hides_gender, representative
from softbio.hiding.verdicts import Draws, interval_of
from softbio.statistics.means import mean_interval
from tests.report import beside

TRUTH, TRIALS, SUBJECTS, DRAWS = 0.3, 300, 40, 200


def trial(generator: np.random.Generator, seeds: int, of_seed: float, of_subject: float) -> list:
    """Numbers of some seeds on one set of subjects: each is a mean over subjects of the truth, what
    the seed does, what the subject does, and what the seed does to this subject."""
    values = TRUTH + generator.normal(0, of_seed, (seeds, 1))
    values = values + generator.normal(0, of_subject, (1, SUBJECTS))
    values = values + generator.normal(0, of_subject / 2, (seeds, SUBJECTS))
    counts = generator.multinomial(SUBJECTS, [1 / SUBJECTS] * SUBJECTS, DRAWS) / SUBJECTS
    without = (values.sum(axis=1, keepdims=True) - values) / (SUBJECTS - 1)
    return [
        Draws(float(own.mean()), counts @ own, rest)
        for own, rest in zip(values, without, strict=True)
    ]


@pytest.mark.parametrize(
    ("of_seed", "of_subject"), [(0.03, 0.002), (0.002, 0.2), (0.02, 0.13)],
    ids=["seeds vary", "subjects vary", "both vary"],
)  # fmt: skip
def test_the_interval_holds_the_truth_as_often_as_it_says(of_seed, of_subject):
    generator = np.random.default_rng(7)
    held, on_subjects = 0, 0
    for _ in range(TRIALS):
        parts = trial(generator, 3, of_seed, of_subject)
        found, narrow = over_seeds(parts), interval_of(averaged(parts))
        held += found.low <= TRUTH <= found.high
        on_subjects += narrow.low <= TRUTH <= narrow.high
    # three standard errors of a share of 300 below 95 %; no limit above but what says nothing
    assert 0.912 <= held / TRIALS <= 0.995
    # what the seeds add is needed where they vary
    assert (on_subjects / TRIALS < 0.4) == (of_seed > of_subject)


def test_of_one_seed_the_interval_is_that_over_subjects():
    (part,) = trial(np.random.default_rng(1), 1, 0.1, 0.2)
    assert over_seeds([part]) == interval_of(part)


def test_the_mean_over_seeds_has_students_interval():
    values = np.array([0.31, 0.28, 0.35, 0.30])
    found = mean_interval(values)
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert (found.estimate, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert mean_interval(values[:1]) is None


def test_an_interval_stays_within_what_a_number_can_be():
    def near(*values: float) -> list[Draws]:
        return [Draws(v, v + np.linspace(-1e-3, 1e-3, 50), v + np.linspace(-1e-4, 1e-4, 9))
                for v in values]  # fmt: skip

    assert over_seeds(near(0.99, 0.7, 0.98)).high == 1.0
    assert over_seeds(near(0.5, 0.6), SEPARATION).low == 0.5
    below = over_seeds(near(-0.2, 0.1), DIFFERENCE)
    assert -1 <= below.low < 0 < below.high <= 1


def test_a_seed_without_value_leaves_no_mean():
    parts = trial(np.random.default_rng(2), 2, 0.01, 0.1)
    nothing = Draws(float("nan"), np.full(DRAWS, np.nan), np.full(SUBJECTS, np.nan))
    assert np.isnan(over_seeds([*parts, nothing]).estimate)


def test_a_mean_without_limits_is_still_that_of_all_seeds():
    """In some draws a class is empty, so that no seed has an interval, nor has the first alone."""
    files = [beside.gender("faceres", "san", "op", seed) for seed in (0, 1)]
    lacking = []
    for item in files:
        values = item.numbers.values.copy()
        values[: len(values) // 10] = np.nan
        lacking.append(replace(item, numbers=replace(item.numbers, values=values)))
    found = of_files(lacking, "eer")
    values = [item.interval("eer").estimate for item in files]
    assert values[0] != values[1]
    assert found.estimate == pytest.approx(np.mean(values))
    assert np.isnan(found.low)
    assert np.isnan(lacking[0].interval("eer").low)


def test_files_without_an_error_have_the_exact_limit():
    files = []
    for seed in (0, 1):
        item = beside.gender("faceres", "san", "op", seed)
        none = {key: np.zeros_like(getattr(item.numbers, key))
                for key in ("estimates", "values", "without")}  # fmt: skip
        files.append(replace(item, numbers=replace(item.numbers, **none)))
    exact = stats.binomtest(0, files[0].numbers.fewest).proportion_ci(0.95, "exact")
    found = of_files(files, "eer")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_files_of_other_subjects_have_no_common_mean():
    one, other = (beside.gender("faceres", "san", "op", seed) for seed in (0, 1))
    found = of_files([one, other], "eer")
    values = [item.interval("eer").estimate for item in (one, other)]
    assert found.estimate == pytest.approx(np.mean(values))
    apart = type(other.numbers)(
        other.numbers.names, other.numbers.estimates, other.numbers.values, other.numbers.without,
        np.array([f"t{n:02d}" for n in range(40)]), 40,
    )  # fmt: skip
    assert np.isnan(of_files([one, type(other)(other.scores, apart)], "eer").estimate)


def test_what_privacynet_hides_is_in_its_mode():
    hiding = ["g", "ga", "gr", "gar"]
    others = ["a", "r", "ar", "keep", "g-nomatcher", "g-nocycle", "gar-nomatcher"]
    assert [m for m in hiding + others if hides_gender("privacynet", m)] == hiding
    assert hides_gender("mixing", "alpha0.4")
    assert compared_with_mixing("privacynet", hiding + others) == hiding


def test_a_single_san_inside_a_system_does_not_stand_for_it():
    modes = ["member1", "member2", "average", "random", "average-e1"]
    assert compared_with_mixing("ensemble", modes) == ["average", "random", "average-e1"]
    assert representative("ensemble", modes) == "average"
    assert compared_with_mixing("flowsan", ["stage1", "stage2"]) == ["stage2"]
    assert representative("flowsan", ["stage3", "stage10", "stage1"]) == "stage10"
    assert representative("san", ["sm", "nt"]) is None
    assert representative("san", []) is None
