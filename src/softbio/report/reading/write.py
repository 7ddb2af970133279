"""The results of the runs on gender, written once: tables, figures and reading.json."""

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
from softbio.reading.notebook import BACKBONE, Printed, deviations, printed
from softbio.results.formats import in_percent
from softbio.results.labels import in_text, label
from softbio.tables.layout import save
from softbio.tables.reading import in_brackets, name_of, reading_tables, word

# fields of run.json that the page shows as a run's origin, with its data set and seed
ORIGIN = (
    *("started", "training_seconds", "device", "hardware", "threads", "versions", "git"),
    "data_sha256",
)


def headline(reading: Reading) -> str:
    """The first run in one sentence."""
    found = reading.interval("last", "accuracy")
    return (
        f"{label(reading.run.backbone)} reads the gender of {in_percent(found.estimate, 1)} % of "
        f"the test images of {in_text(reading.run.dataset)} right {in_brackets(found, 1)}"
    )


def key_figures(readings: Sequence[Reading], known: Mapping[str, Printed]) -> dict[str, str]:
    """Accuracy at the last epoch of the run with the published recipe, or of the first run, with
    its interval over subjects, and the published accuracy."""
    own = (each for each in readings if each.run.backbone in known and not deviations(each.record))
    each = next(own, readings[0])
    found = each.interval("last", "accuracy")
    network = f"{label(each.run.backbone)} on {in_text(each.run.dataset)}"
    figures = {f"gender, {network}": f"{in_percent(found.estimate)} % right {in_brackets(found)}"}
    if theirs := known.get(each.run.backbone) or known.get(BACKBONE):
        verdict = word(each, "last", theirs).partition(":")[0]
        value = theirs.as_printed.removesuffix("%")
        figures[f"published, {label(theirs.backbone)}"] = f"{value} % ({verdict})"
    return figures


def _record(readings: Sequence[Reading], known: Mapping[str, Printed]) -> dict[str, Any]:
    """What the page needs besides tables and figures."""
    recipes = {}
    for each in readings:
        apart = [asdict(deviation) for deviation in deviations(each.record, each.names)]
        recipes[f"{label(each.run.dataset)}, {name_of(each)}"] = apart
    return {
        "headline": headline(readings[0]),
        "runs": len(readings),
        "key_figures": key_figures(readings, known),
        "origins": [
            {"dataset": each.run.dataset, "seed": each.run.seed}
            | {name: each.record[name] for name in ORIGIN}
            for each in readings
        ],
        "deviations": recipes,
    }


def _write_figures(readings: Sequence[Reading], folder: Path) -> None:
    """The figures and index.json, like those of ages."""
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
    known = printed(published)
    tables = reading_tables(readings, known, cards)
    save([table for table in tables if table is not None], folder / "tables")
    with matplotlib.rc_context(fname=style):
        _write_figures(readings, folder / "figures")
    write_json(folder / "reading.json", _record(readings, known))
