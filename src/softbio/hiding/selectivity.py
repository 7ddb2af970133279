"""Selectivity: what is hidden and what is kept, attribute by attribute, and the claims on it.

An attribute is read by every evaluator that no training here used and that is able (`able.py`). Its
number is the balanced error: of gender at the shipped threshold, of age over groups of years, of
race over the classes.
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from softbio.hiding.able import ERROR, chance, matchers, readers, unheard_readers
from softbio.hiding.claim import (
    Claim,
    Part,
    before,
    decided,
    difference,
    each_of,
    held_of,
    is_original,
    missing,
    of_condition,
)
from softbio.hiding.equal_privacy import TMR
from softbio.hiding.load import Hiding
from softbio.hiding.verdicts import (
    HELD,
    NOTHING,
    above,
    below,
    combined,
    draws,
    folded_draws,
    joint,
)
from softbio.privacy import LETTERS
from softbio.privacy.privacynet_recipe import parsed
from softbio.results.conditions import by_scorer, condition, ordered, scorer, scorer_name
from softbio.results.names import joined
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval

PRIVACYNET = "privacynet"
# Ours: no source says how much of a kept attribute may be lost. In shares of 1.
MARGIN = 0.05
ABLATIONS = {"nomatcher": "without the matcher", "nocycle": "without the cycle loss"}


@dataclass(frozen=True)
class HideSet:
    """What a condition is to hide; without: the part of PrivacyNet's loss that was left out, a key
    of `ABLATIONS`, or empty."""

    hidden: tuple[str, ...]
    without: str = ""


def hide_set(protector: str, mode: str) -> HideSet:
    """Of PrivacyNet as the letters of its mode say; every other protector is after gender, but for
    a SAN's mode of the same gender. Raises UserError as `parsed`."""
    if protector != PRIVACYNET:
        return HideSet(() if protector == ORIGINAL or mode == "sm" else ("gender",))
    hidden, ablation = parsed(mode)
    return HideSet(hidden, "" if ablation == "full" else ablation)


def name_of(item: Judged) -> str:
    """The printed name of a condition: of PrivacyNet what it hides."""
    about = item.about
    if about.protector != PRIVACYNET:
        return condition(about)
    found = hide_set(about.protector, about.mode)
    what = f"hides {joined(found.hidden)}" if found.hidden else "hides nothing"
    name = f"{about.protector_title or about.protector}, {what}"
    return f"{name}, {ABLATIONS[found.without]}" if found.without else name


@dataclass(frozen=True)
class Cell:
    """An attribute under a condition: balanced error before, and what protection adds to it, mean
    over its readers and seeds, drawn together."""

    attribute: str
    hidden: bool
    error: Interval
    change: Interval


@dataclass(frozen=True)
class Line:
    """A condition. tmr: mean TMR at FMR 1 % of the unseen matchers that are able, protected against
    original; NaN where there is none. lacking: printed names of matchers that are not in the mean,
    for they have no TMR here; seeds: most files of one evaluator that a mean is over."""

    protector: str
    mode: str
    name: str
    hides: HideSet
    cells: tuple[Cell, ...]
    tmr: Interval
    lacking: tuple[str, ...] = ()
    seeds: int = 1


def _mean(items: Sequence[Judged], name: str) -> Interval:
    """Of a number over several files, drawn together."""
    if not items or not joint([item.numbers for item in items]):
        return NOTHING
    return combined(lambda *all_: np.mean(all_, axis=0), *(draws(i.numbers, name) for i in items))


def _mean_change(pairs: Sequence[tuple[Judged, Judged]]) -> Interval:
    """Mean of the balanced error after minus before."""
    files = [each for pair in pairs for each in pair]
    if not files or not joint([item.numbers for item in files]):
        return NOTHING

    def change(*all_: np.ndarray) -> np.ndarray:
        return np.mean(all_[::2], axis=0) - np.mean(all_[1::2], axis=0)

    return combined(change, *(draws(item.numbers, ERROR) for item in files))


