"""What an attacker who knows the protection gains over one who does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from softbio.hiding.claim import IMPOSSIBLE, Claim, Part, decided, over_seeds
from softbio.hiding.load import Hiding
from softbio.hiding.verdicts import (
    NOT_HELD,
    NOTHING,
    UNDECIDED,
    Draws,
    at_least,
    clear_among,
    combined,
    draws,
    interval_of,
    joint,
    separated_draws,
    turned,
)
from softbio.results.conditions import condition, ordered, scorer, unseen
from softbio.results.scores import GenderAbout
from softbio.statistics.intervals import Judged, separation
from softbio.statistics.means import Interval


@dataclass(frozen=True)
class Attacked:
    """A condition under attack, with everything that reads gender from its faces.

    informed: attacks that use something of the protection, or faces that went through it;
    uninformed: attacks that would do the same to any face; readers: unseen classifiers, which have
    never seen a protected face.
    """

    about: GenderAbout
    informed: tuple[Judged, ...]
    uninformed: tuple[Judged, ...]
    readers: tuple[Judged, ...]

    @property
    def attacks(self) -> tuple[Judged, ...]:
        """All attacks on gender."""
        return *self.informed, *self.uninformed

    @property
    def zero_effort(self) -> tuple[Judged, ...]:
        """Zero effort: all that needs no knowledge of the protection. The readers alone where they
        were judged on other subjects than the attacks."""
        every = (*self.readers, *self.uninformed)
        return every if _joint(every) else self.readers

    @property
    def paired(self) -> bool:
        """Whether informed attacks and zero effort can be drawn together, for a gain."""
        return _joint((*self.informed, *self.zero_effort))

    @property
    def everyone(self) -> tuple[Judged, ...]:
        """An attacker can do without what he knows, so that no worst case is below zero effort: the
        attacks with the readers, where they were judged on the same subjects."""
        every = (*self.attacks, *self.readers)
        return every if _joint(every) else self.attacks


def _joint(items: Sequence[Judged]) -> bool:
    return bool(items) and joint([item.numbers for item in items])


def is_gender(item: Judged) -> bool:
    """Whether an attack is after gender, not after the protection itself."""
    return item.about.positive == "male"


def worst(items: Sequence[Judged]) -> Draws | None:
    """max(AUC, 1 - AUC) of the best of several readers, in each resample, as of `separated_draws`;
    None of other subjects."""
    if not _joint(items):
        return None
    each = [separated_draws(draws(item.numbers, "auc")) for item in items]
    return Draws(
        max(number.estimate for number in each),
        np.max([number.values for number in each], axis=0),
        np.max([number.without for number in each], axis=0),
    )


def level(best: Draws, items: Sequence[Judged]) -> Interval:
    """Interval of the separation by the best reader; where no draw makes a mistake, that of the one
    file which makes none."""
    found = interval_of(best)
    if found.low < found.high:
        return Interval(found.estimate, max(found.low, 0.5), found.high)
    return max((separation(i.interval("auc")) for i in items), key=lambda each: each.estimate)


def attacked(hiding: Hiding) -> Iterator[Attacked]:
    """Each attacked condition, a seed at a time."""
    found: dict[tuple, list[Judged]] = {}
    for item in ordered(hiding.attacks):
        found.setdefault((item.about.protector, item.about.mode, item.about.seed), []).append(item)
    every = unseen(hiding.gender)
    for (protector, mode, seed), items in found.items():
        readers = [i for i in every if (i.about.protector, i.about.mode) == (protector, mode)]
        own = [i for i in readers if i.about.seed == seed]
        attacks = [i for i in items if is_gender(i)]
        informed = tuple(i for i in attacks if _knows(hiding, i))
        uninformed = tuple(i for i in attacks if not _knows(hiding, i))
        yield Attacked(items[0].about, informed, uninformed, tuple(own or readers))


def _knows(hiding: Hiding, item: Judged) -> bool:
    about = hiding.attack_names.get(item.about.evaluator)
    return about is None or about.knowing


def gain(attack: Judged, zero_effort: Draws) -> Interval:
    """Separation by an attack minus that by the best reader without its knowledge, drawn
    together."""
    return combined(np.subtract, separated_draws(draws(attack.numbers, "auc")), zero_effort)


def _chosen(
    attacks: Sequence[Judged], best: Draws, zero_effort: Draws
) -> tuple[Judged, Interval, str]:
    """The attack that separates best, what it gains, and whether that is no more than nothing.

    It was chosen among the attacks on the faces that it is judged on, so its gain has to be larger
    than the largest of so many would be by chance; that none of them gains is decided by whichever
    separates best in each draw.
    """
    first = max(attacks, key=lambda item: separation(item.interval("auc")).estimate)
    found = gain(first, zero_effort)
    if at_least(turned(found)) == NOT_HELD and clear_among(found, len(attacks)):
        return first, found, NOT_HELD
    word = at_least(turned(combined(np.subtract, best, zero_effort)))
    return first, found, word if word != NOT_HELD else UNDECIDED


def adaptive(hiding: Hiding) -> Claim:
    """C6: no attacker who knows the method separates the genders better than the best reader that
    knows nothing of it, whose decisions are inverted where that helps."""
    parts, levels = [], {}
    for each in attacked(hiding):
        if not each.informed:
            continue
        seed, name = each.about.seed, condition(each.about)
        sides = worst(each.informed), worst(each.zero_effort)
        text = f"Separation, worst attack − zero effort, {name}"
        if None in sides or not each.paired:
            parts.append(Part(text, "", seed, NOTHING, UNDECIDED, IMPOSSIBLE))
            continue
        best, more, word = _chosen(each.informed, *sides)
        by, among = scorer(best.about), len(each.informed)
        parts.append(Part(text, by, seed, more, word, among=among))
        levels.setdefault(name, []).append([side.estimate for side in sides])
    title = (
        "An attacker who knows the method separates the genders no better than the best reader "
        "that does not, inverted where that helps"
    )
    return Claim("C6", title, decided(parts), _sentence(parts, levels), tuple(parts))


def _sentence(parts: Sequence[Part], levels: dict[str, list[list[float]]]) -> str:
    if not parts:
        return "No attack was made."
    lost = sum(part.word == NOT_HELD for part in parts)
    shown = "; ".join(
        f"{name} from {over_seeds([b for _, b in each])} to {over_seeds([a for a, _ in each])}"
        for name, each in levels.items()
    )
    return (
        f"max(AUC, 1 − AUC) in %, from zero effort to the worst attack: {shown}. Knowing the "
        f"method helps in {lost} of {len(parts)} cases."
    )
