"""C5 of made-up effects: a hide-set at a time, and what each says of the claim."""

from dataclasses import replace

import pytest

from softbio.hiding.selectivity import selectivity_claims
from softbio.hiding.verdicts import HELD, NOT_HELD, UNDECIDED
from tests.report import selective


def of_one(mode: str, before: selective.Effect, after: selective.Effect, *read: str):
    """C5 of PrivacyNet with a single hide-set and those attributes besides gender."""
    found = selective.hiding({("original", ""): before, ("privacynet", mode): after})
    kept = tuple(item for item in found.attributes if item.about.attribute in read)
    return selectivity_claims(replace(found, attributes=kept))[0]


def test_the_claim_says_that_others_are_kept_only_where_they_are_read():
    hides = "PrivacyNet hides the attributes that it is asked to hide"
    effects = selective.Effect(), selective.Effect(gender=0)
    found = [of_one("g", *effects, *read) for read in ((), ("age",), ("age", "race"))]
    others = "", " and keeps the others that are read", " and keeps the others"
    assert [claim.title for claim in found] == [hides + text for text in others]
    assert {claim.word for claim in found} == {HELD}
    assert ["Nobody reads race where kept." in claim.sentence for claim in found] == [0, 1, 0]


def test_the_claim_does_not_hold_where_nobody_reads_what_was_to_be_hidden():
    """The race reader is wrong before protection too."""
    blind = selective.Effect(gender=0.3, race=-1)
    found = of_one("r", blind, blind, "age", "race")
    assert {part.word for part in found.parts} == {HELD}
    assert found.word == UNDECIDED
    assert "Hidden attributes: no able reader; kept ones: 2 of 2" in found.sentence
    assert of_one("r", blind, selective.Effect(0, race=-1), "age", "race").word == NOT_HELD


def test_inverted_decisions_between_two_races_tell_them_as_before():
    effects = {("original", ""): selective.Effect()}
    effects["privacynet", "r"] = selective.Effect(race=-1)
    (claim,) = selectivity_claims(selective.hiding(effects))
    (race,) = (part for part in claim.parts if "Error of race" in part.text)
    # the reader is wrong on nearly all faces: of two values that is no error
    assert race.text.startswith("Error of race (hidden; inverted)")
    assert race.word != HELD
    (age,) = (part for part in claim.parts if "Error of age" in part.text)
    assert "turned" not in age.text


@pytest.mark.parametrize(
    ("effect", "lost"),
    [
        (selective.Effect(gender=0, race=0.4), "Error of race (kept)"),
        (selective.Effect(), "Error of gender (hidden; inverted)"),
        # on all faces the wrong gender: that tells it as well as before
        (selective.Effect(gender=-1), "Error of gender (hidden; inverted)"),
    ],
)
def test_the_claim_fails_where_an_attribute_is_lost_or_shows(effect, lost):
    effects = {key: selective.EFFECTS[key] for key in (("original", ""),)}
    (claim,) = selectivity_claims(selective.hiding(effects | {("privacynet", "g"): effect}))
    assert claim.word != HELD
    failed = {part.text.split(",")[0] for part in claim.parts if part.word != HELD}
    assert failed == {lost}


def test_the_matcher_is_not_needed_where_nothing_is_lost_without_it():
    effects = dict(selective.EFFECTS)
    effects["privacynet", "ga"] = replace(effects["privacynet", "ga"], matching=0.3)
    effects["privacynet", "ga-nomatcher"] = selective.Effect(0, 0)
    assert selectivity_claims(selective.hiding(effects))[1].word == NOT_HELD
