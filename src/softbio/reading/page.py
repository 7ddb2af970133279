"""The section of the page on reading gender, from the folder of `write_reading`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softbio.page import Picture, Share, pictures, tables_in
from softbio.records import read_json


@dataclass(frozen=True)
class Section:
    """What was written: reading.json, and the indices of tables and figures."""

    folder: Path
    record: dict[str, Any]
    tables: list[dict]
    index: dict[str, list[dict]]

    @property
    def headline(self) -> str:
        """The section in one sentence."""
        return self.record["headline"]


@dataclass(frozen=True)
class ShownSection:
    """The section ready for the template."""

    record: dict[str, Any]
    tables: list[dict]
    pictures: list[Picture]


def read_section(folder: Path | str) -> Section:
    """Raises UserError where a file is absent or broken."""
    folder = Path(folder)
    names = ("reading.json", "tables/index.json", "figures/index.json")
    return Section(folder, *(read_json(folder / name) for name in names))


def shown_section(section: Section, share: Share, page: Path) -> ShownSection:
    """The section for the page at `page`."""
    tables = tables_in(section.folder / "tables", section.tables, share)
    figures = pictures(section.folder / "figures", section.index, share, page)
    return ShownSection(section.record, tables, figures)
