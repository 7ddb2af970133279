"""The section of the page on one population, from the folder of `write_hiding`."""

import os
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softbio.privacy.deviations import DEVIATIONS, Deviation
from softbio.report.page import Picture, Share, Written, pictures, read_written, tables_in


@dataclass(frozen=True)
class Family:
    """The section on ensemble and series; empty where the config has neither."""

    sentences: list[str]
    tables: list[dict]
    pictures: list[Picture]


@dataclass(frozen=True)
class Shown:
    """A section ready for the template. elsewhere: title -> file of figures that show people, which
    are separate files next to the report."""

    record: dict[str, Any]
    tables: list[dict]
    pictures: list[Picture]
    absent: list[dict]
    elsewhere: dict[str, str]
    family: Family
    deviations: tuple[Deviation, ...] = DEVIATIONS


def read_half(folder: Path | str) -> Written:
    """Raises UserError where a file is absent or broken."""
    return read_written(folder, "claims.json")


def shown(half: Written, share: Share, page: Path) -> Shown:
    """The section for the page at `page`."""
    apart = os.path.relpath(half.folder / "faces", page.parent)
    elsewhere = {
        entry["title"]: f"{apart}/{entry['name']}.png" for entry in half.index["elsewhere"]
    }
    tables = tables_in(half.folder / "tables", half.tables, share)
    drawn = pictures(half.folder / "figures", half.index, share, page)
    family = half.record["family"]
    names = set(family["shown"])
    return Shown(
        half.record,
        [table for table in tables if table["name"] not in names],
        [picture for picture in drawn if picture.name not in names],
        half.index["absent"],
        elsewhere,
        Family(
            family["sentences"],
            [table for table in tables if table["name"] in names],
            [picture for picture in drawn if picture.name in names],
        ),
    )


def duration(seconds: float) -> str:
    """In hours or minutes."""
    return f"{seconds / 3600:.1f} h" if seconds > 7200 else f"{seconds / 60:.1f} min"


def as_sentence(text: str) -> str:
    """The text with a capital first letter, unless it begins with a name with a fixed spelling."""
    plain = text.split(" ", 1)[0].rstrip(",:;.").isalpha()
    return text[:1].upper() + text[1:] if plain else text


def key_figures(halves: Sequence[Written]) -> dict[str, str]:
    """For the row of numbers below the heading."""
    if not halves:
        return {}
    trained = [each for half in halves for each in half.record["trained"]]
    found = {
        "populations": ", ".join(half.record["title"] for half in halves),
        "protected conditions": str(sum(half.record["conditions"] for half in halves)),
        "networks trained to protect": str(len(trained)),
    }
    if trained:
        found["their training time"] = duration(sum(each["seconds"] for each in trained))
    return found


def citations(halves: Sequence[Written], known: Container[str]) -> dict[str, str]:
    """Citations of the protectors, and of the data sets that are not `known`."""
    found = {}
    for half in halves:
        found |= half.record["protectors"]
        for source in half.record["sources"]:
            if source["name"] not in known:
                found[source["title"]] = source["citation"]
    return found
