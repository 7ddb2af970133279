"""Claims about hiding gender: decided as their words say, with numbers that are known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.hiding import claims
from softbio.hiding.claim import IMPOSSIBLE, before
from softbio.hiding.equal_privacy import MIXING, core
from softbio.hiding.family_claims import not_falling
from softbio.hiding.verdicts import (
    HELD,
    NOT_HELD,
    UNDECIDED,
    Draws,
    above,
    combined,
    interpolated,
)
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval
from tests.claimed import SUBJECTS, compared, judged, world


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
    assert part.remark == "EER inverted 40.0 lies outside mixing's sweep, 10.0 to 30.0"
    assert part.remark in found.sentence
    # mixing that goes beyond 50 % turns back there
    _, part = of_core(0.04, 0.9, {"alpha0.5": (0.6, 0.35)})
    assert part.remark == "EER inverted 4.0 lies outside mixing's sweep, 10.0 to 50.0"


@pytest.mark.parametrize("eer", [0.8, 0.7, 0.65, 0.6])
def test_decisions_are_inverted_for_equal_privacy(eer):
    """A classifier of EER .8 tells as much as one of .2, and so is held against the same mixing."""
    beyond = SWEEP | {"alpha0.3": (0.7, 0.2), "alpha0.1": (0.9, 0.02)}
    (turned, part), (plain, other) = of_core(eer, 0.4, beyond), of_core(1 - eer, 0.4, beyond)
    assert part.interval.estimate == pytest.approx(other.interval.estimate)
    assert part.word == NOT_HELD
    # not inverted: against mixing of the same EER, which has mixed far beyond
    assert "as it stands, not inverted: 1 of 1 comparisons" in turned.sentence
    assert "as it stands, not inverted: 0 of 1 comparisons" in plain.sentence


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


def test_a_matcher_that_fails_on_clean_faces_is_named_and_excluded():
    gender, matching = mixing(SWEEP)
    weak = compared("original", "", 0.49, "original-original")
    files = [ORIGINAL[0], judged("san", "op", eer=0.4), *gender]
    found = core(world(files, [weak, compared("san", "op", 0.1), *matching]))
    assert found.parts == ()
    assert found.word == UNDECIDED
    text = (
        "Excluded, for a TMR before protection that is below 50 % or not known: matcher (49.0 %)."
    )
    assert text in found.sentence


def test_a_matcher_of_unknown_tmr_on_clean_faces_is_excluded_too():
    """Else all its comparisons are undecided, and with them the claim."""
    gender, matching = mixing(SWEEP)
    few = compared("original", "", float("nan"), "original-original")
    files = [ORIGINAL[0], judged("san", "op", eer=0.4), *gender]
    found = core(world(files, [few, compared("san", "op", 0.9), *matching]))
    assert found.parts == ()
    assert found.sentence.endswith("or not known: matcher.")


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


def test_face_mixing_of_another_seed_is_compared_only_where_it_was_made_once():
    def of_seed(item, seed):
        return replace(item, scores=replace(item.scores, about=replace(item.about, seed=seed)))

    gender, matching = mixing(SWEEP)
    files = [ORIGINAL[0], judged("san", "op", seed=2, eer=0.4), *gender]
    probes = [ORIGINAL[1], of_seed(compared("san", "op", 0.9), 2), *matching]
    (part,) = core(world(files, probes)).parts
    assert part.interval.estimate == pytest.approx(0.9 - 0.55)
    again = [of_seed(item, 1) for item in gender], [of_seed(item, 1) for item in matching]
    assert core(world(files + again[0], probes + again[1])).parts == ()


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
    # without the originals half of the claim has not been looked at
    alone = claims.auxiliary(world(files[1:]))
    assert alone.word == UNDECIDED
    assert "As scores of the originals are missing, the claim cannot be held." in alone.sentence
    # another seed's network does not tell what this one did before
    seeds = [judged("original", "", "aux_gender", seed=seed, eer=0.05) for seed in (0, 1)]
    more = [judged("san", "op", "aux_gender", True, seed, eer=0.9) for seed in (0, 1, 2)]
    assert claims.auxiliary(world([*seeds, *more[:2]])).word == HELD
    assert claims.auxiliary(world([*seeds, *more])).word == UNDECIDED
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


@pytest.mark.parametrize(
    ("eers", "missing"),
    [
        ({"nt": 0.2, "op": 0.3}, "SAN SM"),
        ({"op": 0.3}, "SAN SM and SAN NT"),
        ({"sm": 0.1, "nt": 0.2}, "SAN OP"),
    ],
)
def test_the_order_of_some_modes_is_not_that_of_all(eers, missing):
    found = of_order(**eers)
    assert {part.word for part in found.parts} == {HELD}
    assert found.word == UNDECIDED
    assert f"As scores of {missing} are missing, the claim cannot be held." in found.sentence
    assert "0 of 0" not in found.sentence


def test_what_fails_of_the_order_fails_it_without_the_other_modes():
    assert of_order(nt=0.3, op=0.2).word == NOT_HELD
    assert "missing" not in of_order(sm=0.12, nt=0.2, op=0.3).sentence
    # a classifier that has not scored a mode says nothing of it
    files = [judged("san", mode, eer=eer) for mode, eer in (("sm", 0.12), ("nt", 0.2), ("op", 0.3))]
    other = [judged("original", "", "other", eer=0.1), judged("san", "op", "other", eer=0.3)]
    assert claims.order(world([ORIGINAL[0], *files, *other])).word == UNDECIDED


def test_a_series_without_one_of_its_stages_does_not_hold():
    stages = [judged("flowsan", f"stage{k}", eer=0.1 + k / 10) for k in (1, 2, 3)]
    whole = not_falling(world([ORIGINAL[0], *stages]))
    assert (whole.word, "missing" in whole.sentence) == (HELD, False)
    found = not_falling(world([ORIGINAL[0], stages[0], stages[2]]))
    assert [part.word for part in found.parts] == [HELD]
    assert found.word == UNDECIDED
    assert "As scores of stage 2 are missing, the claim cannot be held." in found.sentence


# two points of one EER, but for rounding, would be one place of the path with two heights
apart = st.floats(0.02, 0.45).filter(lambda eer: abs(eer - 0.1) > 1e-3)


@settings(deadline=None)
@given(apart, st.floats(0.1, 1), st.floats(0.11, 0.45), st.floats(0.1, 1))
def test_identical_files_differ_by_nothing(eer, tmr, strong, left):
    """A SAN with the files of face mixing, the only one, or of the originals; the draws move an EER
    by some hundredths, and at 50 % a mixing is met by itself or, inverted, before."""
    for points in ({"alpha0.5": (eer, tmr)}, {"alpha0.5": (strong, left)}):
        gender, matching = mixing(points)
        first = points["alpha0.5"] if eer == points["alpha0.5"][0] else (0.1, 0.95)
        files = [ORIGINAL[0], judged("san", "op", eer=first[0]), *gender]
        found = core(world(files, [ORIGINAL[1], compared("san", "op", first[1]), *matching]))
        (part,) = found.parts
        assert part.interval == Interval(0, 0, 0)
        assert part.word == NOT_HELD
