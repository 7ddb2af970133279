"""Which of the publications' claims hold here, each with its interval.

Numbered as the project numbers them: C1 the auxiliary classifier is turned round; C2 the order of
the modes for classifiers that no training used; C3 the core claim, that a SAN costs less matching
than face mixing where both hide as much; C6 what is left before an attacker who knows the method.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from softbio.conditions import condition, ordered, scorer, strength_of, unseen
from softbio.hiding.load import Hiding
from softbio.hiding.verdicts import (
    HELD,
    NOT_HELD,
    NOTHING,
    UNDECIDED,
    Draws,
    above,
    all_of,
    at_least,
    below,
    combined,
    draws,
    interpolated,
    joint,
    separated,
)
from softbio.intervals import Judged, tmr_name
from softbio.scores import KINDS, ORIGINAL
from softbio.statistics import Interval

AUXILIARY, SAN, MIXING = "aux_gender", "san", "mixing"
TMR = tmr_name(0.01)
MODES = ("op", "nt")
EQUAL, IMPOSSIBLE = 0.5, "other subjects in the score files"


@dataclass(frozen=True)
class Part:
    """One inequality of a claim: of which scorers and seed, the number, and how it was decided.

    text: what is compared, such as "EER, SAN OP − Before"; remark: why it is undecided, if so.
    """

    text: str
    by: str
    seed: int | None
    interval: Interval
    word: str
    remark: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim, decided: held, not held or undecided; sentence: what was found, with numbers."""

    name: str
    title: str
    word: str
    sentence: str
    parts: tuple[Part, ...]


def number(interval: Interval, sign: bool = False) -> str:
    """In percent, with its limits where it has any."""
    form = "{:+.1f}" if sign else "{:.1f}"
    values = (interval.estimate, interval.low, interval.high)
    middle, low, high = (form.format(100 * value).replace("-", "−") for value in values)
    return middle if np.isnan(interval.low) else f"{middle} ({low} to {high})"


def _is_original(item: Judged) -> bool:
    return item.about.protector == ORIGINAL


def before(item: Judged, items: Iterable[Judged]) -> Judged | None:
    """The unprotected scores of a scorer's file among its others, of its seed where each seed has
    its own; None where there are none, or only those of another seed's network."""
    found = [each for each in items if _is_original(each)]
    own = [each for each in found if each.about.seed == item.about.seed]
    name = getattr(item.about, "evaluator", None) or item.about.matcher
    return next(iter(own or ([] if name.startswith("aux_") and len(found) > 1 else found)), None)


