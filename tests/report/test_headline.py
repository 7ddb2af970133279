"""The headline of the half: what the systems do, the core claim and the attacker."""

import re
from dataclasses import replace

import pytest

from softbio.hiding.claims import decide
from softbio.hiding.headline import headline
from softbio.hiding.load import About
from softbio.hiding.side_by_side import side_by_side
from softbio.hiding.told import in_short
from softbio.hiding.verdicts import UNDECIDED
from tests.report import beside


def test_the_headline_names_each_system(hiding, shown):
    text = headline(hiding, decide(hiding), shown)
    assert in_short(shown) in text
    assert "SAN OP, Ensemble SAN average, FlowSAN stage 3 and PrivacyNet gender hidden take" in text
    assert "holds for Ensemble SAN, FlowSAN and PrivacyNet" in text
    one, *others = (c for c in decide(hiding) if c.name.startswith("C3"))
    mixed = headline(hiding, [replace(one, word=UNDECIDED), *others], shown)
    assert "is undecided for SAN, and holds for Ensemble SAN" in mixed
    assert text.endswith(" %.")
    assert "inverted" not in text
    effects = {k: v for k, v in beside.EFFECTS.items() if k[0] in ("none", "san", "mixing")}
    alone = beside.family(effects)
    text = headline(alone, decide(alone), side_by_side(alone))
    assert "SAN OP takes the gender EER" in text
    assert "The claim that it costs less matching" in text


def test_the_headlines_attacker_knows_the_method_and_is_after_what_hides_gender(hiding):
    blurred = About("blurred", "Blurred", "recovery", "", "", knowing=False)
    attacks = [beside.attack("blurred", "san", "op", 0, 0.99)]
    attacks += [beside.attack("retrained", "san", "op", 0, 0.9)]
    # neither of them hides gender
    attacks += [beside.attack("retrained", "privacynet", "keep", 0, 0.97)]
    attacks += [beside.attack("retrained", "san", "sm", 0, 0.98)]
    found = replace(hiding, attacks=tuple(attacks), attack_names={"blurred": blurred})
    assert headline(found, decide(found), side_by_side(found)).endswith("of 90.0 %.")


def test_the_headline_says_where_decisions_are_inverted(hiding):
    """An EER of 85 % is printed as 15, which by itself would read as gender laid bare."""
    beyond = tuple(
        replace(i, numbers=beside.numbers(beside.GENDER, 0.85, ("f", i.about.seed)))
        if i.about.mode == "stage3"
        else i
        for i in hiding.gender
    )
    text = in_short(side_by_side(replace(hiding, gender=beyond)))
    before, after = text.split(" (decisions inverted where it is above 50 %) from ")
    assert before.endswith("mean gender EER of unseen classifiers")
    assert float(re.findall(r"[\d.]+", after)[3]) == pytest.approx(15, abs=0.1)
