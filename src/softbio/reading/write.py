"""Everything that the runs of gender tell, written once: tables, figures and reading.json."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from softbio.data.registry import Card
from softbio.figures.reading import by_group, curves
from softbio.files import write_json
from softbio.reading.load import Reading
from softbio.reading.notebook import deviations, printed
from softbio.records import in_text, label
from softbio.tables.layout import save
from softbio.tables.reading import between, name_of, percent, reading_tables


def headline(reading: Reading) -> str:
    """The first run in one sentence."""
    found = reading.interval("last", "accuracy")
    return (
        f"{label(reading.run.backbone)} reads the gender of {percent(found.estimate, 1)} % of the "
        f"test images of {in_text(reading.run.dataset)} right {between(found, 1)}"
    )


def _record(readings: Sequence[Reading]) -> dict[str, Any]:
    """What the page needs beside tables and figures."""
    recipes = {}
    for each in readings:
        apart = [asdict(deviation) for deviation in deviations(each.record)]
        recipes[f"{label(each.run.dataset)}, {name_of(each)}"] = apart
    return {
        "headline": headline(readings[0]),
        "runs": len(readings),
        "seconds": sum(each.record["training_seconds"] for each in readings),
        "deviations": recipes,
    }


def _write_figures(readings: Sequence[Reading], folder: Path) -> None:
    """The figures and index.json, as those of ages."""
    folder.mkdir(parents=True, exist_ok=True)
    datasets = dict.fromkeys(each.run.dataset for each in readings)
    figures = [draw(readings, dataset) for dataset in datasets for draw in (curves, by_group)]
    for figure in figures:
        figure.write(folder)
    write_json(folder / "index.json", {"figures": [figure.entry() for figure in figures]})


def write_reading(
    readings: Sequence[Reading],
    cards: Mapping[str, Card],
    published: pd.DataFrame,
    folder: Path | str,
    style: Path | str,
) -> None:
    """Write tables/, figures/ and reading.json of at least one run; style: the figures' style
    file."""
    folder = Path(folder)
    tables = reading_tables(readings, printed(published), cards)
    save([table for table in tables if table is not None], folder / "tables")
    with matplotlib.rc_context(fname=style):
        _write_figures(readings, folder / "figures")
    write_json(folder / "reading.json", _record(readings))
