"""One offline HTML file from tables, figures, data cards and run records."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from softbio.report.ladder import L0, read_l0, rungs
from softbio.report.page import (
    Share,
    Written,
    heading_of,
    pictures,
    share_of,
    tables_in,
    unbroken,
)
from softbio.report.reading.page import key_figures as reading_figures
from softbio.report.reading.page import read_section, shown_section
from softbio.report.verdict import reach_verdict
from softbio.results.formats import commit
from softbio.results.labels import label
from softbio.results.names import joined
from softbio.results.records import Records, by_method, read_json
from softbio.statistics.contests import RULE, Statistics
from softbio.statistics.effects import effects
from softbio.tables.context import deviations_of, recipe_of

TEMPLATE = Path(__file__).parents[3] / "report"


def _trained(records: Records, sections: Sequence[Written]) -> pd.DataFrame:
    """Provenance of the runs on ages and on gender: `Records.provenance`, and of the latter the
    columns that the page shows."""
    of_gender = [row for section in sections for row in section.record["origins"]]
    frames = [records.provenance, pd.DataFrame(of_gender)]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def _key_figures(frame: pd.DataFrame, records: Records) -> dict[str, str]:
    if frame.empty:
        return {"trained runs": "0"} if records.folders else {}
    commits = sorted({commit(git) for git in frame["git"]})
    return {
        "trained runs": str(len(frame)),
        "seeds": ", ".join(map(str, sorted(frame["seed"].unique()))),
        "training time, all runs": duration(float(frame["training_seconds"].sum())),
        "last run started": str(frame["started"].max())[:16].replace("T", " ") + " UTC",
        "device": ", ".join(sorted(frame["device"].astype(str).unique())),
        "commit": ", ".join(commits),
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
                    places.setdefault(label(dataset), []).append(records.title(method))
    return [
        {
            "backbone": label(backbone),
            "places": [f"{dataset}: {', '.join(methods)}" for dataset, methods in places.items()],
            "fields": fields,
        }
        for (backbone, fields), places in found.items()
    ]


def _environments(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Each distinct combination of hardware and software of the runs."""
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
    """The sources of the averages that the tables compare with."""
    compared = (published["protocol"] == TALK_PROTOCOL) & (published["seed"] == "avg")
    return sorted(published.loc[compared, "source"].unique())


def environment_of(template: Path) -> Environment:
    """The environment that renders the templates in a folder."""
    environment = Environment(
        loader=FileSystemLoader(template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # style and script are the repository's own files, not data, and need no escaping
    environment.globals["include_file"] = lambda name: Markup((template / name).read_text("utf-8"))
    environment.filters["label"] = label
    environment.filters["duration"] = duration
    environment.filters["sentence"] = as_sentence
    environment.filters["unbroken"] = unbroken
    return environment


def _kind(with_age: bool, *, reads: bool, hides: bool) -> str:
    """The subjects of the report, in words."""
    parts = {
        "age estimation by ordinal regression": with_age,
        "reading gender": reads,
        "hiding gender": hides,
    }
    return joined([part for part, there in parts.items() if there])


@dataclass(frozen=True)
class ReportInputs:
    """What a report is made from.

    tables, figures: folders with an index.json; l0: the folder of `write_l0`, None where it has not
    been run; hiding: folders of `write_hiding`, one for each population; reading: the folder of
    `write_reading`, or none; left_out: data sets that the configuration asks for and the run went
    without. Without a run on ages the page is about hiding and reading alone.
    """

    tables: Path | str
    figures: Path | str
    cards: dict[str, Card]
    records: Records
    statistics: Statistics
    published: pd.DataFrame
    l0: Path | str | None = None
    hiding: Sequence[Path | str] = ()
    reading: Sequence[Path | str] = ()
    left_out: Sequence[Absence] = ()


@dataclass(frozen=True)
class Parts:
    """The files of a report's parts: entries of tables and figures, L0, and its other sections."""

    tables: list[dict]
    figures: dict[str, list[dict]]
    l0: L0
    halves: list[Written]
    sections: list[Written]

    @property
    def share(self) -> Share:
        """What one figure and one copy block may take of the page."""
        others = [*self.halves, *self.sections]
        return share_of(
            len(self.tables + self.l0.entries) + sum(len(part.tables) for part in others),
            len(self.figures["figures"]) + sum(len(part.index["figures"]) for part in others),
        )


def _parts(inputs: ReportInputs) -> Parts:
    return Parts(
        tables=read_json(Path(inputs.tables) / "index.json"),
        figures=read_json(Path(inputs.figures) / "index.json"),
        l0=read_l0(inputs.l0),
        halves=[read_half(folder) for folder in inputs.hiding],
        sections=[read_section(folder) for folder in inputs.reading],
    )


def _heading(inputs: ReportInputs, parts: Parts) -> dict[str, Any]:
    """Of the template's variables, those at the top of the page."""
    records = inputs.records
    with_age = bool(records.folders or not (parts.halves or parts.sections))
    verdict = reach_verdict(records, inputs.statistics)
    headlines = [verdict.headline] * with_age
    headlines += [part.headline for part in [*parts.sections[:1], *parts.halves[:1]]]
    trained = _trained(records, parts.sections)
    return {
        "version": softbio.__version__,
        "kind": _kind(with_age, reads=bool(parts.sections), hides=bool(parts.halves)),
        "with_age": with_age,
        "headlines": headlines,
        "heading": heading_of(headlines),
        "verdict": verdict,
        "key_figures": _key_figures(trained, records)
        | reading_figures(parts.sections)
        | key_figures(parts.halves),
        "environments": _environments(trained),
        "data_hashes": _data_hashes(trained),
    }


def _context(inputs: ReportInputs, page: Path) -> dict[str, Any]:
    """The template's variables, for the page at `page`."""
    records, parts = inputs.records, _parts(inputs)
    share, lowest = parts.share, parts.l0
    names = {entry["name"] for entry in parts.tables}
    l0_tables = tables_in(Path(inputs.l0), lowest.entries, share) if lowest.entries else []
    return _heading(inputs, parts) | {
        "cited": citations(parts.halves, inputs.cards),
        "left_out": inputs.left_out,
        "halves": [shown(half, share, page) for half in parts.halves],
        "sections": [shown_section(section, share, page) for section in parts.sections],
        "separated": RULE,
        "tables": tables_in(Path(inputs.tables), parts.tables, share),
        "rungs": rungs(records, inputs.published, lowest),
        "l0_tables": l0_tables,
        "pictures": pictures(Path(inputs.figures), parts.figures, share, page),
        "absent": parts.figures["absent"],
        "cards": inputs.cards,
        "deviations": _deviations(records, inputs.published),
        "notes": _notes(records),
        "effects": [str(effect) for effect in effects(records)],
        "answers": checklist(records, inputs.statistics, inputs.cards, names),
        "model_cards": model_cards(records),
        "sources": _sources(inputs.published),
    }


def write_report(
    title: str, inputs: ReportInputs, out: Path | str, template: Path | str = TEMPLATE
) -> None:
    """Write the report: one HTML file that fetches nothing; and left_out.json next to it.

    title: the page's heading; template: the folder of template.html.j2, style.css and
    sort.js. Raises UserError where a file of a part is absent or broken.
    """
    out = Path(out)
    page = environment_of(Path(template)).get_template("template.html.j2")
    text = page.render(title=title, **_context(inputs, out))
    write_json(out.with_name("left_out.json"), [asdict(each) for each in inputs.left_out])
    with atomic(out) as part:
        part.write_text(text, encoding="utf-8")
