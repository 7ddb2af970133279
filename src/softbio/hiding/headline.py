"""The half's headline, computed: what is done, then what it comes to, a sentence each."""

from collections.abc import Iterable, Sequence

from softbio.hiding.attackers import attacked, worst
from softbio.hiding.claim import Claim
from softbio.hiding.equal_privacy import CORE, TMR
from softbio.hiding.load import Hiding
from softbio.hiding.selectivity import hide_set
from softbio.hiding.side_by_side import SideBySide
from softbio.hiding.systems import SAN, SYSTEMS
from softbio.hiding.told import in_short
from softbio.results.conditions import unseen
from softbio.results.names import joined
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged

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


def headline(hiding: Hiding, claims: Sequence[Claim], beside: SideBySide | None = None) -> str:
    """What SAN OP, or each system where there are several, does to unseen classifiers and matchers,
    the core claim, and the attacker."""
    name = hiding.population.title
    family = in_short(beside) if beside else ""
    text = family or _of_san(hiding)
    if not text:
        return f"{name}: no unseen gender classifier has scored both the originals and SAN OP."
    more = (_core(claims, bool(family), len(hiding.seeds)), _attacked(hiding, bool(family)))
    return " ".join(f"{sentence}." for sentence in (f"{name}: {text}", *more) if sentence)


def _of_san(hiding: Hiding) -> str:
    """What SAN OP does; empty where that is not known."""
    gender = unseen(hiding.gender)
    probes = unseen(hiding.probes)
    eers = [_range(_of(gender, *c), "eer") for c in ((ORIGINAL, ""), ("san", "op"))]
    tmrs = [_range(_of(probes, *c), TMR) for c in ((ORIGINAL, ""), ("san", "op"))]
    if not all(eers):
        return ""
    text = f"SAN OP takes the gender EER of unseen classifiers from {eers[0]} % to {eers[1]} %"
    if all(tmrs):
        text += f", and TMR at FMR 1 % of unseen matchers from {tmrs[0]} % to {tmrs[1]} %"
    return text


def _core(claims: Sequence[Claim], family: bool, seeds: int) -> str:
    """The core claim's outcome, of SAN alone or of each system; seeds: how many there are."""
    found = [claim for claim in claims if claim.system and claim.parts]
    if not family:
        found = [claim for claim in found if claim.name == CORE]
    if not found:
        return ""
    # another seed may decide otherwise
    once = ", for networks that were trained once" if seeds == 1 else ""
    text = "The claim that {} costs less matching than face mixing of equal privacy {}"
    if len(found) == 1:
        return text.format("SAN" if family else "it", WORDS[found[0].word]) + once
    by_word: dict[str, list[str]] = {}
    for claim in found:
        by_word.setdefault(WORDS[claim.word], []).append(claim.system)
    outcome = ", and ".join(f"{word} for {joined(names)}" for word, names in by_word.items())
    return text.format("each", outcome) + once


def _attacked(hiding: Hiding, any_system: bool) -> str:
    """The worst case: of SAN OP, or of any condition of the family that hides gender."""

    def is_shown(protector: str, mode: str) -> bool:
        if not any_system:
            return (protector, mode) == (SAN, "op")
        hides = hide_set(protector, mode)
        return protector in SYSTEMS and "gender" in hides.hidden and not hides.without

    levels = [
        worst(each.informed)
        for each in attacked(hiding)
        if is_shown(each.about.protector, each.about.mode)
    ]
    known = [each.estimate for each in levels if each]
    if not known:
        return ""
    return (
        "The best of the attackers who know the method reads gender with max(AUC, 1 − AUC) "
        f"of {100 * max(known):.1f} %"
    )
