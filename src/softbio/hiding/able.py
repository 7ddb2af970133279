"""Who can judge: readers that beat chance, and matchers that match, on faces before protection.

The others are excluded, and named: an evaluator that fails on clean faces cannot show what
protection changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from softbio.hiding.claim import is_original
from softbio.hiding.load import Hiding
from softbio.hiding.verdicts import NOTHING
from softbio.results.conditions import by_scorer, scorer, unseen
from softbio.results.formats import in_percent
from softbio.statistics.intervals import Judged, tmr_name
from softbio.statistics.means import Interval

ERROR = "balanced_error"
TMR = tmr_name(0.01)
# A matcher that misses most mated comparisons of unprotected faces cannot show what protection
# costs.
ABLE = 0.5


@dataclass(frozen=True)
class Readers:
    """Who reads an attribute: files of each unseen evaluator that is able, and the clean error of
    those that are not, or of which it is not known, by printed name."""

    attribute: str
    able: tuple[Judged, ...]
    deaf: dict[str, Interval] = field(default_factory=dict)


def chance(item: Judged) -> float:
    """The balanced error of guessing."""
    classes = getattr(item.scores, "classes", None)
    return 0.5 if classes is None else 1 - 1 / len(np.unique(classes[0]))


def readers(hiding: Hiding) -> list[Readers]:
    """Of gender, age and race, where there is anybody."""
    files = {"gender": hiding.gender}
    files |= {
        name: [item for item in hiding.attributes if item.about.attribute == name]
        for name in ("age", "race")
    }
    found = []
    for attribute, items in files.items():
        able, deaf = [], {}
        for same in by_scorer(unseen(items)).values():
            clean = next(filter(is_original, same), None)
            if clean is None:
                continue
            error = clean.interval(ERROR)
            if error.high < chance(clean):
                able += same
            else:
                deaf[scorer(clean.about)] = error
        if able or deaf:
            found.append(Readers(attribute, tuple(able), deaf))
    return found


def unheard_readers(known: Iterable[Readers]) -> str:
    """ " Excluded, ...", or nothing; for what has no interval, that is the reason."""
    deaf = [(each.attribute, *named) for each in known for named in each.deaf.items()]
    text = ""
    for why, without in (("no better than chance", False), ("of unknown interval", True)):
        names = [
            f"{name} ({attribute}, {in_percent(error.estimate, 1)} %)"
            for attribute, name, error in deaf
            if np.isnan(error.high) == without
        ]
        if names:
            text += f" Excluded, for an error {why} before protection: {', '.join(names)}."
    return text


@dataclass(frozen=True)
class Matchers:
    """Unseen matchers. able: files of those whose TMR at FMR 1 % before protection is `ABLE` or
    more, by registered name; deaf: that TMR of the others, by printed name, NaN where it is not
    known."""

    able: dict[str, list[Judged]]
    deaf: dict[str, Interval] = field(default_factory=dict)

    @property
    def unheard(self) -> str:
        """ " Excluded, ...", or nothing."""
        if not self.deaf:
            return ""
        names = [
            name if np.isnan(tmr.estimate) else f"{name} ({in_percent(tmr.estimate, 1)} %)"
            for name, tmr in self.deaf.items()
        ]
        return (
            f" Excluded, for a TMR before protection that is below {100 * ABLE:.0f} % or not "
            f"known: {', '.join(names)}."
        )


def matchers(hiding: Hiding) -> Matchers:
    """Those with comparisons against original references."""
    able, deaf = {}, {}
    for name, items in by_scorer(unseen(hiding.probes)).items():
        clean = [item.interval(TMR) for item in filter(is_original, items)]
        if any(tmr.estimate >= ABLE for tmr in clean):
            able[name] = items
        else:
            deaf[scorer(items[0].about)] = next(iter(clean), NOTHING)
    return Matchers(able, deaf)