def with_before(items: Iterable[Judged]) -> list[tuple[Judged, Judged]]:
    """Each protected file with its scorer's unprotected one."""
    return [
        (item, original)
        for same in by_scorer(items).values()
        for item in same
        if not is_original(item) and (original := before(item, same))
    ]


def _matched(
    able: dict[str, list[Judged]], protector: str, mode: str
) -> tuple[list[Judged], tuple[str, ...]]:
    """Files of the matchers that have a TMR under a condition, and the printed names of those that
    have none, which would leave the mean without a number."""
    known, lacking = [], []
    for items in able.values():
        own = list(of_condition(items, protector, mode).values())
        if own and all(np.isfinite(draws(i.numbers, TMR).estimate) for i in own):
            known += own
        else:
            lacking.append(scorer(items[0].about))
    return known, tuple(lacking) if known else ()


def lines(hiding: Hiding) -> list[Line]:
    """A line a condition: before protection, PrivacyNet's hide-sets from one attribute to all,
    then the others. Empty where gender alone is read and no PrivacyNet is there."""
    known, able = readers(hiding), matchers(hiding).able
    modes = {(i.about.protector, i.about.mode): i for i in ordered(hiding.gender)}
    if not hiding.attributes and not any(protector == PRIVACYNET for protector, _ in modes):
        return []
    found = []
    for (protector, mode), item in modes.items():
        hides, cells = hide_set(protector, mode), []
        compared, lacking = _matched(able, protector, mode)
        files = list(compared)
        for each in known:
            own = [
                pair
                for pair in with_before(each.able)
                if (pair[0].about.protector, pair[0].about.mode) == (protector, mode)
            ]
            clean = [i for i in each.able if is_original(i)]
            hidden = each.attribute in hides.hidden
            cells.append(Cell(each.attribute, hidden, _mean(clean, ERROR), _mean_change(own)))
            files += [after for after, _ in own]
        seeds = max(Counter(scorer_name(i.about) for i in files).values(), default=1)
        name, tmr = name_of(item), _mean(compared, TMR)
        found.append(Line(protector, mode, name, hides, tuple(cells), tmr, lacking, seeds))
    order = list(LETTERS.values())

    def place(line: Line) -> tuple:
        first = line.protector != ORIGINAL, line.protector != PRIVACYNET
        if first[1]:
            return first
        hidden = line.hides.hidden
        return *first, line.hides.without, not hidden, len(hidden), [order.index(h) for h in hidden]

    return sorted(found, key=place)


def _asked(protector: str, mode: str) -> bool:
    """Whether a condition is PrivacyNet's, whole, and asked to hide something."""
    hides = hide_set(protector, mode) if protector == PRIVACYNET else HideSet(())
    return bool(hides.hidden) and not hides.without


def _unread(hiding: Hiding, read: Container[tuple[str, str]], hidden: bool) -> list[str]:
    """Attributes that a mode hides, or keeps, where no able reader has read them under it; read:
    (mode, attribute) of those that were."""
    modes = dict.fromkeys(c.mode for c in hiding.conditions if _asked(c.protector, c.mode))
    return [
        name
        for name in LETTERS.values()
        if any(
            (name in hide_set(PRIVACYNET, mode).hidden) == hidden and (mode, name) not in read
            for mode in modes
        )
    ]


