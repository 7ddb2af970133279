"""The talk's numbers and ours, cell by cell, and the cells without a run here."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from softbio.published.images import Images, talk_images
from softbio.published.numbers import (
    RULE,
    TALK,
    TALK_PROTOCOL,
    Average,
    averages,
    brief,
    gpu_hours,
    judge,
    logged_seconds,
    welch_half_width,
)
from softbio.results.formats import ABSENT, decimals, signed
from softbio.results.labels import label
from softbio.results.names import Names
from softbio.results.records import Records, by_method
from softbio.results.run import Run
from softbio.statistics.means import Interval
from softbio.tables.context import deviations_of
from softbio.tables.errors import SD
from softbio.tables.formats import span
from softbio.tables.layout import Row, Table, of_seeds, plus_minus

METRIC_LABELS = {"mae": "MAE ↓", "rmse": "RMSE ↓"}
CELL = ["dataset", "published_backbone", "method", "weighted", "metric"]
NOT_RUN = "not run"
# how to get an archive that the registry does not hold
OFFERED = {"morph2": "form"}
AT_HAND = "at hand"


def half_width(ours: np.ndarray, theirs: Average) -> float:
    """Half the 95 % Welch interval of the difference over seeds; NaN where ours is one seed."""
    if len(ours) < 2:
        return float("nan")
    return welch_half_width(float(np.std(ours, ddof=1)), len(ours), theirs.sd, theirs.n)


def _compare(
    records: Records,
    theirs: dict[tuple, Average],
    images: Mapping[str, Images],
    *,
    dataset: str,
    backbone: str,
    weighted: str,
) -> list[dict]:
    """One row a method and metric that the talk printed and we ran. images: the talk's, by data
    set."""
    variant = "-weighted" if weighted == "yes" else ""
    context = backbone if backbone in TALK else "resnet34"
    rows = []
    for method, runs in by_method(records.select(dataset, backbone, variant)).items():
        for metric in METRIC_LABELS:
            printed = theirs.get((dataset, context, method, weighted, metric))
            ours = records.values(runs, metric)
            if printed is None or not np.isfinite(ours).all():
                continue
            apart = deviations_of(records, runs[0], images)
            difference, half = ours.mean() - printed.mean, half_width(ours, printed)
            rows.append(
                {
                    "dataset": dataset, "backbone": backbone, "method": method,
                    "weighted": weighted, "metric": metric, "published_backbone": context,
                    "seed": "avg", "as_printed": printed.as_printed,
                    "misprinted": printed.misprinted,
                    "published_mean": printed.mean, "published_sd": printed.sd,
                    "published_seeds": printed.n,
                    "mean": ours.mean(), "sd": ours.std(ddof=1) if len(ours) > 1 else np.nan,
                    "seeds": len(ours), "difference": difference,
                    "low": difference - half, "high": difference + half,
                    "verdict": "other recipe" if apart else judge(ours, printed),
                    "deviations": "; ".join(map(str, apart)), "recipe": brief(apart),
                    "ours": plus_minus(ours) + of_seeds(len(ours), printed.n),
                }
            )  # fmt: skip
    return rows


def comparison(records: Records, published: pd.DataFrame) -> pd.DataFrame:
    """Published averages beside ours, last epoch, decoded as published; empty where nothing is
    shared."""
    theirs, images = averages(published), talk_images(published)
    rows = [
        row
        for dataset in records.datasets
        for backbone in records.backbones(dataset)
        for weighted in ("no", "yes")
        for row in _compare(
            records, theirs, images, dataset=dataset, backbone=backbone, weighted=weighted
        )
    ]
    return pd.DataFrame(rows)


def _missing(dataset: str, hours: float, records: Records, access: Mapping[str, str]) -> str:
    """What a cell that was not run needs."""
    needs = []
    how = {**OFFERED, **access}.get(dataset)
    if dataset not in records.datasets and how != AT_HAND:
        needs.append(f"{label(dataset)} archive" + (f" ({how})" if how else ""))
    needs.append(f"about {hours:.0f} GPU hours" if hours >= 1 else "under one GPU hour")
    return ", ".join(needs)


def not_run(
    records: Records, published: pd.DataFrame, access: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """The talk's averages without a run of that data set, backbone and method here, and what each
    needs; gpu_hours: of all its seeds; MAE and RMSE come from the same runs.

    access: data set -> how to get its archive, "at hand" where the user has it.
    """
    done = {
        (run.dataset, run.backbone, run.method, "yes" if run.variant else "no")
        for run in records.folders
        if run.variant != "-shuffled"
    }
    rows = []
    for (dataset, backbone, method, weighted, metric), theirs in averages(published).items():
        if (dataset, backbone, method, weighted) in done:
            continue
        hours = theirs.n * gpu_hours(published, dataset, backbone)
        rows.append(
            {
                "dataset": dataset, "backbone": backbone, "method": method, "weighted": weighted,
                "metric": metric, "published_backbone": backbone, "seed": "avg",
                "as_printed": theirs.as_printed, "misprinted": theirs.misprinted,
                "published_mean": theirs.mean, "published_sd": theirs.sd,
                "published_seeds": theirs.n, "seeds": 0, "verdict": NOT_RUN,
                "gpu_hours": hours, "missing": _missing(dataset, hours, records, access or {}),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def with_seeds(frame: pd.DataFrame, records: Records, published: pd.DataFrame) -> pd.DataFrame:
    """The rows of `comparison` or `not_run`, each followed by the printed numbers of single seeds
    beside ours of the same seed. Seeds are not paired, so that their verdict is the average's."""
    single = published[
        (published["protocol"] == TALK_PROTOCOL) & published["seed"].isin(list("012"))
    ]
    printed = dict(iter(single.groupby(["dataset", "backbone", "method", "weighted", "metric"])))
    rows = []
    for row in frame.to_dict("records"):
        rows.append(row)
        seeds = printed.get(tuple(row[name] for name in CELL))
        for theirs in () if seeds is None else seeds.itertuples():
            variant = "-weighted" if row["weighted"] == "yes" else ""
            run = Run(row["dataset"], row["backbone"], row["method"], variant, int(theirs.seed))
            ours = float(records.values([run], row["metric"])[0])
            rows.append(
                {name: row[name] for name in [*CELL, "backbone", "verdict"]}
                | {"seed": theirs.seed, "as_printed": theirs.as_printed, "misprinted": False}
                | {"published_mean": theirs.value, "published_seeds": 1, "mean": ours}
                | {"seeds": int(np.isfinite(ours)), "difference": ours - theirs.value}
                | ({} if np.isfinite(ours) else {"verdict": NOT_RUN})
                | {"missing": row.get("missing", "" if np.isfinite(ours) else "this seed")}
            )
    return pd.DataFrame(rows)


