"""Claims about hiding gender: decided as their words say, with numbers that are known by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.hiding import claims
from softbio.hiding.attackers import adaptive, together, worst
from softbio.hiding.claim import IMPOSSIBLE, Part, before, decided
from softbio.hiding.equal_privacy import MIXING, core
from softbio.hiding.load import About, Hiding
from softbio.hiding.population import Population
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
from softbio.results.scores import (
    ComparisonAbout,
    ComparisonScores,
    GenderAbout,
    GenderScores,
)
from softbio.statistics.intervals import Judged, Resampled
from softbio.statistics.means import Interval

SUBJECTS = np.array([f"s{n}" for n in range(30)])
PEOPLE = Population("made", "Made-up faces", (), pd.DataFrame())
EMPTY = pd.DataFrame({"image": [], "subject": [], "label": [], "score": []})


def numbers(subjects=SUBJECTS, **estimates: float) -> Resampled:
    """Numbers whose resamples lie round the estimates, the same way for all files."""
    generator = np.random.default_rng(0)
    draws, rest = generator.normal(0, 1, 400), generator.normal(0, 1, len(subjects))
    values = np.array(list(estimates.values()))
    return Resampled(
        tuple(estimates), values, values + 0.01 * draws[:, None],
        values + 0.001 * rest[:, None], subjects, len(subjects),
    )  # fmt: skip


def judged(protector, mode, name="cnn", seen=False, seed=0, positive="male", **more) -> Judged:
    about = GenderAbout(
        "made", name, protector, mode, 0.5, "higher", positive, seed=seed, seen=seen, title=name
    )
    return Judged(GenderScores(about, EMPTY), numbers(**more))


def compared(protector, mode, tmr, kind="protected-original", subjects=SUBJECTS) -> Judged:
    about = ComparisonAbout(
        "made", "matcher", protector, mode, kind, "similarity", "all", seed=0, seen=False
    )
    frame = pd.DataFrame({"score": [], "mated": []})
    found = numbers(subjects, **{"auc": 0.9, "eer": 0.1, "tmr@0.01": tmr})
    return Judged(ComparisonScores(about, frame), found)


def world(gender=(), matching=(), attacks=()) -> Hiding:
    return Hiding(PEOPLE, (), tuple(gender), tuple(matching), attacks=tuple(attacks))


def mixing(points: dict[str, tuple[float, float]]) -> tuple[list[Judged], list[Judged]]:
    """Both files of each mode: EER and TMR."""
    return (
        [judged(MIXING, mode, eer=eer) for mode, (eer, _) in points.items()],
        [compared(MIXING, mode, tmr) for mode, (_, tmr) in points.items()],
    )


ORIGINAL = (judged("original", "", eer=0.1), compared("original", "", 0.95, "original-original"))
SWEEP = {"alpha0.5": (0.5, 0.35), "alpha0.7": (0.3, 0.75)}


def of_core(eer: float, tmr: float, points=SWEEP, **more):
    gender, matching = mixing(points)
    found = core(
        world(
            [ORIGINAL[0], judged("san", "op", eer=eer), *gender],
            [ORIGINAL[1], compared("san", "op", tmr, **more), *matching],
        )
    )
    (part,) = found.parts
    return found, part


@pytest.mark.parametrize(
    ("eer", "mixed"), [(0.2, 0.85), (0.3, 0.75), (0.35, 0.65), (0.45, 0.45), (0.1, 0.95)]
)
def test_mixing_is_interpolated_at_the_eer_of_san(eer, mixed):
    """By hand: from (.1, .95) over (.3, .75) to (.5, .35); halves and quarters of the way."""
    found, part = of_core(eer, 0.9)
    assert part.interval.estimate == pytest.approx(0.9 - mixed)
    assert part.interval.low <= part.interval.estimate <= part.interval.high
    assert found.word == part.word == (HELD if mixed < 0.9 else NOT_HELD)


def test_interval_of_the_difference_is_that_of_the_joint_draws():
    """Here all numbers of all files move by one d in a draw, and their difference by nothing; drawn
    apart they would move it."""
    _, part = of_core(0.2, 0.9)
    assert part.interval.high - part.interval.low < 1e-12


def test_an_eer_beyond_the_sweep_is_undecided_and_says_so():
    found, part = of_core(0.4, 0.9, {"alpha0.7": (0.3, 0.75)})
    assert (found.word, part.word) == (UNDECIDED, UNDECIDED)
    assert part.remark == "EER turned 40.0 lies outside mixing's sweep, 10.0 to 30.0"
    assert part.remark in found.sentence
    # mixing that goes beyond 50 % turns back there
    _, part = of_core(0.04, 0.9, {"alpha0.5": (0.6, 0.35)})
    assert part.remark == "EER turned 4.0 lies outside mixing's sweep, 10.0 to 50.0"


@pytest.mark.parametrize("eer", [0.8, 0.7, 0.65, 0.6])
def test_decisions_are_turned_round_for_equal_privacy(eer):
    """A classifier of EER .8 tells as much as one of .2, and so is held against the same mixing."""
    beyond = SWEEP | {"alpha0.3": (0.7, 0.2), "alpha0.1": (0.9, 0.02)}
    (turned, part), (plain, other) = of_core(eer, 0.4, beyond), of_core(1 - eer, 0.4, beyond)
    assert part.interval.estimate == pytest.approx(other.interval.estimate)
    assert part.word == NOT_HELD
    # as it was published: against mixing of the same EER, which has mixed far beyond
    assert "as it stands, not turned round: 1 of 1 comparisons" in turned.sentence
    assert "as it stands, not turned round: 0 of 1 comparisons" in plain.sentence


def test_an_eer_at_the_end_of_the_sweep_has_no_interval():
    """San's EER leaves the sweep in half of the draws, in which there is nothing to compare."""
    generator = np.random.default_rng(5)
    x = Draws(0.5, 0.5 + generator.normal(0, 0.01, 400), 0.5 + generator.normal(0, 0.001, 30))
    ends = [Draws(v, np.full(400, v), np.full(30, v)) for v in (0.1, 0.5)]
    found = combined(
        lambda x, a, b: interpolated(x, np.stack([a, b], 1), np.stack([b, a], 1)), x, *ends
    )
    assert found.estimate == pytest.approx(0.1)
    assert np.isnan(found.low)
    assert above(found) == UNDECIDED


