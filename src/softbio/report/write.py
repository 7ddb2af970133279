"""One offline HTML file from tables, figures, data cards and run records."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import softbio
from softbio.data.registry import Card
from softbio.files import atomic, write_json
from softbio.plan.benchmark import Absence
from softbio.published.images import talk_images
from softbio.published.numbers import NOTES, TALK_PROTOCOL
from softbio.report.checklist import checklist, model_cards
from softbio.report.hiding.page import (
    as_sentence,
    citations,
    duration,
    key_figures,
    read_half,
    shown,
)
from softbio.report.ladder import read_l0, rungs
from softbio.report.page import Written, heading_of, pictures, share_of, tables_in, unbroken
from softbio.report.reading.page import key_figures as reading_figures
from softbio.report.reading.page import read_section, shown_section
from softbio.report.verdict import reach_verdict
from softbio.results.labels import label
from softbio.results.names import joined
from softbio.results.records import Records, by_method, read_json
from softbio.statistics.contests import RULE, Statistics
from softbio.statistics.effects import effects
from softbio.tables.context import deviations_of, recipe_of


def _trained(records: Records, sections: Sequence[Written]) -> pd.DataFrame:
    """Where the runs on ages and on gender come from: `Records.provenance`, of the latter the
    columns that the page shows."""
    of_gender = [row for section in sections for row in section.record["origins"]]
    frames = [records.provenance, pd.DataFrame(of_gender)]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def _key_figures(frame: pd.DataFrame, records: Records) -> dict[str, str]:
    if frame.empty:
        return {"trained runs": "0"} if records.folders else {}
    git = {(g["commit"] or "none")[:7] + (" + changes" if g["dirty"] else "") for g in frame["git"]}
    return {
        "trained runs": str(len(frame)),
        "seeds": ", ".join(map(str, sorted(frame["seed"].unique()))),
        "training time, all runs": duration(float(frame["training_seconds"].sum())),
        "last run started": str(frame["started"].max())[:16].replace("T", " ") + " UTC",
        "device": ", ".join(sorted(frame["device"].astype(str).unique())),
        "commit": ", ".join(sorted(git)),
    }


def _deviations(records: Records, published: pd.DataFrame) -> list[dict]:
    """Backbone and equal deviations -> "data set: methods" that have them."""
    found: dict[tuple, dict[str, list[str]]] = {}
    images = talk_images(published)
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            for method, runs in by_method(records.select(dataset, backbone)).items():
                if recipe_of(records, runs[0]):
                    apart = tuple(deviations_of(records, runs[0], images))
                    places = found.setdefault((backbone, apart), {})
                    places.setdefault(label(dataset), []).append(label(method))
    return [
        {
            "backbone": label(backbone),
            "places": [f"{dataset}: {', '.join(methods)}" for dataset, methods in places.items()],
            "fields": fields,
        }
        for (backbone, fields), places in found.items()
    ]


def _environments(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Each distinct hardware and software that runs were made with."""
    distinct: dict[str, dict[str, str]] = {}
    for row in frame.to_dict("records"):
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        entry = {"hardware": row["hardware"], "threads": str(row["threads"]), "software": versions}
        distinct[json.dumps(entry, sort_keys=True)] = entry
    return list(distinct.values())


def _data_hashes(frame: pd.DataFrame) -> dict[str, list[str]]:
    """data set -> SHA-256 of the packed data its runs read."""
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


def environment_of(template: Path) -> Environment:
    """How the templates in a folder are rendered."""
    environment = Environment(
        loader=FileSystemLoader(template), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    # style and script are the repository's own files, not data: they go in as they are
    environment.globals["include_file"] = lambda name: Markup((template / name).read_text("utf-8"))
    environment.filters["label"] = label
    environment.filters["duration"] = duration
    environment.filters["sentence"] = as_sentence
    environment.filters["unbroken"] = unbroken
    return environment


def _kind(with_age: bool, *, reads: bool, hides: bool) -> str:
    """What the report is about."""
    parts = {
        "age estimation by ordinal regression": with_age,
        "reading gender": reads,
        "hiding gender": hides,
    }
    return joined([part for part, there in parts.items() if there])


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
    hiding: Sequence[Path | str] = (),
    reading: Sequence[Path | str] = (),
    left_out: Sequence[Absence] = (),
) -> None:
    """Write the report: one HTML file that fetches nothing; and beside it left_out.json.

    title: the configuration's name; tables, figures: folders with an index.json; template: the
    folder that holds template.html.j2, style.css and sort.js; l0: the folder of `write_l0`, left
    out where it has not been run; hiding: folders of `write_hiding`, one a population; reading:
    the folder of `write_reading`, or none; left_out: data sets that the configuration asks for and
    the run went without. Without a run on ages the page is about the others alone.
    """
    tables, figures, out = Path(tables), Path(figures), Path(out)
    entries, index = read_json(tables / "index.json"), read_json(figures / "index.json")
    lowest, halves = read_l0(l0), [read_half(folder) for folder in hiding]
    sections = [read_section(folder) for folder in reading]
    share = share_of(
        len(entries + lowest.entries) + sum(len(part.tables) for part in [*halves, *sections]),
        len(index["figures"]) + sum(len(part.index["figures"]) for part in [*halves, *sections]),
    )
    with_age = bool(records.folders or not (halves or sections))
    verdict, trained = reach_verdict(records, statistics), _trained(records, sections)
    headlines = [verdict.headline] * with_age
    headlines += [part.headline for part in [*sections[:1], *halves[:1]]]
    page = (
        environment_of(Path(template))
        .get_template("template.html.j2")
        .render(
            title=title,
            version=softbio.__version__,
            kind=_kind(with_age, reads=bool(sections), hides=bool(halves)),
            with_age=with_age,
            headlines=headlines,
            heading=heading_of(headlines),
            cited=citations(halves, cards),
            left_out=left_out,
            halves=[shown(half, share, out) for half in halves],
            sections=[shown_section(section, share, out) for section in sections],
            separated=RULE,
            verdict=verdict,
            key_figures=_key_figures(trained, records)
            | reading_figures(sections)
            | key_figures(halves),
            tables=tables_in(tables, entries, share),
            rungs=rungs(records, published, lowest),
            l0_tables=tables_in(Path(l0), lowest.entries, share) if lowest.entries else [],
            pictures=pictures(figures, index, share, out),
            absent=index["absent"],
            cards=cards,
            deviations=_deviations(records, published),
            notes=_notes(records),
            effects=[str(effect) for effect in effects(records)],
            answers=checklist(records, statistics, cards, {entry["name"] for entry in entries}),
            model_cards=model_cards(records),
            environments=_environments(trained),
            data_hashes=_data_hashes(trained),
            sources=_sources(published),
        )
    )
    write_json(out.with_name("left_out.json"), [asdict(each) for each in left_out])
    with atomic(out) as part:
        part.write_text(page, encoding="utf-8")
