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
    doubt,
    draws,
    folded_path,
    interpolated,
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
