"""The core claim: at equal privacy, a SAN costs less matching than face mixing; and the same of the
systems that followed it.

Equal privacy is an equal EER with decisions inverted above 50 %: a classifier of EER 74 % reveals
gender as well as one of 26 %, so a SAN that leaves it with either is compared with the face mixing
that leaves it with 26 %, not with one that has mixed far beyond. How often the claim is true at the
EER as it stands is reported beside it. Both are comparisons of ours: the talk shows ROC curves, and
none of our sources compares TMR at an equal EER.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from softbio.hiding.able import TMR, matchers
from softbio.hiding.claim import (
    IMPOSSIBLE,
    Claim,
    Part,
    decided,
    each_of,
    held_of,
    of_condition,
)
from softbio.hiding.load import Hiding
from softbio.hiding.seeds import DIFFERENCE, of_seed, over_seeds
from softbio.hiding.systems import SAN, SYSTEMS, compared_with_mixing
from softbio.hiding.verdicts import (
    NOTHING,
    UNDECIDED,
    Draws,
    above,
    derived,
    draws,
    folded,
    folded_path,
    interpolated,
    joint,
)
from softbio.results.conditions import by_scorer, condition, scorer, strength_of, unseen
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval

CORE = "C3"
MIXING = "mixing"


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
    """The original and face mixing by falling share of the face itself, as of `of_seed`; empty
    without the original, where every sweep begins."""
    modes = {i.about.mode for i in gender if i.about.protector == MIXING}
    falling = sorted((m for m in modes if strength_of(m) is not None), key=strength_of)[::-1]
    found = []
    for protector, mode in [(ORIGINAL, ""), *((MIXING, mode) for mode in falling)]:
        files = [of_condition(items, protector, mode) for items in (gender, matching)]
        chosen = of_seed(files, seed)
        if chosen:
            found.append(_Pair(*chosen))
        elif protector == ORIGINAL:
            return []
    return found


def cost_at_equal_privacy(
    own: _Pair, sweep: Sequence[_Pair], turned: bool = True
) -> tuple[Draws | None, str]:
    """TMR of a system minus that of face mixing, interpolated between the points of its sweep
    (which starts at the original) where its EER first is the system's; and why there is none, if
    so. turned: both EERs with decisions inverted above 1/2, or as they stand."""
    files = [side.numbers for pair in (own, *sweep) for side in (pair.gender, pair.matching)]
    if not joint(files):
        return None, IMPOSSIBLE
    if any(np.isnan(pair.tmr.estimate) for pair in (own, *sweep)):
        return None, "too few non-mated comparisons for FMR 1 %"

    def cost(eer: np.ndarray, tmr: np.ndarray, *points: np.ndarray) -> np.ndarray:
        half = len(points) // 2
        xs, ys = (np.stack(part, axis=1) for part in (points[:half], points[half:]))
        if turned:
            eer, (xs, ys) = folded(eer), folded_path(xs, ys)
        return tmr - interpolated(eer, xs, ys)

    points = [pair.eer for pair in sweep], [pair.tmr for pair in sweep]
    found = derived(cost, own.eer, own.tmr, *points[0], *points[1])
    if np.isnan(found.estimate):
        return found, _outside(own, sweep, turned)
    # the path turns back where an EER is 1/2
    sides = own.eer.values[~np.isnan(own.eer.values)] > 0.5
    return replace(found, kinked=bool(turned and sides.any() and not sides.all())), ""


def _outside(own: _Pair, sweep: Sequence[_Pair], turned: bool) -> str:
    eer, reach = own.eer.estimate, np.array([[pair.eer.estimate for pair in sweep]])
    if turned:
        eer, reach = folded(eer), folded_path(reach, reach)[0]
    return (
        f"EER{' inverted' * turned} {100 * eer:.1f} lies outside mixing's sweep, "
        f"{100 * reach.min():.1f} to {100 * reach.max():.1f}"
    )


def _over(costs: Mapping[int | None, tuple[Draws | None, str]]) -> tuple[Interval, str]:
    """The mean cost over seeds, which has to be known in each of them, and why it is not."""
    reasons = [
        f"seed {seed}: {why}" if len(costs) > 1 else why for seed, (_, why) in costs.items() if why
    ]
    if reasons:
        return NOTHING, reasons[0]
    found = over_seeds([cost for cost, _ in costs.values()], DIFFERENCE)
    return found, "the end of mixing's sweep is too near" if np.isnan(found.low) else ""


def _part(
    pairs: Mapping[int | None, _Pair], sweeps: Mapping[int | None, list[_Pair]], turned: bool
) -> Part:
    """One classifier and matcher on a condition, over its seeds."""
    costs = {seed: cost_at_equal_privacy(pairs[seed], sweeps[seed], turned) for seed in pairs}
    found, why = _over(costs)
    seed, one = next(iter(pairs.items()))
    about, several = one.gender.about, len(pairs) > 1
    text = f"TMR, {condition(about)} − face mixing" + f", {len(pairs)} seeds" * several
    by = f"{scorer(about)}, {scorer(one.matching.about)}"
    place = None if several else seed
    return Part(text, by, place, found, above(found), why, seeds=len(pairs))


def _parts(
    hiding: Hiding, system: str, able: Iterable[list[Judged]]
) -> tuple[list[Part], list[Part]]:
    """Of each unseen classifier and able matcher, at equal privacy and at the EER as it stands."""
    made = dict.fromkeys(i.about.mode for i in hiding.gender if i.about.protector == system)
    parts, plain = [], []
    for gender in by_scorer(unseen(hiding.gender)).values():
        for matching in able:
            for mode in compared_with_mixing(system, made):
                own, other = (of_condition(items, system, mode) for items in (gender, matching))
                sweeps = {s: _sweep(gender, matching, s) for s in own if s in other}
                sweeps = {seed: sweep for seed, sweep in sweeps.items() if len(sweep) > 1}
                if not sweeps:
                    continue
                pairs = {seed: _Pair(own[seed], other[seed]) for seed in sweeps}
                parts.append(_part(pairs, sweeps, turned=True))
                plain.append(_part(pairs, sweeps, turned=False))
    return parts, plain


def core(hiding: Hiding, system: str = SAN) -> Claim:
    """C3: at a system's EER of an unseen classifier, decisions inverted above 1/2, its TMR at FMR
    1 % of an unseen matcher that is able is higher than that of face mixing, in the mean over
    seeds."""
    title = _title(hiding, system)
    judges = matchers(hiding)
    parts, plain = _parts(hiding, system, judges.able.values())
    known = [part for part in parts if part.word != UNDECIDED or not part.remark]
    sentence = f"No unseen classifier and matcher have scored both {title} and face mixing."
    if parts:
        sentence = f"Higher in {held_of(parts, 'comparisons')}"
        if known:
            sentence += f"; in percentage points of TMR at FMR 1 %: {each_of(known)}"
        reasons = dict.fromkeys(part.remark for part in parts if part.remark)
        sentence += f". Undecided: {'; '.join(list(reasons)[:3])}." if reasons else "."
        sentence += f" At the EER as it stands, not inverted: {held_of(plain, 'comparisons')}."
    claimed = (
        f"Where both hide gender equally well (equal EER of an unseen classifier, decisions "
        f"inverted above 50 %), {title} leaves more matching than face mixing"
    )
    name = CORE if system == SAN else f"{CORE}, {title}"
    sentence += judges.unheard
    return Claim(name, claimed, decided(parts), sentence, tuple(parts), title)


def _title(hiding: Hiding, system: str) -> str:
    """The printed name of a system."""
    titles = [i.about.protector_title for i in hiding.gender if i.about.protector == system]
    return next(filter(None, titles), {SAN: "SAN"}.get(system, system))


def cores(hiding: Hiding) -> list[Claim]:
    """C3 of SAN, then of each other system that was scored."""
    scored = {i.about.protector for i in hiding.gender}
    return [core(hiding), *(core(hiding, name) for name in SYSTEMS[1:] if name in scored)]
