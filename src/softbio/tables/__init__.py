"""Every table of a configuration, from the records of its runs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from softbio.files import atomic
from softbio.records import SELECTIONS, Records, in_order
from softbio.tables import comparison, context, errors
from softbio.tables.layout import Row, Table

__all__ = ["Row", "Table", "build_tables", "write_tables"]


def build_tables(
    records: Records, published: pd.DataFrame, access: Mapping[str, str] | None = None
) -> Iterator[Table | None]:
    """The tables in the report's order; None where there is nothing to show. access: data set ->
    how its archive is had."""
    backbones = in_order([b for d in records.datasets for b in records.backbones(d)])
    yield context.summary(records)
    yield comparison.published_table(records, published)
    yield comparison.not_run_table(records, published, access)
    for backbone in backbones:
        for selection in SELECTIONS:
            yield errors.errors(records, backbone, selection)
    for backbone in backbones:
        yield errors.weighting(records, backbone)
    for dataset in records.datasets:
        yield errors.controls(records, dataset)
    for backbone in backbones:
        yield errors.inconsistency(records, backbone)
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            yield errors.all_metrics(records, dataset, backbone)
            yield errors.groups(records, dataset, backbone)
    for dataset in records.datasets:
        yield context.backbones(records, dataset)
    yield context.runs(records)


def write_tables(
    records: Records,
    published: pd.DataFrame,
    folder: Path | str,
    access: Mapping[str, str] | None = None,
) -> list[Table]:
    """Write {name}.csv, .md, .tex of every table and index.json, which keeps their order, titles,
    captions and printed cells; returns the tables. access: as in `build_tables`."""
    found = build_tables(records, published, access)
    return save([table for table in found if table is not None], folder)


def save(tables: list[Table], folder: Path | str) -> list[Table]:
    """Write the files of some tables and their index.json; returns them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        table.write(folder)
    with atomic(folder / "index.json") as part:
        entries = [table.entry() for table in tables]
        part.write_text(json.dumps(entries, indent=1, ensure_ascii=False), encoding="utf-8")
    return tables
