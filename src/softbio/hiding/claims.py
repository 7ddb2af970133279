"""Which of the publications' claims hold here, each with its interval.

Numbered as the project numbers them: C1 the auxiliary classifier is inverted; C2 the order of the
modes for classifiers that no training used; C3 the core claim, of SAN and of the systems after it
(equal_privacy.py); C4 ensemble and series (family_claims.py); C5 what PrivacyNet hides and keeps
(selectivity.py); C6 what an attacker who knows the method can still read (attackers.py).
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from softbio.hiding.attackers import adaptive
from softbio.hiding.claim import (
    EQUAL,
    Claim,
    Part,
    before,
    by_text,
    decided,
    difference,
    each_of,
    held_of,
    missing,
    number,
    of_condition,
    over_seeds,
)
from softbio.hiding.equal_privacy import cores
from softbio.hiding.family_claims import family_claims
from softbio.hiding.load import Hiding
from softbio.hiding.selectivity import selectivity_claims
from softbio.hiding.systems import SAN
from softbio.hiding.verdicts import above, at_least, below
from softbio.results.conditions import by_scorer, scorer, unseen

AUXILIARY_GENDER = "aux_gender"
_ORIGINALS = "the originals"


def auxiliary(hiding: Hiding) -> Claim:
    """C1: EER of the auxiliary classifier below .5 before, above it under OP."""
    items = [i for i in hiding.gender if i.about.evaluator == AUXILIARY_GENDER]
    protected, clean = [], []
    for seed, item in of_condition(items, SAN, "op").items():
        by, eer = scorer(item.about), item.interval("eer")
        protected.append(Part("EER, SAN OP", by, seed, eer, above(eer, EQUAL), bound=EQUAL))
        if original := before(item, items):
            eer = original.interval("eer")
            clean.append(Part("EER, Before", by, seed, eer, below(eer, EQUAL), bound=EQUAL))
    parts = [*protected, *clean]
    lacking = [_ORIGINALS] if len(clean) < len(protected) else []
    said = "; ".join(
        f"{text} {number(same[0].interval)}"
        if len(same) == 1
        else f"{text} {over_seeds([part.interval.estimate for part in same])}"
        for text, same in by_text(parts).items()
    )
    sentence = f"In %: {said}." if said else "No scores of the auxiliary classifier."
    title = "SAN inverts the auxiliary classifier: its EER is below 50 % before, above it under OP"
    sentence += missing("scores of", lacking)
    return Claim("C1", title, decided(parts, not lacking), sentence, tuple(parts))


def order(hiding: Hiding) -> Claim:
    """C2: for each unseen classifier SM <= NT <= OP in EER, and OP above before. Where a mode or
    the originals are not scored it cannot hold."""
    steps, total, lacking = [], [], []
    for items in by_scorer(unseen(hiding.gender)).values():
        modes = {mode: of_condition(items, SAN, mode) for mode in ("sm", "nt", "op")}
        for seed in dict.fromkeys(seed for files in modes.values() for seed in files):
            own = {mode: files[seed] for mode, files in modes.items() if seed in files}
            one = next(iter(own.values()))
            by, original = scorer(one.about), before(one, items)
            lacking += [f"SAN {mode.upper()}" for mode in modes if mode not in own]
            lacking += [] if original else [_ORIGINALS]
            for low, high in (("sm", "nt"), ("nt", "op")):
                if low in own and high in own:
                    found, remark = difference(own[high], own[low], "eer")
                    text = f"EER, SAN {high.upper()} − SAN {low.upper()}"
                    steps.append(Part(text, by, seed, found, at_least(found), remark))
            if original and "op" in own:
                found, remark = difference(own["op"], original, "eer")
                part = Part("EER, SAN OP − Before", by, seed, found, above(found), remark)
                total.append(part)
    parts = [*steps, *total]
    told = [f"In percentage points of EER: {each_of(total)}."] if total else []
    if steps:
        told.append(f"The order holds in {held_of(steps, 'steps between modes')}.")
    sentence = " ".join(told) or "No two conditions of the order have been scored."
    title = "Unseen classifiers err more from SM over NT to OP, and more under OP than before"
    word = decided(parts, not lacking)
    return Claim("C2", title, word, sentence + missing("scores of", lacking), tuple(parts))


def decide(hiding: Hiding) -> list[Claim]:
    """All claims; those on ensemble, series and PrivacyNet where there is one."""
    rest = [*family_claims(hiding), *selectivity_claims(hiding)]
    return [auxiliary(hiding), order(hiding), *cores(hiding), *rest, adaptive(hiding)]


def as_record(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """For claims.json."""
    return [asdict(claim) for claim in claims]
