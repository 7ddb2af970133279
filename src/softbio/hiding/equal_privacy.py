"""The core claim: at equal privacy, a SAN costs less matching than face mixing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softbio.conditions import scorer, strength_of, unseen
from softbio.hiding.claim import (
    IMPOSSIBLE,
    SAN,
    Claim,
    Part,
    each_of,
    groups,
    held_of,
    of_condition,
)
from softbio.hiding.load import Hiding
from softbio.hiding.verdicts import (
    NOTHING,
    UNDECIDED,
    Draws,
    above,
    all_of,
    combined,
    draws,
    interpolated,
    joint,
)
from softbio.intervals import Judged, tmr_name
from softbio.scores import KINDS, ORIGINAL
from softbio.statistics import Interval

MIXING = "mixing"
TMR = tmr_name(0.01)
MODES = ("op", "nt")
# A matcher that misses most mated comparisons of unprotected faces can not tell what protection
# costs: it is not heard, and named.
ABLE = 0.5


@dataclass(frozen=True)
class _Pair:
    """One condition judged by a classifier and by a matcher."""

    gender: Judged
    matching: Judged

    @property
    def eer(self) -> Draws:
        return draws(self.gender.numbers, "eer")

    @property
    def tmr(self) -> Draws:
        return draws(self.matching.numbers, TMR)


def _sweep(gender: list[Judged], matching: list[Judged], seed: int | None) -> list[_Pair]:
    """The original and face mixing by falling share of the face itself, of this seed or the first
    that there is; empty without the original, where every sweep begins."""
    modes = {i.about.mode for i in gender if i.about.protector == MIXING}
    falling = sorted((m for m in modes if strength_of(m) is not None), key=strength_of)[::-1]
    found = []
    for protector, mode in [(ORIGINAL, ""), *((MIXING, mode) for mode in falling)]:
        files = [of_condition(items, protector, mode) for items in (gender, matching)]
        chosen = [of.get(seed, next(iter(of.values()), None)) for of in files]
        if None not in chosen:
            found.append(_Pair(*chosen))
        elif protector == ORIGINAL:
            return []
    return found


def cost_at_equal_privacy(san: _Pair, sweep: Sequence[_Pair]) -> tuple[Interval, str]:
    """TMR of a SAN minus that of face mixing, interpolated between the points of its sweep (which
    starts at the original) where its EER is the SAN's; and why it is undecided, if so."""
    files = [side.numbers for pair in (san, *sweep) for side in (pair.gender, pair.matching)]
    if not joint(files):
        return NOTHING, IMPOSSIBLE
    if any(np.isnan(pair.tmr.estimate) for pair in (san, *sweep)):
        return NOTHING, "too few non-mated comparisons for FMR 1 %"

    def cost(eer: np.ndarray, tmr: np.ndarray, *points: np.ndarray) -> np.ndarray:
        half = len(points) // 2
        xs, ys = (np.stack(part, axis=1) for part in (points[:half], points[half:]))
        return tmr - interpolated(eer, xs, ys)

    points = [pair.eer for pair in sweep], [pair.tmr for pair in sweep]
    found = combined(cost, san.eer, san.tmr, *points[0], *points[1])
    if np.isnan(found.estimate):
        reach = [pair.eer.estimate for pair in sweep]
        return found, (
            f"EER {100 * san.eer.estimate:.1f} lies outside mixing's sweep, "
            f"{100 * min(reach):.1f} to {100 * max(reach):.1f}"
        )
    return found, "the end of mixing's sweep is too near" if np.isnan(found.low) else ""


def core(hiding: Hiding) -> Claim:
    """C3: at the SAN's EER of an unseen classifier, TMR at FMR 1 % of an unseen matcher is higher
    than that of face mixing. Matchers whose TMR is below `ABLE` before protection are not heard."""
    probes = [i for i in hiding.verification if i.about.kind in KINDS[:2]]
    parts, deaf = [], {}
    for gender in groups(unseen(hiding.gender)).values():
        for matching in groups(unseen(probes)).values():
            for mode in MODES:
                own, other = (of_condition(items, SAN, mode) for items in (gender, matching))
                for seed in (seed for seed in own if seed in other):
                    sweep = _sweep(gender, matching, seed)
                    if len(sweep) < 2:
                        continue
                    if (before := sweep[0].tmr.estimate) < ABLE:
                        deaf[scorer(other[seed].about)] = f"{100 * before:.1f} %"
                        continue
                    found, why = cost_at_equal_privacy(_Pair(own[seed], other[seed]), sweep)
                    by = f"{scorer(own[seed].about)}, {scorer(other[seed].about)}"
                    text = f"TMR, SAN {mode.upper()} − face mixing"
                    parts.append(Part(text, by, seed, found, above(found), why))
    known = [part for part in parts if part.word != UNDECIDED or not part.remark]
    sentence = "No unseen classifier and matcher have scored both SAN and face mixing."
    if parts:
        sentence = f"Higher in {held_of(parts, 'comparisons')}"
        if known:
            sentence += f"; in percentage points of TMR at FMR 1 %: {each_of(known)}"
        reasons = dict.fromkeys(part.remark for part in parts if part.remark)
        sentence += f". Undecided: {'; '.join(list(reasons)[:3])}." if reasons else "."
    if deaf:
        names = ", ".join(f"{name} ({tmr})" for name, tmr in deaf.items())
        sentence += f" Not heard, for a TMR below {100 * ABLE:.0f} % before protection: {names}."
    title = (
        "Where both hide gender as well (equal EER of an unseen classifier), SAN leaves more "
        "matching than face mixing"
    )
    return Claim("C3", title, all_of([part.word for part in parts]), sentence, tuple(parts))
