"""What an attacker who knows of the protection tells more than one who does not."""

from collections.abc import Iterator, Sequence

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
    separated,
    turned,
)
from softbio.results.conditions import condition, ordered, scorer, unseen
from softbio.statistics.intervals import Judged, separation
from softbio.statistics.means import Interval


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


def together(attacks: Sequence[Judged], readers: Sequence[Judged]) -> list[Judged]:
    """Who knows the method has all that is known without it: the attacks with the zero-effort
    readers, where they were judged on the same subjects, so that no worst case is below them."""
    every = [*attacks, *readers]
    return every if attacks and joint([item.numbers for item in every]) else list(attacks)


def level(most: Draws, items: Sequence[Judged]) -> Interval:
    """Interval of the separation of whoever tells most; where no draw makes a mistake, that of the
    one file which makes none."""
    found = interval_of(most)
    if found.low < found.high:
        return found
    return max((separation(i.interval("auc")) for i in items), key=lambda each: each.estimate)


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


def gain(attack: Judged, readers: Draws) -> Interval:
    """Separation of an attack minus that of the best zero-effort reader, drawn together."""
    return combined(lambda a, b: separated(a) - b, draws(attack.numbers, "auc"), readers)


def _chosen(attacks: Sequence[Judged], most: Draws, readers: Draws) -> tuple[Judged, Interval, str]:
    """The attack that tells most, what it tells more than the best reader, and whether that is no
    more than nothing.

    It was chosen among the attacks on the faces that it is judged on, so it has to tell more than
    one of so many would by chance; that none of them tells more is decided by whichever tells most
    in each draw.
    """
    best = max(attacks, key=lambda item: separation(item.interval("auc")).estimate)
    found = gain(best, readers)
    if at_least(turned(found)) == NOT_HELD and clear_among(found, len(attacks)):
        return best, found, NOT_HELD
    word = at_least(turned(combined(np.subtract, most, readers)))
    return best, found, word if word != NOT_HELD else UNDECIDED


def _knowing(hiding: Hiding, attacks: Sequence[Judged]) -> list[Judged]:
    """Those that took something of the protection; a filter that is put on any face did not."""
    names = hiding.attack_names
    return [i for i in attacks if (n := i.about.evaluator) not in names or names[n].knowing]


def adaptive(hiding: Hiding) -> Claim:
    """C6: no attacker who knows the method tells more than the best zero-effort reader."""
    parts, levels = [], {}
    for any_, every, readers in attacked(hiding):
        if not (attacks := _knowing(hiding, every)):
            continue
        about, sides = any_.about, (worst(attacks), worst(readers))
        name = condition(about)
        text = f"Separation, worst attack − zero effort, {name}"
        numbers = [item.numbers for item in (*attacks, *readers)]
        if None in sides or not joint(numbers):
            parts.append(Part(text, "", about.seed, NOTHING, UNDECIDED, IMPOSSIBLE))
            continue
        best, more, told = _chosen(attacks, *sides)
        parts.append(Part(text, scorer(best.about), about.seed, more, told))
        levels.setdefault(name, []).append([side.estimate for side in sides])
    word = decided(parts)
    sentence = "No attack was made."
    if parts:
        lost = sum(part.word == NOT_HELD for part in parts)
        told = "; ".join(
            f"{name} from {over_seeds([b for _, b in each])} to {over_seeds([a for a, _ in each])}"
            for name, each in levels.items()
        )
        sentence = (
            f"max(AUC, 1 − AUC) in %, from zero effort to the worst attack: {told}. Knowing the "
            f"method tells more in {lost} of {len(parts)} cases."
        )
    title = "An attacker who knows the method tells no more than one who does not"
    return Claim("C6", title, word, sentence, tuple(parts))
