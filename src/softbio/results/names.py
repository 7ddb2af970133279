"""Titles of methods, as their run folders carry them: a method's own file names it, and nothing
that reads results imports the file, which needs torch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

# As the talk prints its methods: for published numbers, and for files that carry no title.
TALK = {"ce": "CE-CNN", "orcnn": "OR-CNN", "coral": "CORAL-CNN"}
CONTROLS = {"median": "Constant median"}


@dataclass(frozen=True)
class Name:
    """How a method is printed, and whether the talk has it."""

    title: str
    in_talk: bool


# Method -> its name, of all run folders that this process has read: a name belongs to a method,
# not to a run, and a process makes one report.
_known: dict[str, Name] = {}


def learn(metrics: dict[str, Any]) -> None:
    """Take the name of a method from its metrics.json; an older file has none."""
    method = metrics["method"]
    in_talk = metrics.get("in_talk")
    _known[method] = Name(
        metrics.get("title") or _unread(method).title,
        method in TALK if in_talk is None else in_talk,
    )


def _unread(method: str) -> Name:
    titles = TALK | CONTROLS
    return Name(titles.get(method, method), method in TALK)


def title(method: str) -> str:
    """The printed name of a method; one that no run folder names stands for itself."""
    return _known.get(method, _unread(method)).title


def beyond_talk(methods: Iterable[str]) -> str:
    """For the caption of whatever shows these methods: which of them the talk does not have; empty
    where it has all. Controls are no methods."""
    found = [
        title(method)
        for method in dict.fromkeys(methods)
        if method not in CONTROLS and not _known.get(method, _unread(method)).in_talk
    ]
    return f"Not in the talk: {', '.join(found)}." if found else ""


def note_on(frame: pd.DataFrame) -> str:
    """The same for the numbers that a table or a figure shows: their `method`, or the pair that
    `a` and `b` name."""
    return beyond_talk([m for c in ("method", "a", "b") if c in frame for m in frame[c]])


def joined(parts: list[str]) -> str:
    """In a sentence: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
