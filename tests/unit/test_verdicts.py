"""Words for intervals, numbers that are drawn together, and paths of points."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softbio.hiding.claim import Part, decided
from softbio.hiding.verdicts import (
    HELD,
    NOT_HELD,
    NOTHING,
    UNDECIDED,
    Draws,
    above,
    at_least,
    below,
    combined,
    derived,
    doubt,
    draws,
    folded_draws,
    folded_interval,
    folded_path,
    interpolated,
    interval_of,
    separated_draws,
)
from softbio.statistics.means import Interval
from tests.claimed import judged, numbers

numbers_of = st.floats(-1, 1, allow_nan=False)


@given(numbers_of, numbers_of, numbers_of, numbers_of)
def test_words_exclude_each_other(a, b, c, bound):
    low, middle, high = sorted((a, b, c))
    interval = Interval(middle, low, high)
    words = above(interval, bound), below(interval, bound), at_least(interval, bound)
    assert not (words[0] == HELD and words[1] == HELD)
    assert words[0] == HELD or low <= bound
    # above it is at least it; less than it is not
    assert words[0] != HELD or words[2] == HELD
    assert (words[1] == HELD) == (words[2] == NOT_HELD)


def test_words_without_limits():
    assert {above(NOTHING), below(NOTHING), at_least(NOTHING)} == {UNDECIDED}


def part_of(word, estimate=0.0, half=1.0, bound=0.0) -> Part:
    return Part("", "", 0, Interval(estimate, estimate - half, estimate + half), word, bound=bound)


def test_a_claim_holds_where_all_of_its_parts_do():
    failed = part_of(NOT_HELD, -5)
    assert decided([]) == UNDECIDED
    assert decided([part_of(HELD), part_of(UNDECIDED), failed]) == NOT_HELD
    assert decided([part_of(HELD), part_of(UNDECIDED)]) == UNDECIDED
    assert decided([part_of(HELD)] * 2) == HELD


@pytest.mark.parametrize("bound", [0.0, 0.4])
def test_one_of_many_parts_fails_a_claim_only_where_it_fails_clearly(bound):
    """By hand: 1.1 times the distance from estimate to limit is 2.156 standard errors, p .0155."""
    for side in (-1, 1):
        just = part_of(NOT_HELD, bound + side * 1.1, bound=bound)
        assert doubt(just.interval, bound) == pytest.approx(0.01554, abs=1e-5)
        assert decided([just]) == NOT_HELD
        assert decided([just, part_of(HELD)]) == UNDECIDED
    clear = part_of(NOT_HELD, bound - 3, bound=bound)
    assert decided([clear, *[part_of(HELD)] * 44]) == NOT_HELD


def test_a_claim_that_is_just_true_fails_rarely_however_many_parts_it_has():
    generator, failed = np.random.default_rng(3), 0
    for _ in range(400):
        values = generator.normal(0, 1, 45)
        parts = [part_of(at_least(Interval(v, v - 1.96, v + 1.96)), v, 1.96) for v in values]
        failed += decided(parts) == NOT_HELD
    # 1 in 40, and three standard errors of it
    assert failed / 400 < 0.025 + 3 * np.sqrt(0.025 * 0.975 / 400)


def test_few_seeds_prove_less():
    """Student's t with 2 degrees of freedom has the tail 1/2 - t / (2 sqrt(2 + t^2)); its 97.5 %
    point is 4.303."""
    part = Interval(8.0, 8 - 4.302653, 8 + 4.302653)
    assert doubt(part, seeds=3) == pytest.approx(0.5 - 8 / (2 * np.sqrt(66)), rel=1e-5)
    assert doubt(part) < doubt(part, seeds=3) / 10
    failed = replace(part_of(NOT_HELD, -8, 4.302653), seeds=3)
    assert decided([failed]) == NOT_HELD
    assert decided([failed, *[part_of(HELD)] * 9]) == UNDECIDED
    assert decided([replace(failed, seeds=1), *[part_of(HELD)] * 9]) == NOT_HELD


def test_the_longer_side_of_an_interval_decides_how_clear_it_is():
    leaning = Interval(1.0, 0.9, 3.0)
    assert doubt(leaning) == doubt(Interval(1.0, -1.0, 3.0))
    assert doubt(Interval(1.0, 1.0, 1.0)) == 0
    assert np.isnan(doubt(NOTHING))


def test_a_number_that_is_the_bound_in_every_draw_is_not_beyond_it():
    """Two files that err on the same cases beside 20 comparisons that hold clearly."""
    assert doubt(Interval(0.0, 0.0, 0.0)) == doubt(Interval(0.5, 0.5, 0.5), 0.5) == 0.5
    assert doubt(Interval(-1e-15, -1e-15, -1e-15)) == 0.5
    equal = part_of(above(Interval(0.0, 0.0, 0.0)), half=0.0)
    assert equal.word == NOT_HELD
    assert decided([equal, *[part_of(HELD, 5)] * 20]) == UNDECIDED
    lower = part_of(NOT_HELD, -0.1, half=0.0)
    assert decided([lower, *[part_of(HELD, 5)] * 20]) == NOT_HELD


def test_what_was_measured_in_part_does_not_hold():
    held, failed = part_of(HELD, 5), part_of(NOT_HELD, -5)
    assert decided([held], complete=False) == UNDECIDED
    assert decided([held, failed], complete=False) == NOT_HELD


def test_a_part_that_was_chosen_among_many_counts_as_many():
    """16 conditions of 11 attacks, of which none gains; a part is the largest gain of each."""
    generator, failed = np.random.default_rng(8), 0
    for _ in range(400):
        best = generator.normal(0, 1, (16, 11)).max(axis=1)
        parts = [
            replace(part_of(NOT_HELD if v > 1.96 else UNDECIDED, v, 1.96), among=11) for v in best
        ]
        failed += decided(parts) == NOT_HELD
    assert failed / 400 < 0.025 + 3 * np.sqrt(0.025 * 0.975 / 400)


def drawn(estimate: float, spread: float, generator) -> Draws:
    values, without = generator.normal(0, 1, 400), generator.normal(0, 1, 30)
    return Draws(estimate, estimate + spread * values, estimate + spread / 30 * without)


@pytest.mark.parametrize("true", [0.44, 0.47, 0.49, 0.5, 0.51, 0.55])
def test_the_interval_of_an_inverted_error_holds_it_as_often_as_it_says(true):
    """Errors of normal noise round the true one, near 1/2: where protection works."""
    generator, held = np.random.default_rng(21), 0
    for _ in range(300):
        error = drawn(generator.normal(true, 0.02), 0.02, generator)
        found = folded_interval(interval_of(folded_draws(error)))
        assert found.low <= found.estimate <= found.high <= 0.5
        assert found.estimate == pytest.approx(min(error.estimate, 1 - error.estimate))
        held += found.low <= min(true, 1 - true) <= found.high
    assert held / 300 > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 300)


@given(st.floats(0, 1))
def test_an_area_and_its_inverse_separate_alike(area):
    generator = np.random.default_rng(1)
    one = drawn(area, 0.05, generator)
    other = Draws(1 - area, 1 - one.values, 1 - one.without)
    sides = [separated_draws(each) for each in (one, other)]
    assert sides[0].estimate == pytest.approx(max(area, 1 - area))
    assert sides[0].estimate == pytest.approx(sides[1].estimate)
    if area != 0.5:
        np.testing.assert_allclose(sides[0].values, sides[1].values, atol=1e-12)


def test_an_interval_holds_its_estimate():
    """Of the largest of many that are about the same most draws lie above it."""
    generator = np.random.default_rng(4)
    each = [drawn(0.6 + 0.001 * n, 0.03, generator) for n in range(12)]
    largest = Draws(
        max(one.estimate for one in each),
        np.max([one.values for one in each], axis=0),
        np.max([one.without for one in each], axis=0),
    )
    assert np.mean(largest.values > largest.estimate) > 0.9
    found = interval_of(largest)
    assert found.low <= found.estimate <= found.high


def test_where_a_function_has_a_kink_the_limits_are_percentiles():
    generator = np.random.default_rng(6)
    plain = drawn(0.5, 0.02, generator)
    about = Draws(0.0, plain.values - 0.5, plain.without - 0.5, kinked=True)
    # what is derived from it has the kink too
    found = interval_of(derived(np.abs, about))
    assert found.low == 0
    assert found.high == pytest.approx(np.quantile(np.abs(plain.values - 0.5), 0.975))


still = Draws(1.0, np.ones(400), np.ones(30))


def test_who_has_made_no_error_tells_nothing_of_other_subjects():
    """0 errors before and after: a difference of 0 in every draw, which proves nothing."""
    assert np.isnan(combined(np.subtract, still, still).low)
    assert at_least(combined(np.subtract, still, still)) == UNDECIDED
    moving = draws(numbers(eer=0.3), "eer")
    assert combined(np.subtract, moving, moving) == Interval(0, 0, 0)
    assert combined(np.subtract, still, moving).low < 0.7
    files = [judged("original", "", eer=0.2), judged("san", "op", eer=0.2)]
    never = [replace(f, numbers=replace(f.numbers, estimates=np.zeros(1),
             values=np.zeros((400, 1)), without=np.zeros((30, 1)))) for f in files]  # fmt: skip
    assert np.isnan(never[1].numbers.difference(never[0].numbers, "eer").low)
    assert never[0].interval("eer").high == pytest.approx(1 - 0.025 ** (1 / 30))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6))
def test_a_folded_path_goes_through_the_same_places(points):
    xs, ys = (np.array([part]) for part in zip(*points, strict=True))
    folded, heights = folded_path(xs, ys)
    np.testing.assert_array_equal(folded[0, ::2], np.minimum(xs[0], 1 - xs[0]))
    np.testing.assert_array_equal(heights[0, ::2], ys[0])
    assert folded.max() <= 0.5
    # points beyond 1/2 mirrored by hand, line by line
    for place in range(len(points) - 1):
        (a, low), (b, high) = points[place], points[place + 1]
        if (a - 0.5) * (b - 0.5) < 0:
            assert folded[0, 2 * place + 1] == 0.5
            share = (0.5 - a) / (b - a)
            assert heights[0, 2 * place + 1] == pytest.approx((1 - share) * low + share * high)
        else:
            assert folded[0, 2 * place + 1] == folded[0, 2 * place]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.2, 0.6, (HELD, NOT_HELD, HELD)),
        (-0.6, -0.2, (NOT_HELD, HELD, NOT_HELD)),
        (-0.2, 0.2, (UNDECIDED, UNDECIDED, UNDECIDED)),
    ],
)
def test_without_a_bound_the_bound_is_zero(low, high, words):
    interval = Interval((low + high) / 2, low, high)
    assert (above(interval), below(interval), at_least(interval)) == words


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6), st.data())
def test_a_point_of_the_path_is_met_or_met_before(points, data):
    xs, ys = (np.array([part]) for part in zip(*points, strict=True))
    x = np.array([data.draw(st.sampled_from(points))[0]])
    found = interpolated(x, xs, ys)
    assert ys.min() - 1e-12 <= found[0] <= ys.max() + 1e-12
    rising = np.sort(xs)
    if len(np.unique(xs)) == len(points):
        np.testing.assert_allclose(
            interpolated(x, rising, ys), np.interp(x, rising[0], ys[0]), atol=1e-12
        )
    assert np.isnan(interpolated(np.array([2.0]), xs, ys)[0])


@pytest.mark.parametrize(
    ("low", "high", "folded_low"), [(0.4, 0.45, 0.4), (0.45, 0.7, 0.3), (0.4, 0.55, 0.4)]
)
def test_a_folded_interval_holds_the_images_of_all_that_lies_in_it(low, high, folded_low):
    found = folded_interval(Interval(0.44, low, high))
    assert found.low == pytest.approx(folded_low)
    inside = np.linspace(low, high, 101)
    images = np.minimum(inside, 1 - inside)
    assert (found.low, found.high) == pytest.approx((images.min(), images.max()), abs=3e-3)
