"""Tables around the errors: summary, backbones, runs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from softbio.published.images import Images, other_images
from softbio.published.numbers import Deviation, deviations
from softbio.results.formats import ABSENT, commit, decimals
from softbio.results.labels import in_order, label
from softbio.results.records import KEY, Records, by_method
from softbio.results.run import Run
from softbio.tables.errors import SD
from softbio.tables.layout import Row, Table, lowest, of_seeds, plus_minus


def summary(records: Records) -> Table | None:
    """Test MAE of every method, and of the constant median."""
    places = [(d, b) for d in records.datasets for b in records.backbones(d)]
    methods = in_order([r.method for d, b in places for r in records.select(d, b)])
    if not methods:
        return None
    rows, long = [], []
    for dataset, backbone in places:
        runs = by_method(records.select(dataset, backbone))
        mae = {method: records.values(runs.get(method, []), "mae") for method in methods}
        control = records.values(records.select(dataset, "control"), "mae")
        best = lowest([v.mean() if len(v) else np.nan for v in mae.values()])
        seeds = max(len(values) for values in mae.values())
        texts = [plus_minus(values) + of_seeds(len(values), seeds) for values in mae.values()]
        rows.append(
            Row(
                [label(dataset), label(backbone), *texts, plus_minus(control), str(seeds)],
                [2 + position for position in best],
            )
        )
        long += [
            (dataset, backbone, run.method, run.seed, value)
            for method, several in runs.items()
            for run, value in zip(several, mae[method], strict=True)
        ]
    caption = (
        f"Test-set MAE in years, last epoch, decoded as published. {SD}; lowest mean of a row in "
        "bold. Constant median: the median training age for every image."
    )
    columns = ["Data set", "Backbone", *map(records.title, methods), "Constant median", "Seeds"]
    frame = pd.DataFrame(long, columns=["dataset", "backbone", "method", "seed", "mae"])
    title = "Mean absolute error ↓"
    return Table(
        name="summary",
        title=title,
        caption=caption,
        long=frame,
        columns=[("", c) for c in columns],
        rows=rows,
        heads=2,
    )


def recipe_of(records: Records, run: Run) -> dict:
    """The recipe that run.json kept, field -> value; empty for a control without training."""
    rows = _provenance_of(records, run)
    if rows.empty:
        return {}
    first = rows.iloc[0]
    return {n.removeprefix("recipe."): first[n] for n in rows.columns if n.startswith("recipe.")}


def _provenance_of(records: Records, run: Run) -> pd.DataFrame:
    """The row of a run, or none."""
    frame = records.provenance
    return frame[(frame[KEY] == [getattr(run, name) for name in KEY]).all(axis=1)]


def deviations_of(records: Records, run: Run, talk: Mapping[str, Images]) -> list[Deviation]:
    """How recipe and images of a trained run differ from the talk's. The images of a repaired split
    are not compared: the split is named.

    talk: the images of the talk, by data set (`talk_images`).
    """
    found = deviations(recipe_of(records, run))
    if run.dataset in talk:
        found += other_images(_images_of(records, run), talk[run.dataset])
    return found


def _images_of(records: Records, run: Run) -> Images:
    row = _provenance_of(records, run).iloc[0]
    held_out = int(row["n_valid"]) if row["recipe.validation"] else 0
    cut = row.get("cut")
    return Images(
        int(row["n_train"]) + held_out, int(row["n_test"]), cut if isinstance(cut, str) else None
    )


def backbones(records: Records, dataset: str) -> Table | None:
    """The cost of each backbone and the error with it."""
    frame = records.provenance
    frame = frame[(frame["dataset"] == dataset) & (frame["variant"] == "")] if len(frame) else frame
    if frame.empty:
        return None
    speed = records.histories.groupby(KEY)["images_per_second"].median().rename("images_per_second")
    frame = frame.join(speed, on=KEY)
    rows, long = [], []
    for backbone in records.backbones(dataset):
        for method, runs in by_method(records.select(dataset, backbone)).items():
            part = frame[(frame["backbone"] == backbone) & (frame["method"] == method)]
            mae = records.values(runs, "mae")
            first = part.iloc[0]
            rows.append(
                Row(
                    [
                        label(backbone),
                        records.title(method),
                        str(first["recipe.crop"]),
                        decimals(first["parameters"] / 1e6, 2),
                        decimals(first["gmac"], 3),
                        f"{part['images_per_second'].median():,.0f}",
                        plus_minus(mae),
                    ]
                )
            )
            long.append(part[[*KEY, "parameters", "gmac", "images_per_second"]].assign(mae=mae))
    caption = (
        "Parameters and multiply-accumulates (one image, forward pass, at the input side given) "
        "include the method's head. Images/s: in training, median over epochs and seeds, on the "
        f"hardware that the table of runs names. Test-set MAE in years, last epoch; {SD}."
    )
    columns = ["Backbone", "Method", "Input, px", "Parameters, M", "GMAC", "Images/s", "MAE ↓"]
    title = f"Backbones: {label(dataset)}"
    return Table(
        name=f"backbones-{dataset}",
        title=title,
        caption=caption,
        long=pd.concat(long),
        columns=[("", c) for c in columns],
        rows=rows,
        heads=2,
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _run_row(records: Records, row: dict) -> Row:
    """A row of `runs`; row: of `Records.provenance`."""
    run = Run(*(row[name] for name in KEY))
    cells = [
        label(run.dataset),
        label(run.backbone),
        records.label(run),
        str(run.seed),
        str(row["epochs"]),
        ABSENT if pd.isna(row["best_epoch"]) else str(int(row["best_epoch"])),
        str(row["device"]),
        str(row["precision"]),
        _minutes(row["wall_seconds"]),
        f"{row['peak_memory_mb']:,.0f}",
        ", ".join(map(str, row["resumed_at"])) or ABSENT,
        commit(row["git"]),
    ]
    return Row(cells)


def runs(records: Records) -> Table | None:
    """Where, how and when each run was made."""
    frame = records.provenance
    if frame.empty:
        return None
    caption = (
        "One row for each trained run. Best epoch: lowest validation MAE, a dash without a "
        "validation set. Resumed: epochs after which an interrupted run was continued. Commit: of "
        "this repository. The CSV has all of run.json."
    )
    columns = [
        "Data set",
        "Backbone",
        "Method",
        "Seed",
        "Epochs",
        "Best epoch",
        "Device",
        "Precision",
        "Wall clock",
        "Peak memory, MB",
        "Resumed",
        "Commit",
    ]
    return Table(
        name="runs",
        title="Runs",
        caption=caption,
        long=frame,
        columns=[("", c) for c in columns],
        rows=[_run_row(records, row) for row in frame.to_dict("records")],
        heads=3,
    )