def test_other_subjects_are_not_drawn_together():
    found, part = of_core(0.2, 0.9, subjects=SUBJECTS[1:])
    assert (found.word, part.remark) == (UNDECIDED, IMPOSSIBLE)


def test_without_enough_comparisons_the_core_claim_is_undecided():
    found, part = of_core(0.2, float("nan"))
    assert found.word == UNDECIDED
    assert "too few non-mated comparisons" in part.remark


def test_a_matcher_that_fails_on_clean_faces_is_named_and_not_heard():
    gender, matching = mixing(SWEEP)
    weak = compared("original", "", 0.49, "original-original")
    files = [ORIGINAL[0], judged("san", "op", eer=0.4), *gender]
    found = core(world(files, [weak, compared("san", "op", 0.1), *matching]))
    assert found.parts == ()
    assert found.word == UNDECIDED
    assert "Not heard, for a TMR below 50 % before protection: matcher (49.0 %)." in found.sentence


def test_a_sweep_begins_at_the_original():
    gender, matching = mixing(SWEEP)
    files = [judged("san", "op", eer=0.4), *gender], [compared("san", "op", 0.9), *matching]
    assert core(world(*files)).parts == ()
    assert core(world(files[0], [ORIGINAL[1], *files[1]])).parts == ()


def test_face_mixing_of_the_same_seed_is_compared():
    gender, matching = mixing(SWEEP)
    other = [replace(item, scores=replace(item.scores, about=replace(item.about, seed=1)))
             for item in mixing(dict.fromkeys(SWEEP, (0.9, 0.1)))[0]]  # fmt: skip
    found = core(
        world(
            [ORIGINAL[0], judged("san", "op", eer=0.4), *other, *gender],
            [ORIGINAL[1], compared("san", "op", 0.9), *matching],
        )
    )
    assert found.parts[0].interval.estimate == pytest.approx(0.9 - 0.55)


def test_what_a_training_used_judges_no_claim_of_transfer():
    gender, matching = mixing(SWEEP)
    seen = [judged("san", "op", seen=True, eer=0.2), *gender, ORIGINAL[0]]
    found = core(world(seen, [ORIGINAL[1], compared("san", "op", 0.9), *matching]))
    assert (found.parts, found.word) == ((), UNDECIDED)
    assert (claims.order(world(seen)).parts, claims.order(world(seen)).word) == ((), UNDECIDED)


def test_the_auxiliary_classifier_is_turned_round():
    files = [judged("original", "", "aux_gender", eer=0.05),
             judged("san", "op", "aux_gender", True, eer=0.9)]  # fmt: skip
    found = claims.auxiliary(world(files))
    assert found.word == HELD
    assert [part.interval.estimate for part in found.parts] == [0.9, 0.05]
    weak = claims.auxiliary(world([files[0], judged("san", "op", "aux_gender", True, eer=0.3)]))
    assert [part.word for part in weak.parts] == [NOT_HELD, HELD]
    assert weak.word == NOT_HELD
    # without the originals the claim has not been looked at
    assert claims.auxiliary(world(files[1:])).word == UNDECIDED
    assert claims.auxiliary(world()).sentence == "No scores of the auxiliary classifier."


def test_each_auxiliary_classifier_is_held_against_its_own_before():
    files = [judged("original", "", "aux_gender", seed=seed, eer=0.1) for seed in (0, 1)]
    san = [judged("san", "op", "aux_gender", True, seed, eer=0.8) for seed in (0, 1, 2)]
    assert [before(item, files) for item in san] == [files[0], files[1], None]
    # what depends on no seed is scored once
    assert before(judged("san", "op", seed=2, eer=0.5), [ORIGINAL[0]]) is ORIGINAL[0]


