"""Tables and figures on the page: embedded images and copy blocks within the page's budget."""

import base64
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from softbio.results.records import read_json

# The page stays under 5 MB: base64 adds a third to the images; copy blocks are escaped once.
IMAGE_BYTES = 2_400_000
COPY_BYTES = 1_000_000
LONGEST_COPY = 40_000
# CSS pixels a point: figures set in 8 pt are shown a quarter larger than on paper
POINT = 4 / 3 * 1.25


@dataclass(frozen=True)
class Written:
    """The files of a section of the page: its record, and the indices of its tables and figures."""

    folder: Path
    record: dict[str, Any]
    tables: list[dict]
    index: dict[str, list[dict]]

    @property
    def headline(self) -> str:
        """The section's result, in one sentence or a few."""
        return self.record["headline"]


def heading_of(headlines: list[str]) -> list[str]:
    """The lines of the page's heading: the first sentence, and in small print the rest of the first
    headline and the other headlines."""
    first, *others = headlines
    return [*re.split(r"(?<=\.) (?=[A-Z])", first, maxsplit=1), *others]


def read_written(folder: Path | str, record: str) -> Written:
    """Read a section's files; record: the name of its record's file.

    Raises UserError where a file is absent or broken.
    """
    folder = Path(folder)
    names = (record, "tables/index.json", "figures/index.json")
    return Written(folder, *(read_json(folder / name) for name in names))


@dataclass(frozen=True)
class Share:
    """What one figure and one copy block may take of the page, in bytes."""

    image: int
    copy: int


def share_of(tables: int, figures: int) -> Share:
    """Equal shares of the page for each; a table has three copy blocks, a figure one."""
    copy = COPY_BYTES // (3 * tables + figures + 1)
    return Share(IMAGE_BYTES // max(figures, 1), min(LONGEST_COPY, copy))


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page; folder: of its files, as the page links to them; target: of
    Snakemake, which makes them."""

    name: str
    title: str
    caption: str
    alt: str
    dataset: str
    backbone: str | None
    source: str
    width: int
    height: int
    csv: str
    folder: str
    target: str


def embedded(svg: Path, limit: int) -> str:
    """A figure as data URI: the SVG, or, if that is over `limit` bytes, a smaller copy of its PNG
    in 32 colours."""
    if svg.stat().st_size <= limit:
        return _uri(svg.read_bytes(), "svg+xml")
    with Image.open(svg.with_suffix(".png")) as image:
        image.thumbnail((1100, 1100))
        small = io.BytesIO()
        image.convert("RGB").quantize(32).save(small, "png", optimize=True)
    return _uri(small.getvalue(), "png")


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def copy_text(path: Path, limit: int) -> str:
    """A file's text for the copy block; a reference to the file where it is over `limit` bytes."""
    if path.stat().st_size > limit:
        size = f"{path.stat().st_size / 1000:,.0f} kB"
        return f"{size}: see {path.parent.name}/{path.name} next to this report"
    return path.read_text(encoding="utf-8")


def pictures(folder: Path, index: dict, share: Share, page: Path) -> list[Picture]:
    """The figures of an index.json in `folder`, for the page at `page`."""
    place = {"folder": os.path.relpath(folder, page.parent), "target": folder.as_posix()}
    found = []
    for entry in index["figures"]:
        svg = folder / f"{entry['name']}.svg"
        size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"|$', svg.read_text()[:2000])
        width, height = (round(float(value or 480) * POINT) for value in size.groups())
        csv = copy_text(svg.with_suffix(".csv"), share.copy)
        source = embedded(svg, share.image)
        shown = Picture(**entry, source=source, width=width, height=height, csv=csv, **place)
        found.append(shown)
    return found


def tables_in(folder: Path, tables: list[dict], share: Share) -> list[dict]:
    """Entries of tables/index.json with header spans, marked repeats and copy blocks."""
    for table in tables:
        table["spans"] = _spans([group for group, _ in table["columns"]])
        table["copies"] = {
            title: copy_text(folder / f"{table['name']}.{suffix}", share.copy)
            for title, suffix in (("LaTeX", "tex"), ("Markdown", "md"), ("CSV", "csv"))
        }
        above: list[str] = []
        for row in table["rows"]:
            heads = row["cells"][: table["heads"]]
            row["again"] = _repeats(heads, above)
            above = heads
    return tables


def unbroken(cell: str) -> str:
    """A cell whose interval "(1.0 to 2.0)" is not broken into lines."""
    return re.sub(r"\([^()]*\)", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), cell)


def _repeats(heads: list[str], above: list[str]) -> int:
    """How many leading cells repeat those of the row above."""
    count = 0
    while count < len(heads) and count < len(above) and heads[count] == above[count]:
        count += 1
    return count


def _spans(groups: list[str]) -> list[tuple[str, int]]:
    """Header cells of the upper row as (group, columns); empty where there is no group."""
    if not any(groups):
        return []
    spans: list[tuple[str, int]] = []
    for group in groups:
        if group and spans and spans[-1][0] == group:
            spans[-1] = (group, spans[-1][1] + 1)
        else:
            spans.append((group, 1))
    return spans