def selective(hiding: Hiding) -> Claim:
    """C5: under each hide-set every reader of a hidden attribute errs more than before, and every
    reader of a kept one at most `MARGIN` more. It cannot hold where nobody able reads an attribute
    that was to be hidden, and says nothing of kept ones where nobody reads one.

    Where an attribute has two values in the test faces, a hidden one counts with decisions inverted
    above 50 %: a reader that errs on nearly all faces tells as much as one that errs on hardly any.
    Of more values nobody knows which one to take instead.
    """
    parts: dict[bool, list[Part]] = {True: [], False: []}
    known, read = readers(hiding), set()
    for each in known:
        for item, original in with_before(each.able):
            about = item.about
            if not _asked(about.protector, about.mode):
                continue
            read.add((about.mode, each.attribute))
            hidden = each.attribute in hide_set(about.protector, about.mode).hidden
            turned = hidden and chance(original) == 0.5
            change = folded_draws if turned else None
            found, remark = difference(item, original, ERROR, change)
            bound, decide = (0.0, above) if hidden else (MARGIN, below)
            kind = ("hidden" if hidden else "kept") + ("; inverted" if turned else "")
            text = f"Error of {each.attribute} ({kind}), {name_of(item)} − Before"
            word = decide(found, bound)
            part = Part(text, scorer(about), about.seed, found, word, remark, bound)
            parts[hidden].append(part)
    everything = parts[True] + parts[False]
    lost, unknown = (_unread(hiding, read, hidden) for hidden in (True, False))
    title = "PrivacyNet hides the attributes that it is asked to hide"
    if parts[False]:
        title += " and keeps the others" + " that are read" * bool(unknown)
    sentence = "No able reader has scored PrivacyNet's faces and the originals."
    if everything:
        sentence = _told(parts[True], parts[False], unknown)
    sentence += missing("able readers of", lost)
    word = decided(everything, not lost)
    return Claim("C5", title, word, sentence + unheard_readers(known), tuple(everything))


def _told(hidden: Sequence[Part], kept: Sequence[Part], unknown: list[str]) -> str:
    """The sentence of C5; unknown: attributes that were kept and not read."""
    rise = held_of(hidden, "errors rise") if hidden else "no able reader"
    text = f"Hidden attributes: {rise}"
    if not kept:
        return text + ("; nobody reads one that was kept." if unknown else ".")
    text += (
        f"; kept ones: {held_of(kept, f'errors rise by less than {100 * MARGIN:.0f}')} (points of "
        "balanced error; of a hidden attribute with two values decisions are inverted above 50 %; "
        "the margin is ours)."
    )
    return text + (f" Nobody reads {joined(unknown)} where kept." if unknown else "")


def matcher_needed(hiding: Hiding) -> Claim:
    """C5b: with the matcher in its loss PrivacyNet leaves more TMR than without."""
    parts, known = [], matchers(hiding)
    for items in known.able.values():
        modes = dict.fromkeys(i.about.mode for i in items if i.about.protector == PRIVACYNET)
        for mode in (mode for mode in modes if f"{mode}-nomatcher" in modes):
            sides = [of_condition(items, PRIVACYNET, m) for m in (mode, f"{mode}-nomatcher")]
            for seed in (seed for seed in sides[0] if seed in sides[1]):
                own, without = (side[seed] for side in sides)
                found, remark = difference(own, without, TMR)
                text = f"TMR, {name_of(own)} − without the matcher"
                parts.append(Part(text, scorer(own.about), seed, found, above(found), remark))
    sentence = "No able matcher has scored PrivacyNet with and without its matcher."
    if parts:
        held = sum(part.word == HELD for part in parts)
        sentence = (
            f"Higher with it in {held} of {len(parts)} comparisons; in percentage points of TMR at "
            f"FMR 1 %: {each_of(parts)}."
        )
    title = "Without the matcher in its loss PrivacyNet keeps less matching"
    return Claim("C5b", title, decided(parts), sentence + known.unheard, tuple(parts))


def selectivity_claims(hiding: Hiding) -> list[Claim]:
    """Those on PrivacyNet, where it is there; on its matcher, where it was left out once."""
    modes = [c.mode for c in hiding.conditions if c.protector == PRIVACYNET]
    found = [selective(hiding)] if modes else []
    ablated = any(mode.endswith("-nomatcher") for mode in modes)
    return [*found, matcher_needed(hiding)] if ablated else found
