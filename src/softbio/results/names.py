"""Titles of methods, as the files of their runs give them: only a method's own module names it, and
nothing that reads results imports that module, which needs torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

# As the talk prints its methods: for published numbers, and for files that carry no title.
TALK = {"ce": "CE-CNN", "orcnn": "OR-CNN", "coral": "CORAL-CNN"}
CONTROLS = {"median": "Constant median"}
VARIANTS = {"": "", "-weighted": ", weighted", "-shuffled": ", shuffled labels"}


@dataclass(frozen=True)
class Name:
    """How a method is printed, and whether the talk has it."""

    title: str
    in_talk: bool


@dataclass(frozen=True)
class Names:
    """Names of methods: those of the run folders that a report is made from, and the talk's.

    known: method -> its name as metrics.json gives it; a method that is not among them has the
    talk's name, or is printed as it is.
    """

    known: Mapping[str, Name] = field(default_factory=dict)

    def of(self, method: str) -> Name:
        """The name of a method."""
        titles = TALK | CONTROLS
        return self.known.get(method) or Name(titles.get(method, method), method in TALK)

    def title(self, method: str, variant: str = "") -> str:
        """How a method, or a variant of it, is printed: "CORAL-CNN, weighted"."""
        return self.of(method).title + VARIANTS.get(variant, variant)

    def beyond_talk(self, methods: Iterable[str]) -> str:
        """For the caption of a table or figure that shows these methods: those that the talk does
        not have; empty where it has all. Controls are not methods."""
        found = [
            self.title(method)
            for method in dict.fromkeys(methods)
            if method not in CONTROLS and not self.of(method).in_talk
        ]
        return f"Not in the talk: {', '.join(found)}." if found else ""

    def note_on(self, frame: pd.DataFrame) -> str:
        """`beyond_talk` of the numbers that a table or a figure shows: of their `method`, or of the
        pair in the columns `a` and `b`."""
        columns = [name for name in ("method", "a", "b") if name in frame]
        return self.beyond_talk(method for name in columns for method in frame[name])


def names_in(metrics: Iterable[Mapping[str, Any]]) -> Names:
    """The names that metrics.json files give their methods; older files give none."""
    known = {}
    for record in metrics:
        method, in_talk = record["method"], record.get("in_talk")
        unread = Names().of(method)
        title = record.get("title") or unread.title
        known[method] = Name(title, unread.in_talk if in_talk is None else in_talk)
    return Names(known)


def joined(parts: list[str]) -> str:
    """In a sentence: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