def _groups(items: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Files of each scorer."""
    found: dict[str, list[Judged]] = {}
    for item in ordered(items):
        name = getattr(item.about, "evaluator", None) or item.about.matcher
        found.setdefault(name, []).append(item)
    return found


def _of(items: Iterable[Judged], protector: str, mode: str = "") -> dict[int | None, Judged]:
    """Seed -> file of a condition."""
    return {
        i.about.seed: i for i in items if (i.about.protector, i.about.mode) == (protector, mode)
    }


def _difference(first: Judged, second: Judged, name: str) -> tuple[Interval, str]:
    """Of a number, the first file's minus the second's, and why it has no interval, if so."""
    if not joint([first.numbers, second.numbers]):
        return NOTHING, IMPOSSIBLE
    return combined(np.subtract, *(draws(each.numbers, name) for each in (first, second))), ""


def auxiliary(hiding: Hiding) -> Claim:
    """C1: EER of the auxiliary classifier below .5 before, above it under OP."""
    parts, items = [], [i for i in hiding.gender if i.about.evaluator == AUXILIARY]
    for seed, item in _of(items, SAN, "op").items():
        eer = item.interval("eer")
        parts.append(Part("EER, SAN OP", scorer(item.about), seed, eer, above(eer, EQUAL)))
        if original := before(item, items):
            eer = original.interval("eer")
            parts.append(Part("EER, Before", scorer(item.about), seed, eer, below(eer, EQUAL)))
    word = all_of([part.word for part in parts])
    if len({part.text for part in parts}) < 2:
        word = UNDECIDED
    said = "; ".join(f"{p.text} {number(p.interval)}{_seed(p, parts)}" for p in parts)
    sentence = f"In %: {said}." if said else "No scores of the auxiliary classifier."
    title = "SAN turns the auxiliary classifier round: its EER is below 50 % before, above under OP"
    return Claim("C1", title, word, sentence, tuple(parts))


def _seed(part: Part, parts: Sequence[Part]) -> str:
    """ ", seed 1" where there are several."""
    return f", seed {part.seed}" if len({each.seed for each in parts}) > 1 else ""


def order(hiding: Hiding) -> Claim:
    """C2: for each unseen classifier SM <= NT <= OP in EER, and OP above before."""
    parts = []
    for items in _groups(unseen(hiding.gender)).values():
        modes = {mode: _of(items, SAN, mode) for mode in ("sm", "nt", "op")}
        for seed, op in modes["op"].items():
            by = scorer(op.about)
            for low, high in (("sm", "nt"), ("nt", "op")):
                pair = modes[high].get(seed), modes[low].get(seed)
                if None in pair:
                    continue
                found, remark = _difference(*pair, "eer")
                text = f"EER, SAN {high.upper()} − SAN {low.upper()}"
                parts.append(Part(text, by, seed, found, at_least(found), remark))
            if original := before(op, items):
                found, remark = _difference(op, original, "eer")
                part = Part("EER, SAN OP − Before", by, seed, found, above(found), remark)
                parts.append(part)
    total = [part for part in parts if part.text.endswith("Before")]
    word = all_of([part.word for part in parts]) if total else UNDECIDED
    sentence = "No scores of unseen classifiers under OP and before."
    if total:
        steps = [part for part in parts if part not in total]
        sentence = (
            f"In percentage points of EER: {_each(total)}. The order holds in "
            f"{_held(steps)} steps between modes."
        )
    title = "Unseen classifiers err more from SM over NT to OP, and more under OP than before"
    return Claim("C2", title, word, sentence, tuple(parts))


def _held(parts: Sequence[Part]) -> str:
    """ "3 of 4", with those that are undecided."""
    held, open_ = (sum(part.word == word for part in parts) for word in (HELD, UNDECIDED))
    return f"{held} of {len(parts)}" + (f" ({open_} undecided)" if open_ else "")


def _each(parts: Sequence[Part], most: int = 6) -> str:
    """The numbers of the parts; of many the smallest and the largest."""
    if len(parts) <= most:
        return "; ".join(
            f"{p.text.split(', ', 1)[-1]}, {p.by}{_seed(p, parts)}: {number(p.interval, sign=True)}"
            for p in parts
        )
    known = [part for part in parts if np.isfinite(part.interval.estimate)]
    ends = [f(known, key=lambda part: part.interval.estimate) for f in (min, max)]
    texts = [f"{p.by}{_seed(p, parts)} {number(p.interval, sign=True)}" for p in ends]
    return f"{len(parts)} comparisons, from {texts[0]} to {texts[1]}"


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
    that there is."""
    modes = {i.about.mode for i in gender if i.about.protector == MIXING}
    falling = sorted((m for m in modes if strength_of(m) is not None), key=strength_of)[::-1]
    found = []
    for protector, mode in [(ORIGINAL, ""), *((MIXING, mode) for mode in falling)]:
        files = [_of(items, protector, mode) for items in (gender, matching)]
        chosen = [of.get(seed, next(iter(of.values()), None)) for of in files]
        if None not in chosen:
            found.append(_Pair(*chosen))
    return found


def cost_at_equal_privacy(san: _Pair, sweep: Sequence[_Pair]) -> tuple[Interval, str]:
    """TMR of a SAN minus that of face mixing, interpolated between the points of its sweep (which
    starts at the original) where its EER is the SAN's; and why it is undecided, if so."""
    files = [side.numbers for pair in (san, *sweep) for side in (pair.gender, pair.matching)]
    if not joint(files):
        return NOTHING, IMPOSSIBLE
    if any(np.isnan(pair.tmr.estimate) for pair in (san, *sweep)):
        return NOTHING, "too few non-mated comparisons for FMR 1 %"

    def difference(eer: np.ndarray, tmr: np.ndarray, *points: np.ndarray) -> np.ndarray:
        half = len(points) // 2
        xs, ys = (np.stack(part, axis=1) for part in (points[:half], points[half:]))
        return tmr - interpolated(eer, xs, ys)

    points = [pair.eer for pair in sweep], [pair.tmr for pair in sweep]
    found = combined(difference, san.eer, san.tmr, *points[0], *points[1])
    if np.isnan(found.estimate):
        reach = [pair.eer.estimate for pair in sweep]
        return found, (
            f"EER {100 * san.eer.estimate:.1f} lies outside mixing's sweep, "
            f"{100 * min(reach):.1f} to {100 * max(reach):.1f}"
        )
    return found, "the end of mixing's sweep is too near" if np.isnan(found.low) else ""


def core(hiding: Hiding) -> Claim:
    """C3: at the SAN's EER of an unseen classifier, TMR at FMR 1 % of an unseen matcher is higher
    than that of face mixing."""
    probes = [i for i in hiding.verification if i.about.kind in KINDS[:2]]
    parts = []
    for gender in _groups(unseen(hiding.gender)).values():
        for matching in _groups(unseen(probes)).values():
            for mode in MODES:
                own, other = (_of(items, SAN, mode) for items in (gender, matching))
                for seed in (seed for seed in own if seed in other):
                    sweep = _sweep(gender, matching, seed)
                    if len(sweep) < 2:
                        continue
                    found, why = cost_at_equal_privacy(_Pair(own[seed], other[seed]), sweep)
                    by = f"{scorer(own[seed].about)}, {scorer(other[seed].about)}"
                    text = f"TMR, SAN {mode.upper()} − face mixing"
                    parts.append(Part(text, by, seed, found, above(found), why))
    known = [part for part in parts if part.word != UNDECIDED or not part.remark]
    sentence = "No unseen classifier and matcher have scored both SAN and face mixing."
    if parts:
        sentence = f"Higher in {_held(parts)} comparisons"
        if known:
            sentence += f"; in percentage points of TMR at FMR 1 %: {_each(known)}"
        reasons = dict.fromkeys(part.remark for part in parts if part.remark)
        sentence += f". Undecided: {'; '.join(list(reasons)[:3])}." if reasons else "."
    title = (
        "Where both hide gender as well (equal EER of an unseen classifier), SAN leaves more "
        "matching than face mixing"
    )
    return Claim("C3", title, all_of([part.word for part in parts]), sentence, tuple(parts))


def is_gender(item: Judged) -> bool:
    """Whether an attack is after gender, not after the protection itself."""
    return item.about.positive == "male"


def worst(items: Sequence[Judged]) -> Draws | None:
    """max(AUC, 1 - AUC) of whoever tells most, in each resample; None of other subjects."""
    if not items or not joint([item.numbers for item in items]):
        return None
    areas = [draws(item.numbers, "auc") for item in items]
    return Draws(
        max(float(separated(np.array(each.estimate))) for each in areas),
        *(separated(np.stack([getattr(each, name) for each in areas])).max(axis=0)
          for name in ("values", "without")),
    )  # fmt: skip


def attacked(hiding: Hiding) -> Iterator[tuple[Judged, list[Judged], list[Judged]]]:
    """Each attacked condition: one of its files, the attacks on gender, and the zero-effort
    readers: unseen classifiers that have learnt nothing of it."""
    found: dict[tuple, list[Judged]] = {}
    for item in ordered(hiding.attacks):
        found.setdefault((item.about.protector, item.about.mode, item.about.seed), []).append(item)
    readers = unseen(hiding.gender)
    for (protector, mode, seed), items in found.items():
        same = [(i.about.protector, i.about.mode) == (protector, mode) for i in readers]
        files = [i for i, is_same in zip(readers, same, strict=True) if is_same]
        own = [i for i in files if i.about.seed == seed]
        yield items[0], [i for i in items if is_gender(i)], own or files


def adaptive(hiding: Hiding) -> Claim:
    """C6: the worst attacker tells no more than the best zero-effort reader."""
    parts, levels = [], []
    for any_, attacks, readers in attacked(hiding):
        about, sides = any_.about, (worst(attacks), worst(readers))
        name = condition(about)
        text = f"Separation, worst attack − zero effort, {name}"
        numbers = [item.numbers for item in (*attacks, *readers)]
        if None in sides or not joint(numbers):
            parts.append(Part(text, "", about.seed, NOTHING, UNDECIDED, IMPOSSIBLE))
            continue
        gain = combined(np.subtract, *sides)
        best = max(attacks, key=lambda i: abs(i.interval("auc").estimate - EQUAL))
        parts.append(Part(text, scorer(best.about), about.seed, gain, at_least(_turned(gain))))
        level = [100 * side.estimate for side in sides]
        levels.append(f"{name}{_seed(parts[-1], parts)} {level[1]:.1f} to {level[0]:.1f}")
    word = all_of([part.word for part in parts])
    sentence = "No attack was made."
    if parts:
        lost = [part for part in parts if part.word == NOT_HELD]
        sentence = (
            f"max(AUC, 1 − AUC) in %, from zero effort to the worst attack: {'; '.join(levels)}. "
            f"Knowing the method tells more in {len(lost)} of {len(parts)} conditions."
        )
    title = "An attacker who knows the method tells no more than one who does not"
    return Claim("C6", title, word, sentence, tuple(parts))


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.estimate, -interval.high, -interval.low)


def decide(hiding: Hiding) -> list[Claim]:
    """All claims."""
    return [auxiliary(hiding), order(hiding), core(hiding), adaptive(hiding)]


def as_record(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """For claims.json."""
    return [asdict(claim) for claim in claims]
