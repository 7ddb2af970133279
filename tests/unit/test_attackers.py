"""What attackers who know of the protection tell more, and by whom it is decided."""

from dataclasses import replace

import numpy as np
import pytest

from softbio.hiding.attackers import adaptive, attacked, worst
from softbio.hiding.load import About
from softbio.hiding.verdicts import (
    HELD,
    NOT_HELD,
    UNDECIDED,
)
from tests.claimed import SUBJECTS, judged, numbers, world


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


def test_what_any_face_would_go_through_is_zero_effort():
    """A filter, or a reader that was fitted to clean faces: no knowledge of the method."""
    readers = [judged("san", "op", auc=0.7)]
    blur, retrained = (
        judged("san", "op", name, auc=auc) for name, auc in (("blur", 0.9), ("adaptive", 0.6))
    )
    names = {"blur": About("blur", "Blur", "recovery", "", "", knowing=False)}
    hiding = replace(world(readers, attacks=[blur, retrained]), attack_names=names)
    (part,) = adaptive(hiding).parts
    assert (part.by, part.word) == ("adaptive", HELD)
    assert part.interval.estimate == pytest.approx(0.6 - 0.9)
    assert adaptive(replace(hiding, attacks=(blur,))).parts == ()
    (part,) = adaptive(world(readers, attacks=[blur, retrained])).parts
    assert part.by == "blur"
    assert part.among == 2


def test_the_worst_case_is_no_better_than_zero_effort():
    """An attacker can do without what he knows."""
    attacks, readers = [judged("san", "op", "adaptive", auc=0.6)], [judged("san", "op", auc=0.2)]
    (found,) = attacked(world(readers, attacks=attacks))
    assert worst(found.everyone).estimate == pytest.approx(0.8)
    elsewhere = replace(readers[0], numbers=numbers(SUBJECTS[1:], auc=0.2))
    (found,) = attacked(world([elsewhere], attacks=attacks))
    assert found.everyone == found.attacks == tuple(attacks)
    assert found.zero_effort == (elsewhere,)
    (found,) = attacked(world(attacks=attacks))
    assert worst(found.zero_effort) is None
