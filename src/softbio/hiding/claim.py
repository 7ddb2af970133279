"""What a claim is, and the words it is told in."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from softbio.hiding.verdicts import (
    HELD,
    NOT_HELD,
    NOTHING,
    UNDECIDED,
    Draws,
    clear_among,
    combined,
    draws,
    joint,
)
from softbio.results.conditions import scorer_name
from softbio.results.formats import decimals, in_percent, signed
from softbio.results.names import joined
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval

# the EER of scores that say nothing
EQUAL = 0.5
IMPOSSIBLE = "other subjects in the score files"
# how the names of scorers begin that each SAN was trained with
AUXILIARY = "aux_"


@dataclass(frozen=True)
class Part:
    """One inequality of a claim: of which scorers and seed, the number, and how it was decided.

    text: what is compared, such as "EER, SAN OP − Before"; remark: why it is undecided, if so;
    bound: the value on one side of which it is claimed to be; seeds: how many the number is a mean
    of; among: how many numbers it was chosen from, for lying furthest on the other side.
    """

    text: str
    by: str
    seed: int | None
    interval: Interval
    word: str
    remark: str = ""
    bound: float = 0.0
    seeds: int = 1
    among: int = 1


def decided(parts: Sequence[Part], complete: bool = True) -> str:
    """A claim of several parts holds where each does. It fails where one fails clearly among all
    the numbers that were looked at: else one of 45 parts that are just true would fail in 68 of 100
    claims. complete: whether all that the claim speaks of was measured; else it cannot hold."""
    failed = [part for part in parts if part.word == NOT_HELD]
    among = sum(part.among for part in parts)
    if any(clear_among(part.interval, among, part.bound, part.seeds) for part in failed):
        return NOT_HELD
    holds = complete and parts and all(part.word == HELD for part in parts)
    return HELD if holds else UNDECIDED


def missing(what: str, names: Iterable[str]) -> str:
    """ " As ... are missing, ...", or nothing without names: why a claim is not complete."""
    names = list(dict.fromkeys(names))
    return f" As {what} {joined(names)} are missing, the claim cannot be held." if names else ""


@dataclass(frozen=True)
class Claim:
    """A claim, decided: held, not held or undecided; sentence: what was found, with numbers;
    system: whom it is about, as printed, where the same is claimed of several."""

    name: str
    title: str
    word: str
    sentence: str
    parts: tuple[Part, ...]
    system: str = ""


def number(interval: Interval, sign: bool = False) -> str:
    """In percent, with its limits where it has any."""
    form = signed if sign else decimals
    values = (interval.estimate, interval.low, interval.high)
    middle, low, high = (form(100 * value, 1) for value in values)
    return middle if np.isnan(interval.low) else f"{middle} ({low} to {high})"


def is_original(item: Judged) -> bool:
    """Whether a score file is of unprotected faces."""
    return item.about.protector == ORIGINAL


def before(item: Judged, items: Iterable[Judged]) -> Judged | None:
    """The unprotected scores of a scorer's file among its others, of its seed where each seed has
    its own; None where there are none, or only those of another seed's network."""
    found = [each for each in items if is_original(each)]
    own = [each for each in found if each.about.seed == item.about.seed]
    of_seed = scorer_name(item.about).startswith(AUXILIARY) and len(found) > 1
    return next(iter(own or ([] if of_seed else found)), None)


def of_condition(
    items: Iterable[Judged], protector: str, mode: str = ""
) -> dict[int | None, Judged]:
    """Seed -> file of a condition."""
    return {
        i.about.seed: i for i in items if (i.about.protector, i.about.mode) == (protector, mode)
    }


def difference(
    first: Judged, second: Judged, name: str, change: Callable[[Draws], Draws] | None = None
) -> tuple[Interval, str]:
    """Of a number, the first file's minus the second's, and why it has no interval, if so; change:
    what each goes through before, such as `folded_draws`."""
    if not joint([first.numbers, second.numbers]):
        return NOTHING, IMPOSSIBLE
    sides = [draws(each.numbers, name) for each in (first, second)]
    return combined(np.subtract, *(map(change, sides) if change else sides)), ""


def seed_of(part: Part, parts: Sequence[Part]) -> str:
    """ ", seed 1" where there are several."""
    return f", seed {part.seed}" if len({each.seed for each in parts}) > 1 else ""


def held_of(parts: Sequence[Part], what: str) -> str:
    """ "3 of 4 comparisons", with those that are undecided."""
    held, unknown = (sum(part.word == word for part in parts) for word in (HELD, UNDECIDED))
    return f"{held} of {len(parts)} {what}" + (f" ({unknown} undecided)" if unknown else "")


def by_text(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """Parts of each text, which seeds tell apart."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.text, []).append(part)
    return found


def over_seeds(values: Sequence[float]) -> str:
    """ "95.0", or "95.0–96.7 over 3 seeds", of shares in percent."""
    shown = [in_percent(value, 1) for value in sorted(values)]
    return shown[0] if len(shown) == 1 else f"{shown[0]}–{shown[-1]} over {len(shown)} seeds"


def each_of(parts: Sequence[Part], most: int = 6) -> str:
    """The numbers of the parts; of many the smallest and the largest."""
    if len(parts) <= most:
        texts = (f"{p.text.split(', ', 1)[-1]}, {p.by}{seed_of(p, parts)}" for p in parts)
        numbers = (number(part.interval, sign=True) for part in parts)
        return "; ".join(": ".join(pair) for pair in zip(texts, numbers, strict=True))
    known = [part for part in parts if np.isfinite(part.interval.estimate)]
    ends = [f(known, key=lambda part: part.interval.estimate) for f in (min, max)]
    texts = [f"{p.by}{seed_of(p, parts)} {number(p.interval, sign=True)}" for p in ends]
    return f"{len(parts)} comparisons, from {texts[0]} to {texts[1]}"