def of_order(**eers: float):
    files = [judged("san", mode, eer=eer) for mode, eer in eers.items()]
    return claims.order(world([ORIGINAL[0], *files]))


def test_order_of_the_modes():
    assert of_order(sm=0.12, nt=0.2, op=0.3).word == HELD
    assert of_order(sm=0.2, nt=0.12, op=0.3).word == NOT_HELD
    found = of_order(sm=0.1, nt=0.1, op=0.1)
    # equal modes keep the order, but OP is not above before
    assert [part.word for part in found.parts] == [HELD, HELD, NOT_HELD]
    assert [part.interval for part in found.parts] == [Interval(0, 0, 0)] * 3
    assert "The order holds in 2 of 2 steps" in found.sentence


def of_attacks(worst: float, zero: float, **more):
    readers = [judged("san", "op", auc=zero), judged("san", "op", "hog", auc=0.5)]
    attacks = [judged("san", "op", "adaptive", auc=worst), judged("san", "op", "blur", auc=0.55),
               judged("san", "op", "detection", positive="protected", auc=1.0)]  # fmt: skip
    return adaptive(world(readers, attacks=attacks, **more))


def test_the_worst_attack_is_held_against_the_best_reader():
    (part,) = of_attacks(0.1, 0.7).parts
    # an AUC of .1 is as telling as one of .9; detection tells no gender
    assert part.interval.estimate == pytest.approx(0.9 - 0.7)
    assert (part.word, part.by) == (NOT_HELD, "adaptive")
    found = of_attacks(0.6, 0.8)
    assert found.word == HELD
    assert "san OP from 80.0 to 60.0" in found.sentence
    assert adaptive(world()).word == UNDECIDED


def test_an_attack_that_was_chosen_tells_more_only_where_one_of_so_many_would_not():
    """All numbers move together in a draw but those of the one: an advantage of 2.2 SD."""
    readers = [judged("san", "op", auc=0.7)]
    moving = np.random.default_rng(9).normal(0, 0.01, 400)
    lone = judged("san", "op", "adaptive", auc=0.722)
    values = 0.722 + moving[:, None] + (readers[0].numbers.values - 0.7)
    lone = replace(lone, numbers=replace(lone.numbers, values=values))
    (alone,) = adaptive(world(readers, attacks=[lone])).parts
    assert alone.word == NOT_HELD
    others = [judged("san", "op", f"blur{n}", auc=0.6) for n in range(19)]
    (chosen,) = adaptive(world(readers, attacks=[lone, *others])).parts
    assert chosen.interval == alone.interval
    assert chosen.word == UNDECIDED


def test_a_filter_on_any_face_is_no_attacker_who_knows_the_method():
    readers = [judged("san", "op", auc=0.7)]
    blur, retrained = (
        judged("san", "op", name, auc=auc) for name, auc in (("blur", 0.9), ("adaptive", 0.6))
    )
    names = {"blur": About("blur", "Blur", "recovery", "", "", knowing=False)}
    hiding = replace(world(readers, attacks=[blur, retrained]), attack_names=names)
    (part,) = adaptive(hiding).parts
    assert (part.by, part.word) == ("adaptive", HELD)
    assert adaptive(replace(hiding, attacks=(blur,))).parts == ()
    (part,) = adaptive(world(readers, attacks=[blur, retrained])).parts
    assert part.by == "blur"


def test_the_worst_case_is_no_better_than_zero_effort():
    """Who knows the method can leave what he knows aside."""
    attacks, readers = [judged("san", "op", "adaptive", auc=0.6)], [judged("san", "op", auc=0.2)]
    assert worst(together(attacks, readers)).estimate == pytest.approx(0.8)
    elsewhere = replace(readers[0], numbers=numbers(SUBJECTS[1:], auc=0.2))
    assert together(attacks, [elsewhere]) == attacks
    assert together([], readers) == []


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


# two points of one EER, but for rounding, would be one place of the path with two heights
apart = st.floats(0.02, 0.45).filter(lambda eer: abs(eer - 0.1) > 1e-3)


@settings(deadline=None)
@given(apart, st.floats(0.1, 1), st.floats(0.11, 0.45), st.floats(0.1, 1))
def test_identical_files_differ_by_nothing(eer, tmr, strong, left):
    """A SAN with the files of face mixing, the only one, or of the originals; the draws move an EER
    by some hundredths, and at 50 % a mixing is met by itself or, turned round, before."""
    for points in ({"alpha0.5": (eer, tmr)}, {"alpha0.5": (strong, left)}):
        gender, matching = mixing(points)
        first = points["alpha0.5"] if eer == points["alpha0.5"][0] else (0.1, 0.95)
        files = [ORIGINAL[0], judged("san", "op", eer=first[0]), *gender]
        found = core(world(files, [ORIGINAL[1], compared("san", "op", first[1]), *matching]))
        (part,) = found.parts
        assert part.interval == Interval(0, 0, 0)
        assert part.word == NOT_HELD


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
