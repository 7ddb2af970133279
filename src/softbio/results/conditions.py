"""Conditions, that is what images went through before they were scored: their names and order.

A condition is a protector in one of its modes; the unprotected images are one too ("Before").
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from softbio.results.attribute_scores import AttributeAbout
from softbio.results.scores import ORIGINAL, ComparisonAbout, GenderAbout

BEFORE = "Before"
# of semi-adversarial networks: the prototype of the same, of no, of the other gender
MODES = {"": "", "sm": "SM", "nt": "NT", "op": "OP"}
# of PrivacyNet: what is hidden, by the letters of the mode, and what its training left out
HIDDEN = {"g": "gender", "a": "age", "r": "race"}
HIDE_SETS = ("g", "a", "r", "ga", "gr", "ar", "gar")
WITHOUT = {"nomatcher": "without matcher", "nocycle": "without cycle"}
About = GenderAbout | ComparisonAbout | AttributeAbout
OVER_SUBJECTS = (
    "95 % intervals are over subjects, drawn with replacement with all their images (BCa bootstrap)"
)


def condition(about: About) -> str:
    """The printed name of what the images went through: "Before", "SAN OP"."""
    if about.protector == ORIGINAL:
        return BEFORE
    return of_mode(protector_title(about), about.mode)


def protector_title(about: About) -> str:
    """The printed name of a protector."""
    return about.protector_title or about.protector


def of_mode(protector: str, mode: str) -> str:
    """A protector's printed name with its mode: "SAN OP", "Blur sigma 2", "Ensemble SAN random
    (E1)", "PrivacyNet gender, race hidden"."""
    if protector == ORIGINAL:
        return BEFORE
    what, _, kind = mode.partition("-")
    words = re.sub(r"(?<=[a-z])(?=[\d.])", " ", what)
    if what in HIDE_SETS:
        words = f"{', '.join(HIDDEN[letter] for letter in what)} hidden"
    words = "nothing hidden" if what == "keep" else words
    words += f" ({WITHOUT.get(kind, kind.upper())})" if kind else ""
    return f"{protector} {MODES.get(mode, words)}".strip()


def strength_of(mode: str) -> float | None:
    """The number of a mode that is one, such as "alpha0.5"; None of others."""
    found = re.fullmatch(r"[a-z]*(\d+(?:\.\d+)?)", mode)
    return float(found[1]) if found else None


def unseen(items: Iterable[Any]) -> list[Any]:
    """Score files of scorers that none of these protectors used in training, in order."""
    groups = by_scorer(items).values()
    return [i for same in groups if not any(i.about.seen for i in same) for i in same]


def scorer(about: About) -> str:
    """The printed name of a classifier or matcher, with an asterisk where it is not unseen."""
    return scorer_title(about) + ("*" if about.seen else "")


def scorer_title(about: About) -> str:
    """The printed name of a classifier or matcher, without the asterisk."""
    return about.title or scorer_name(about)


def scorer_name(about: About) -> str:
    """The registered name of a classifier or matcher."""
    return about.matcher if isinstance(about, ComparisonAbout) else about.evaluator


def seen_note(abouts: Iterable[About]) -> str:
    """For a caption: what the asterisk means, where there is one, and whether the use of some scorers
    in training is not recorded."""
    abouts = list(abouts)
    notes = []
    if any(about.seen for about in abouts):
        notes.append("*: used by the protector or its training, so not unseen.")
    if any(about.seen is None and about.protector != ORIGINAL for about in abouts):
        notes.append("For some scorers it is not recorded whether training used them.")
    return " ".join(notes)


def failed_note(abouts: Iterable[About]) -> str:
    """For a caption: how many images or comparisons got no score."""
    failed = {f"{scorer(a)}, {condition(a)}: {a.failed:,}" for a in abouts if a.failed}
    return f"Without a score, and left out: {'; '.join(sorted(failed))}." if failed else ""


def ordered(items: Iterable[Any]) -> list[Any]:
    """Score files (anything with `about`): those before protection first, protectors as they come,
    modes SM, NT, OP, then by name, seeds ascending."""
    items = list(items)
    first = {about: place for place, about in reversed(list(enumerate(_protectors(items))))}
    modes = list(MODES)

    def key(item: Any) -> tuple:
        about = item.about
        known = modes.index(about.mode) if about.mode in MODES else len(modes)
        seed = -1 if about.seed is None else about.seed
        before = about.protector != ORIGINAL
        return before, first[about.protector], known, about.mode, seed

    return sorted(items, key=key)


def _protectors(items: Sequence[Any]) -> list[str]:
    return [item.about.protector for item in items]


def by_scorer(items: Iterable[Any]) -> dict[str, list[Any]]:
    """Score files of each classifier or matcher, in order; a scorer that one protector used and
    another did not is one scorer."""
    found: dict[str, list[Any]] = {}
    for item in ordered(items):
        found.setdefault(scorer_name(item.about), []).append(item)
    return found


def panel_name(items: Sequence[Any]) -> str:
    """The scorer of these files, with its asterisk if any of them has one."""
    names = [scorer(item.about) for item in items]
    return max(names, key=len)