def _printed(row: tuple, names: Names) -> Row:
    """One row of `comparison` as the table prints it."""
    limits = span(Interval(row.difference, row.low, row.high), sign=True)
    limits = limits if limits == ABSENT else f"({limits})"
    cells = [
        label(row.dataset),
        label(row.backbone),
        names.title(row.method, "-weighted" if row.weighted == "yes" else ""),
        METRIC_LABELS[row.metric].removesuffix(" ↓"),
        row.as_printed + (" †" if row.misprinted else ""),
        row.ours,
        f"{signed(row.difference)} {limits}",
        row.verdict,
    ]
    return Row(cells)


def published_table(records: Records, published: pd.DataFrame) -> Table | None:
    """The talk's averages and ours, with the difference and the verdict by RULE."""
    frame = comparison(records, published)
    if frame.empty:
        return None
    caption = f"Test-set errors of the talk (Raschka 2019) and ours, last epoch, in years. {SD}."
    if (frame["backbone"] != frame["published_backbone"]).any():
        caption += " Published values are those of ResNet-34 where the talk has no such backbone."
    caption += f" Interval of the difference: Welch, over seeds. Verdicts: {RULE}"
    others = frame.loc[frame["verdict"] == "other recipe", "recipe"].unique()
    if len(others):
        caption += f" Other recipe here: {'; '.join(others)}."
    if frame["misprinted"].any():
        caption += (
            " †: the printed average does not follow from the printed seeds; the difference is to "
            "the mean of the seeds."
        )
    columns = ["Data set", "Backbone", "Method", "Metric", "Published", "Ours"]
    columns += ["Difference, 95 %", "Verdict"]
    return Table(
        name="published",
        title="Published and ours",
        caption=caption,
        long=with_seeds(frame.drop(columns=["ours", "recipe"]), records, published),
        columns=[("", name) for name in columns],
        rows=[_printed(row, records.names) for row in frame.itertuples()],
        heads=3,
        words=1,
    )


def _hours(part: pd.DataFrame) -> float:
    """GPU hours of some rows of `not_run`: MAE and RMSE come from the same runs."""
    return float(part.drop_duplicates(["backbone", "method", "weighted"])["gpu_hours"].sum())


def not_run_table(
    records: Records, published: pd.DataFrame, access: Mapping[str, str] | None = None
) -> Table | None:
    """The talk's cells that this configuration has no run of, a row for each data set."""
    frame = not_run(records, published, access)
    if frame.empty:
        return None
    kinds = list(frame.groupby(["backbone", "weighted"], sort=False).groups)
    rows = []
    for dataset, part in frame.groupby("dataset", sort=False):
        own = {kind: _hours(cells) for kind, cells in part.groupby(["backbone", "weighted"])}
        cells = [decimals(own.get(kind, np.nan), 0) for kind in kinds]
        needs = _missing(dataset, _hours(part), records, access or {})
        rows.append(Row([label(dataset), str(len(part)), *cells, f"{NOT_RUN}: {needs}"]))
    seeds = int(frame["published_seeds"].max())
    logs = ((published["protocol"] == "726e545") & (published["metric"] == "minutes")).sum()
    caption = (
        "Averages that the talk (Raschka 2019) prints and that have no run in this configuration, "
        f"and the GPU hours of their runs ({seeds} seeds a method). These are estimated from "
        f"{logs} training logs of the journal (median {1000 * logged_seconds(published):.2f} ms an "
        "image and epoch with ResNet-34 on the authors' GPUs), in proportion to training images, "
        "epochs and multiply-accumulates. The CSV has a row for each printed number."
    )
    names = [label(b) + (", weighted" if w == "yes" else "") for b, w in kinds]
    columns = [("", "Data set"), ("", "Averages"), *(("GPU hours", name) for name in names)]
    long = with_seeds(frame, records, published)
    columns.append(("", "Missing"))
    return Table(
        name="not-run",
        title="Published, not run here",
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
        heads=1,
        words=1,
    )
