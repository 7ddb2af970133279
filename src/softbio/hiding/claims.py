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
    groups,
    held_of,
    number,
    of_condition,
    over_seeds,
)
from softbio.hiding.equal_privacy import cores
from softbio.hiding.family_claims import family_claims
from softbio.hiding.load import Hiding
from softbio.hiding.selectivity import selectivity_claims
from softbio.hiding.systems import SAN
from softbio.hiding.verdicts import UNDECIDED, above, at_least, below
from softbio.results.conditions import scorer, unseen

AUXILIARY_GENDER = "aux_gender"


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
    word = decided(parts) if protected and clean else UNDECIDED
    said = "; ".join(
        f"{text} {number(same[0].interval)}"
        if len(same) == 1
        else f"{text} {over_seeds([part.interval.estimate for part in same])}"
        for text, same in by_text(parts).items()
    )
    sentence = f"In %: {said}." if said else "No scores of the auxiliary classifier."
    title = "SAN inverts the auxiliary classifier: its EER is below 50 % before, above it under OP"
    return Claim("C1", title, word, sentence, tuple(parts))


def order(hiding: Hiding) -> Claim:
    """C2: for each unseen classifier SM <= NT <= OP in EER, and OP above before."""
    steps, total = [], []
    for items in groups(unseen(hiding.gender)).values():
        modes = {mode: of_condition(items, SAN, mode) for mode in ("sm", "nt", "op")}
        for seed, op in modes["op"].items():
            by = scorer(op.about)
            for low, high in (("sm", "nt"), ("nt", "op")):
                pair = modes[high].get(seed), modes[low].get(seed)
                if None in pair:
                    continue
                found, remark = difference(*pair, "eer")
                text = f"EER, SAN {high.upper()} − SAN {low.upper()}"
                steps.append(Part(text, by, seed, found, at_least(found), remark))
            if original := before(op, items):
                found, remark = difference(op, original, "eer")
                part = Part("EER, SAN OP − Before", by, seed, found, above(found), remark)
                total.append(part)
    parts = [*steps, *total]
    word = decided(parts) if total else UNDECIDED
    sentence = "No scores of unseen classifiers under OP and before."
    if total:
        sentence = (
            f"In percentage points of EER: {each_of(total)}. The order holds in "
            f"{held_of(steps, 'steps between modes')}."
        )
    title = "Unseen classifiers err more from SM over NT to OP, and more under OP than before"
    return Claim("C2", title, word, sentence, tuple(parts))


def decide(hiding: Hiding) -> list[Claim]:
    """All claims; those on ensemble, series and PrivacyNet where there is one."""
    rest = [*family_claims(hiding), *selectivity_claims(hiding)]
    return [auxiliary(hiding), order(hiding), *cores(hiding), *rest, adaptive(hiding)]


def as_record(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """For claims.json."""
    return [asdict(claim) for claim in claims]
