"""The half's one sentence, computed."""

from collections.abc import Iterable, Sequence

from softbio.conditions import unseen
from softbio.hiding.attackers import attacked, worst
from softbio.hiding.claim import Claim
from softbio.hiding.equal_privacy import TMR
from softbio.hiding.load import Hiding
from softbio.intervals import Judged
from softbio.scores import KINDS, ORIGINAL

WORDS = {"held": "holds", "not held": "does not hold", "undecided": "is undecided"}


def _range(items: Iterable[Judged], number: str) -> str:
    """ "4.1" or "4.1–6.0", in percent."""
    found = [100 * item.interval(number).estimate for item in items]
    found = sorted(value for value in found if value == value)
    if not found:
        return ""
    low, high = f"{found[0]:.1f}", f"{found[-1]:.1f}"
    return low if low == high else f"{low}–{high}"


def _of(items: Sequence[Judged], protector: str, mode: str) -> list[Judged]:
    return [i for i in items if (i.about.protector, i.about.mode) == (protector, mode)]


def headline(hiding: Hiding, claims: Sequence[Claim]) -> str:
    """What SAN OP does to unseen classifiers and matchers, the core claim, and the attacker."""
    name = hiding.population.title
    gender = unseen(hiding.gender)
    probes = unseen([i for i in hiding.verification if i.about.kind in KINDS[:2]])
    eers = [_range(_of(gender, *c), "eer") for c in ((ORIGINAL, ""), ("san", "op"))]
    tmrs = [_range(_of(probes, *c), TMR) for c in ((ORIGINAL, ""), ("san", "op"))]
    if not all(eers):
        return f"{name}: no unseen gender classifier has scored both the originals and SAN OP."
    text = (
        f"{name}: SAN OP takes the gender EER of unseen classifiers from {eers[0]} % to {eers[1]} %"
    )
    if all(tmrs):
        text += f", and TMR at FMR 1 % of unseen matchers from {tmrs[0]} % to {tmrs[1]} %"
    core = next((claim for claim in claims if claim.name == "C3"), None)
    if core and core.parts:
        text += (
            "; the claim that it costs less matching than face mixing of equal privacy "
            f"{WORDS[core.word]}"
        )
    levels = [
        worst(attacks)
        for any_, attacks, _ in attacked(hiding)
        if (any_.about.protector, any_.about.mode) == ("san", "op")
    ]
    known = [level.estimate for level in levels if level]
    if known:
        text += (
            "; the worst of the attackers who know the method tells gender with max(AUC, 1 − AUC) "
            f"of {100 * max(known):.1f} %"
        )
    return text + "."
