"""Every table of a configuration, from the records of its runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from softbio.results.labels import in_order
from softbio.results.names import Names
from softbio.results.records import SELECTIONS, Records
from softbio.statistics.contests import Statistics
from softbio.tables import calibration, comparison, contests, context, errors
from softbio.tables.audit import audits as audit_table
from softbio.tables.layout import Row, Table, save

__all__ = ["Evidence", "Row", "Table", "build_tables", "save", "write_tables"]


@dataclass(frozen=True)
class Evidence:
    """What the tables are made from: the runs, the published numbers, intervals and tests.

    audits: data set -> audit.json; access: data set -> how to get its archive.
    """

    records: Records
    published: pd.DataFrame
    statistics: Statistics
    audits: Mapping[str, Path] = field(default_factory=dict)
    access: Mapping[str, str] = field(default_factory=dict)


def build_tables(evidence: Evidence) -> Iterator[Table | None]:
    """The tables in the report's order; None where there is nothing to show."""
    records, published, statistics = evidence.records, evidence.published, evidence.statistics
    backbones = in_order([b for d in records.datasets for b in records.backbones(d)])
    yield context.summary(records)
    yield comparison.published_table(records, published)
    yield comparison.not_run_table(records, published, evidence.access)
    for backbone in backbones:
        for selection in SELECTIONS:
            yield errors.errors(records, backbone, selection)
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            yield contests.pairs(statistics, dataset, backbone, records.names)
    yield contests.uncertainties(statistics, records.names)
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
    yield audit_table(evidence.audits)
    yield context.runs(records)


def _noted(table: Table, names: Names) -> Table:
    """The table with the methods that the talk does not have in its caption."""
    return replace(table, caption=f"{table.caption} {names.note_on(table.long)}".strip())


def write_tables(evidence: Evidence, folder: Path | str) -> list[Table]:
    """Write the files of all tables; see `save`."""
    built = build_tables(evidence)
    tables = [_noted(table, evidence.records.names) for table in built if table is not None]
    return save(tables, folder)
