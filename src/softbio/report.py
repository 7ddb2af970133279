"""One offline HTML file from tables, figures, data cards and run records."""

import base64
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

import softbio
from softbio.checklist import checklist, model_cards
from softbio.contests import RULE, Statistics
from softbio.effects import effects
from softbio.files import atomic
from softbio.ladder import read_l0, rungs
from softbio.published import NOTES, TALK_PROTOCOL, deviations
from softbio.records import Card, Records, by_method, label, read_json
from softbio.tables.context import recipe_of
from softbio.verdict import reach_verdict

# The page stays under 5 MB: base64 adds a third to the images; copy blocks are escaped once.
IMAGE_BYTES = 2_400_000
COPY_BYTES = 1_000_000
LONGEST_COPY = 40_000
# CSS pixels a point: figures set in 8 pt are shown a quarter larger than on paper
POINT = 4 / 3 * 1.25


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page."""

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


def embedded(svg: Path, limit: int) -> str:
    """A figure as data URI: the SVG, or where it is over `limit` bytes a smaller copy of the PNG
    beside it in 32 colours."""
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
    """A file's text for the copy block; a pointer where it is over `limit` bytes."""
    if path.stat().st_size > limit:
        size = f"{path.stat().st_size / 1000:,.0f} kB"
        return f"{size}: see {path.parent.name}/{path.name} beside this report"
    return path.read_text(encoding="utf-8")


def _pictures(folder: Path, index: dict, copy_limit: int) -> list[Picture]:
    limit = IMAGE_BYTES // max(len(index["figures"]), 1)
    pictures = []
    for entry in index["figures"]:
        svg = folder / f"{entry['name']}.svg"
        size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"|$', svg.read_text()[:2000])
        width, height = (round(float(value or 480) * POINT) for value in size.groups())
        csv = copy_text(svg.with_suffix(".csv"), copy_limit)
        pictures.append(
            Picture(**entry, source=embedded(svg, limit), width=width, height=height, csv=csv)
        )
    return pictures


def _tables(folder: Path, tables: list[dict], copy_limit: int) -> list[dict]:
    """Entries of tables/index.json with header spans, repeats marked and copy blocks."""
    for table in tables:
        table["spans"] = _spans([group for group, _ in table["columns"]])
        table["copies"] = {
            title: copy_text(folder / f"{table['name']}.{suffix}", copy_limit)
            for title, suffix in (("LaTeX", "tex"), ("Markdown", "md"), ("CSV", "csv"))
        }
        above: list[str] = []
        for row in table["rows"]:
            heads = row["cells"][: table["heads"]]
            row["again"] = _repeats(heads, above)
            above = heads
    return tables


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


def _key_figures(records: Records) -> dict[str, str]:
    frame = records.provenance
    if frame.empty:
        return {"trained runs": "0"}
    git = {(g["commit"] or "none")[:7] + (" + changes" if g["dirty"] else "") for g in frame["git"]}
    seconds = float(frame["training_seconds"].sum())
    return {
        "trained runs": str(len(frame)),
        "seeds": ", ".join(map(str, sorted(frame["seed"].unique()))),
        "training time, all runs": f"{seconds / 3600:.1f} h"
        if seconds > 7200
        else f"{seconds / 60:.1f} min",
        "last run started": str(frame["started"].max())[:16].replace("T", " ") + " UTC",
        "device": ", ".join(sorted(frame["device"].astype(str).unique())),
        "commit": ", ".join(sorted(git)),
    }


def _deviations(records: Records) -> list[dict]:
    """Backbone and equal deviations -> "data set: methods" that have them."""
    found: dict[tuple, dict[str, list[str]]] = {}
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            for method, runs in by_method(records.select(dataset, backbone)).items():
                if recipe := recipe_of(records, runs[0]):
                    places = found.setdefault((backbone, tuple(deviations(recipe))), {})
                    places.setdefault(label(dataset), []).append(label(method))
    return [
        {
            "backbone": label(backbone),
            "places": [f"{dataset}: {', '.join(methods)}" for dataset, methods in places.items()],
            "fields": fields,
        }
        for (backbone, fields), places in found.items()
    ]


def _environments(records: Records) -> list[dict[str, str]]:
    """Each distinct hardware and software that runs were made with."""
    distinct: dict[str, dict[str, str]] = {}
    for row in records.provenance.to_dict("records"):
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        entry = {"hardware": row["hardware"], "threads": str(row["threads"]), "software": versions}
        distinct[json.dumps(entry, sort_keys=True)] = entry
    return list(distinct.values())


def _data_hashes(records: Records) -> dict[str, list[str]]:
    """data set -> SHA-256 of the packed data its runs read."""
    frame = records.provenance
    if frame.empty:
        return {}
    return {
        label(dataset): sorted(part["data_sha256"].unique())
        for dataset, part in frame.groupby("dataset", sort=False)
    }


def _notes(records: Records) -> list[str]:
    used = {b for d in records.datasets for b in records.backbones(d)}
    return [note for backbone, note in NOTES.items() if backbone in used]


def _sources(published: pd.DataFrame) -> list[str]:
    """Who printed the averages that the tables compare with."""
    compared = (published["protocol"] == TALK_PROTOCOL) & (published["seed"] == "avg")
    return sorted(published.loc[compared, "source"].unique())


def _environment(template: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(template), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    # style and script are the repository's own files, not data: they go in as they are
    environment.globals["include_file"] = lambda name: Markup((template / name).read_text("utf-8"))
    environment.filters["label"] = label
    return environment


def write_report(
    title: str,
    tables: Path | str,
    figures: Path | str,
    cards: dict[str, Card],
    records: Records,
    statistics: Statistics,
    published: pd.DataFrame,
    template: Path | str,
    out: Path | str,
    l0: Path | str | None = None,
) -> None:
    """Write the report: one HTML file that fetches nothing.

    title: the configuration's name; tables, figures: folders with an index.json; template: the
    folder that holds template.html.j2, style.css and sort.js; l0: the folder of `write_l0`, left
    out where it has not been run.
    """
    tables, figures, out = Path(tables), Path(figures), Path(out)
    entries, index = read_json(tables / "index.json"), read_json(figures / "index.json")
    lowest = read_l0(l0)
    # a table has three copy blocks, a figure one
    copies = 3 * len(entries + lowest.entries) + len(index["figures"])
    limit = min(LONGEST_COPY, COPY_BYTES // (copies + 1))
    page = (
        _environment(Path(template))
        .get_template("template.html.j2")
        .render(
            title=title,
            version=softbio.__version__,
            separated=RULE,
            verdict=reach_verdict(records, statistics),
            key_figures=_key_figures(records),
            tables=_tables(tables, entries, limit),
            rungs=rungs(records, published, lowest),
            l0_tables=_tables(Path(l0), lowest.entries, limit) if lowest.entries else [],
            pictures=_pictures(figures, index, limit),
            absent=index["absent"],
            figures_folder=os.path.relpath(figures, out.parent),
            cards=cards,
            deviations=_deviations(records),
            notes=_notes(records),
            effects=[str(effect) for effect in effects(records)],
            answers=checklist(records, statistics, cards, {entry["name"] for entry in entries}),
            model_cards=model_cards(records),
            figures_target=figures.as_posix(),
            environments=_environments(records),
            data_hashes=_data_hashes(records),
            sources=_sources(published),
        )
    )
    with atomic(out) as part:
        part.write_text(page, encoding="utf-8")
