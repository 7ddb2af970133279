"""The section of the page on reading gender, from the folder of `write_reading`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softbio.report.page import Picture, Share, Written, pictures, read_written, tables_in


@dataclass(frozen=True)
class ShownSection:
    """The section ready for the template."""

    record: dict[str, Any]
    tables: list[dict]
    pictures: list[Picture]


def read_section(folder: Path | str) -> Written:
    """Raises UserError where a file is absent or broken."""
    return read_written(folder, "reading.json")


def key_figures(sections: Sequence[Written]) -> dict[str, str]:
    """For the row of numbers below the heading."""
    found = {}
    for section in sections:
        found |= {"runs on gender": str(section.record["runs"])}
        found |= section.record["key_figures"]
    return found


def shown_section(section: Written, share: Share, page: Path) -> ShownSection:
    """The section for the page at `page`."""
    tables = tables_in(section.folder / "tables", section.tables, share)
    figures = pictures(section.folder / "figures", section.index, share, page)
    return ShownSection(section.record, tables, figures)
