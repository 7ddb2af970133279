"""Every table of a configuration, from the records of its runs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from softbio.contests import Statistics
from softbio.files import atomic
from softbio.names import note_on
from softbio.records import SELECTIONS, Records, in_order
from softbio.tables import calibration, contests, context, errors
from softbio.tables.audit import audits as audit_table
from softbio.tables.layout import Row, Table

__all__ = ["Row", "Table", "build_tables", "write_tables"]


def build_tables(
    records: Records,
    published: pd.DataFrame,
    statistics: Statistics,
    audits: Mapping[str, Path],
) -> Iterator[Table | None]:
    """The tables in the report's order; None where there is nothing to show."""
    backbones = in_order([b for d in records.datasets for b in records.backbones(d)])
    yield context.summary(records)
    yield context.published_table(records, published)
    for backbone in backbones:
        for selection in SELECTIONS:
            yield errors.errors(records, backbone, selection)
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            yield contests.pairs(statistics, dataset, backbone)
    yield contests.uncertainties(statistics)
    for backbone in backbones:
        yield errors.weighting(records, backbone)
    for dataset in records.datasets:
        yield errors.controls(records, dataset)
    for backbone in backbones:
        yield errors.inconsistency(records, backbone)
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            yield errors.all_metrics(records, dataset, backbone)
            yield calibration.calibration(records, dataset, backbone)
            yield errors.groups(records, dataset, backbone)
    for dataset in records.datasets:
        yield context.backbones(records, dataset)
    yield audit_table(audits)
    yield context.runs(records)


def _noted(table: Table) -> Table:
    """With the methods that the talk does not have named in the caption."""
    return replace(table, caption=f"{table.caption} {note_on(table.long)}".strip())


def write_tables(
    records: Records,
    published: pd.DataFrame,
    statistics: Statistics,
    folder: Path | str,
    audits: Mapping[str, Path] | None = None,
) -> list[Table]:
    """Write {name}.csv, .md, .tex of every table and index.json, which keeps their order, titles,
    captions and printed cells; returns the tables. audits: data set -> audit.json."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    built = build_tables(records, published, statistics, audits or {})
    tables = [_noted(table) for table in built if table is not None]
    for table in tables:
        table.write(folder)
    with atomic(folder / "index.json") as part:
        entries = [table.entry() for table in tables]
        part.write_text(json.dumps(entries, indent=1, ensure_ascii=False), encoding="utf-8")
    return tables
