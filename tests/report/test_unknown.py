"""What is not known of a condition side by side is in no mean, no sentence and no comparison."""

from dataclasses import replace

import numpy as np
import pytest

from softbio.hiding.side_by_side import side_by_side
from softbio.hiding.told import in_short, sentences


def line_of(shown, name):
    (found,) = (line for line in shown.lines if line.name == name)
    return found


def without_tmr(hiding, mode):
    """As of fewer than 3,000 non-mated comparisons, in one seed of a mode."""

    def empty(item):
        if (item.about.matcher, item.about.mode, item.about.seed) != ("sface", mode, 1):
            return item
        none = {key: np.full_like(getattr(item.numbers, key), np.nan)
                for key in ("estimates", "values", "without")}  # fmt: skip
        return replace(item, numbers=replace(item.numbers, **none))

    return side_by_side(replace(hiding, matching=tuple(map(empty, hiding.matching))))


def lacking(hiding, seeds):
    """Without a classifier's files of some seeds of SAN OP."""
    kept = tuple(
        item
        for item in hiding.gender
        if (item.about.evaluator, item.about.mode) != ("dlib_gender", "op")
        or item.about.seed not in seeds
    )
    return side_by_side(replace(hiding, gender=kept))


def test_a_tmr_without_value_is_not_known(hiding, shown):
    assert "SAN OP" in in_short(shown)
    found = without_tmr(hiding, "op")
    line = line_of(found, "SAN OP")
    assert (line.mean_tmr, line.tmr_of) == (None, {})
    assert line.folded is not None
    assert len(found.known) == len(shown.known) - 1
    assert "SAN OP" not in found.efficient
    told = in_short(found)
    assert "nan" not in told
    assert "SAN OP" not in told
    assert "TMR –" not in " ".join(sentences(found))


@pytest.mark.parametrize("seeds", [(2,), (1, 2)])
def test_a_seed_that_was_not_scored_is_not_taken_from_another(hiding, shown, seeds):
    """With a single file left, too: the other classifier shows that SAN was made in three seeds."""
    found = lacking(hiding, seeds)
    line = line_of(found, "SAN OP")
    assert (line.mean_eer, line.folded, line.folded_of) == (None, None, {})
    assert set(line.eer) == {"FaceRes", "dlib gender"}
    # made once, so that it counts for all seeds
    mixed = [line_of(each, "Face mixing alpha 0.5") for each in (found, shown)]
    assert mixed[0].folded == mixed[1].folded


def test_originals_count_for_each_seed(hiding):
    """One classifier's scores of them differ in the last digit on another machine."""
    more = [
        replace(item, scores=replace(item.scores, about=replace(item.about, seed=seed)))
        for item in hiding.gender
        if (item.about.evaluator, item.about.protector) == ("faceres", "original")
        for seed in (1, 2)
    ]
    found = side_by_side(replace(hiding, gender=(*hiding.gender, *more)))
    before = line_of(found, "Before")
    assert list(before.folded_of) == [0, 1, 2]
    assert before.folded.estimate == pytest.approx((0.05 + 0.03) / 2)


def test_only_conditions_with_both_numbers_are_said_to_be_beaten(hiding, shown):
    found = without_tmr(hiding, "nt")
    beaten = len(shown.lines) - 1 - len(found.efficient)
    assert "SAN NT" not in shown.efficient
    assert f"Each of the other {beaten} conditions hides less" in " ".join(sentences(found))


def test_of_one_or_no_beaten_condition_the_sentence_says_so(shown):
    best = tuple(line for line in shown.lines if line.name in shown.efficient)
    told = " ".join(sentences(replace(shown, lines=best)))
    assert "Pareto-optimal by their means" in told
    assert "other" not in told.partition("Pareto-optimal")[2]
    worse = line_of(shown, "Gaussian blur sigma 2")
    told = " ".join(sentences(replace(shown, lines=(*best, worse))))
    assert "The other condition hides less or keeps less matching than one of these" in told
