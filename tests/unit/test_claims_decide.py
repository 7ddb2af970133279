"""What decides a claim: which bound, how many seeds, and that inverted decisions hide nothing."""

import numpy as np
import pytest

from softbio.hiding import claims
from softbio.hiding.equal_privacy import MIXING, core
from softbio.hiding.family_claims import average, diversity_helps
from softbio.hiding.selectivity import selective
from softbio.hiding.verdicts import HELD, NOT_HELD, UNDECIDED
from tests.claimed import compared, judged, world


def test_an_inversion_that_is_just_missed_is_held_against_one_half_not_against_zero():
    """One of the two parts of C1 fails, but among two not clearly."""
    probe = judged("san", "op", eer=0.4).interval("eer")
    eer = 0.5 - 1.05 * (probe.high - probe.estimate)
    files = [
        judged("original", "", "aux_gender", eer=0.05),
        judged("san", "op", "aux_gender", True, eer=eer),
    ]
    found = claims.auxiliary(world(files))
    assert [part.word for part in found.parts] == [NOT_HELD, HELD]
    assert found.word == UNDECIDED


def swept(seeds: tuple[int, ...], eer: float) -> list:
    """Files of C3: the original, a SAN of several seeds and face mixing."""
    points = {"alpha0.5": (0.5, 0.35), "alpha0.7": (0.3, 0.75)}
    gender = [judged("original", "", eer=0.1)]
    gender += [judged("san", "op", seed=seed, eer=eer) for seed in seeds]
    gender += [judged(MIXING, mode, seed=None, eer=e) for mode, (e, _) in points.items()]
    matching = [compared("original", "", 0.95, "original-original")]
    matching += [compared("san", "op", 0.9, seed=seed) for seed in seeds]
    matching += [compared(MIXING, mode, tmr, seed=None) for mode, (_, tmr) in points.items()]
    return [gender, matching]


def test_the_core_claim_counts_the_seeds_of_its_mean():
    """Student's t of three seeds has longer tails than a normal number."""
    (alone,) = core(world(*swept((0,), 0.2))).parts
    (three,) = core(world(*swept((0, 1, 2), 0.2))).parts
    assert (alone.seeds, three.seeds) == (1, 3)
    assert three.text.endswith(", 3 seeds")
    assert three.interval.estimate == pytest.approx(alone.interval.estimate)


@pytest.mark.parametrize(("eer", "word"), [(0.35, HELD), (0.95, NOT_HELD)])
def test_an_attribute_of_two_values_is_not_hidden_by_inverting_it(eer, word):
    """An error of 95 % tells as much as one of 5 %, which is less than before protection."""
    files = [
        judged("original", "", balanced_error=0.1),
        judged("privacynet", "g", balanced_error=eer),
    ]
    (part,) = selective(world(files)).parts
    assert part.text.startswith("Error of gender (hidden; inverted)")
    assert part.interval.estimate == pytest.approx(min(eer, 1 - eer) - 0.1)
    assert part.word == word


def ensemble(members: float, outputs: dict[str, float]) -> list:
    """Files of an ensemble: three members of one EER, and an EER for each other mode."""
    files = [judged("original", "", eer=0.1)]
    files += [judged("ensemble", f"member{number}", eer=members) for number in (1, 2, 3)]
    return files + [judged("ensemble", mode, eer=eer) for mode, eer in outputs.items()]


@pytest.mark.parametrize(("eer", "word"), [(0.45, HELD), (0.55, HELD), (0.9, NOT_HELD)])
def test_an_average_that_inverts_hides_no_better_than_one_as_far_below(eer, word):
    (part,) = average(world(ensemble(0.4, {"average": eer}))).parts
    assert part.interval.estimate == pytest.approx(min(eer, 1 - eer) - 0.4)
    assert part.word == word


@pytest.mark.parametrize(("eer", "word"), [(0.45, HELD), (0.9, NOT_HELD)])
def test_a_diverse_ensemble_that_inverts_hides_no_better_either(eer, word):
    (part,) = diversity_helps(world(ensemble(0.4, {"average": eer, "average-e1": 0.3}))).parts
    assert part.interval.estimate == pytest.approx(min(eer, 1 - eer) - 0.3)
    assert part.word == word
    assert np.isfinite([part.interval.low, part.interval.high]).all()
