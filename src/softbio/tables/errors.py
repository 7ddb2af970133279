"""Tables of errors: the talk's layout, importance weights, all metrics, controls, groups."""

import numpy as np
import pandas as pd

from softbio.results.formats import ABSENT, decimals
from softbio.results.labels import in_order, in_text, label
from softbio.results.records import SELECTIONS, Records, as_published, by_method
from softbio.tables.layout import Row, Table, lowest, of_seeds, plus_minus

METRICS = {
    "mae": ("MAE ↓", 2),
    "rmse": ("RMSE ↓", 2),
    "cs5": ("CS@5 ↑", 3),
    "amae": ("AMAE ↓", 2),
    "mmae": ("MMAE ↓", 2),
    "qwk": ("QWK ↑", 3),
    "accuracy": ("Accuracy ↑", 3),
    "bias": ("Bias", 2),
    "inconsistencies": ("Inconsist. ↓", 2),
    "never_predicted": ("Never pred. ↓", 1),
}
DECODINGS = {"published": "as published", "expected": "expected value"}
SD = "± is the sample standard deviation (n−1) over seeds"


def _long(records: Records, **equal: object) -> pd.DataFrame:
    frame = records.runs
    for column, value in equal.items():
        frame = frame[frame[column].isin(value if isinstance(value, list) else [value])]
    return frame


def errors(records: Records, backbone: str, selection: str) -> Table | None:
    """The talk's table: a row for each seed and their average, MAE and RMSE a data set."""
    datasets = [d for d in records.datasets if backbone in records.backbones(d)]
    long = _long(
        records,
        backbone=backbone,
        selection=selection,
        decoding="published",
        variant="",
        metric=["mae", "rmse"],
    )
    if long.empty:
        return None
    keys = [(d, m) for d in datasets for m in ("mae", "rmse")]
    methods, seeds = in_order(long["method"]), sorted(long["seed"].unique())
    cell = long.set_index(["method", "seed", "dataset", "metric"])["value"]
    values = {
        m: np.array([[cell.get((m, s, d, k), np.nan) for d, k in keys] for s in seeds])
        for m in methods
    }
    means = np.array([_column_means(values[m]) for m in methods])
    best = [lowest(list(means[:, column])) for column in range(len(keys))]
    rows = []
    for i, method in enumerate(methods):
        for seed, line in zip(seeds, values[method], strict=True):
            rows.append(Row([records.title(method), str(seed), *map(decimals, line)]))
        complete = [c[np.isfinite(c)] for c in values[method].T]
        average = [plus_minus(c) + of_seeds(len(c), len(seeds)) for c in complete]
        marked = [2 + column for column in range(len(keys)) if i in best[column]]
        rows.append(Row([records.title(method), "AVG ± SD", *average], marked, summary=True))
    caption = (
        f"Test-set errors in years, {in_text(backbone)}, {SELECTIONS[selection]}, predictions "
        f"decoded as published, no task importance weights. {SD}; lowest average in bold."
    )
    columns = [("", "Method"), ("", "Seed")]
    columns += [(label(d), METRICS[m][0]) for d, m in keys]
    title = f"Age errors with {in_text(backbone)}, {SELECTIONS[selection]}"
    return Table(
        name=f"errors-{backbone}-{selection}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
    )


def _column_means(values: np.ndarray) -> list[float]:
    return [c[np.isfinite(c)].mean() if np.isfinite(c).any() else np.nan for c in values.T]


def weighting(records: Records, backbone: str) -> Table | None:
    """The talk's second table: MAE without and with task importance weights."""
    long = _long(
        records,
        backbone=backbone,
        selection="last",
        decoding="published",
        metric="mae",
        variant=["", "-weighted"],
    )
    weighted = long[long["variant"] == "-weighted"]
    if weighted.empty:
        return None
    methods, datasets = in_order(weighted["method"]), in_order(weighted["dataset"])
    long = long[long["method"].isin(methods)]
    lines = [(m, v) for m in methods for v in ("", "-weighted")]
    cells = [
        [
            long.loc[(long[["method", "variant", "dataset"]] == [m, v, d]).all(axis=1), "value"]
            for d in datasets
        ]
        for m, v in lines
    ]
    best = [lowest([line[i].mean() for line in cells]) for i in range(len(datasets))]
    rows = []
    for i, ((method, variant), line) in enumerate(zip(lines, cells, strict=True)):
        marked = [2 + column for column in range(len(datasets)) if i in best[column]]
        most = [max(len(other[i]) for other in cells) for i in range(len(datasets))]
        texts = [
            plus_minus(values.to_numpy()) + of_seeds(len(values), n)
            for values, n in zip(line, most, strict=True)
        ]
        rows.append(Row([records.title(method), "yes" if variant else "no", *texts], marked))
    caption = (
        "Test-set MAE in years without and with the task importance weights of Eq. 7, "
        f"{in_text(backbone)}, last epoch. {SD}; lowest average in bold."
    )
    columns = [("", "Method"), ("", "Weights"), *((label(d), METRICS["mae"][0]) for d in datasets)]
    title = f"Task importance weights with {in_text(backbone)}"
    return Table(
        name=f"weighting-{backbone}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
        heads=2,
    )


def all_metrics(records: Records, dataset: str, backbone: str) -> Table | None:
    """Every metric by method, selection rule and decoding."""
    runs = records.select(dataset, backbone)
    long = _long(records, dataset=dataset, backbone=backbone, variant="", metric=list(METRICS))
    if long.empty:
        return None
    rows = []
    for method, seeds in by_method(runs).items():
        for selection, s_label in SELECTIONS.items():
            for decoding, d_label in DECODINGS.items():
                texts = [
                    plus_minus(records.values(seeds, metric, selection, decoding), digits)
                    for metric, (_, digits) in METRICS.items()
                ]
                if any(text != ABSENT for text in texts):
                    heads = [records.title(method), s_label, d_label, str(len(seeds))]
                    rows.append(Row([*heads, *texts]))
    caption = (
        f"Test set of {in_text(dataset)}, {in_text(backbone)}. {SD}. MAE, RMSE, AMAE (mean over "
        "ages), MMAE (worst age) and bias (predicted minus true) in years. Inconsistencies: number "
        "of adjacent thresholds k with P(y > k+1) > P(y > k) + 1e-5, mean over images. Never "
        "predicted: number of ranks of the test set that are predicted for no image."
    )
    columns = [("", "Method"), ("", "Selection"), ("", "Decoding"), ("", "Seeds")]
    columns += [("", name) for name, _ in METRICS.values()]
    title = f"All metrics: {label(dataset)}, {label(backbone)}"
    return Table(
        name=f"metrics-{dataset}-{backbone}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
        heads=3,
    )


def controls(records: Records, dataset: str) -> Table | None:
    """The controls (constant median, shuffled labels) and the methods."""
    shown = {"mae": 2, "rmse": 2, "cs5": 3, "qwk": 3}
    backbones = records.backbones(dataset)
    lines = [(b, v) for b in backbones for v in ("", "-shuffled")] + [("control", "")]
    groups = [runs for b, v in lines for runs in by_method(records.select(dataset, b, v)).values()]
    if not any(run.is_control for runs in groups for run in runs):
        return None
    means = {tuple(runs): records.values(runs, "mae").mean() for runs in groups}
    constant = [m for runs, m in means.items() if runs[0].backbone == "control"]
    rows = []
    for runs in groups:
        texts = [plus_minus(records.values(runs, m), d) for m, d in shown.items()]
        gain = decimals(100 * (1 - means[tuple(runs)] / constant[0]), 0) if constant else ABSENT
        backbone = ABSENT if runs[0].backbone == "control" else label(runs[0].backbone)
        seeds = str(len(runs))
        rows.append(Row([backbone, records.label(runs[0]), seeds, *texts, gain]))
    caption = (
        f"Test set of {in_text(dataset)}, last epoch, decoded as published. {SD}. Constant median: "
        "the median age of the training set for every image. Shuffled labels: the same training "
        "with the labels permuted among the images. Gain: by how much the MAE is below that of the "
        "constant median."
    )
    columns = [("", name) for name in ("Backbone", "Method", "Seeds")]
    columns += [("", METRICS[m][0]) for m in shown]
    columns += [("", "Gain, % ↑")]
    long = _long(
        records,
        dataset=dataset,
        selection="last",
        decoding="published",
        metric=list(shown),
        variant=["", "-shuffled"],
    )
    title = f"Controls: {label(dataset)}"
    return Table(
        name=f"controls-{dataset}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
        heads=2,
    )


def groups(records: Records, dataset: str, backbone: str) -> Table | None:
    """MAE by gender and race, where the data set labels them."""
    long = as_published(records.groups, dataset, backbone)
    if long.empty:
        return None
    methods = in_order(long["method"])
    rows = []
    for (by, group), part in long.groupby(["by", "group"], sort=False):
        cells = [part[part["method"] == m] for m in methods]
        best = [3 + i for i in lowest([c["mae"].mean() for c in cells])]
        most = max(map(len, cells))
        texts = [plus_minus(c["mae"].to_numpy()) + of_seeds(len(c), most) for c in cells]
        biases = [decimals(c["bias"].mean()) for c in cells]
        rows.append(Row([by, str(group), f"{part['n'].iloc[0]:,}", *texts, *biases], best))
    caption = (
        f"Test set of {in_text(dataset)}, {in_text(backbone)}, last epoch, decoded as published. "
        f"{SD}; lowest MAE of a group in bold; bias (predicted minus true, mean over seeds) in "
        "years. Group labels are those of the data set, not self-reported."
    )
    columns = [("", "Label"), ("", "Group"), ("", "Images")]
    titles = [records.title(method) for method in methods]
    columns += [("MAE ↓", title) for title in titles] + [("Bias", title) for title in titles]
    title = f"Errors by group: {label(dataset)}, {label(backbone)}"
    return Table(
        name=f"groups-{dataset}-{backbone}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
        heads=2,
    )


def inconsistency(records: Records, backbone: str) -> Table | None:
    """Rank inconsistencies an image: of all, correct and incorrect predictions (PRL, Table 2)."""
    parts = {
        "inconsistencies": "all",
        "inconsistencies_correct": "correct",
        "inconsistencies_incorrect": "incorrect",
        "inconsistent_images": "any",
    }
    long = _long(
        records,
        backbone=backbone,
        selection="last",
        decoding="published",
        variant="",
        metric=list(parts),
    ).dropna(subset="value")
    if long.empty:
        return None
    datasets = in_order(long["dataset"])
    cell = long.set_index(["method", "seed", "dataset", "metric"])["value"]
    rows = [
        Row(
            [records.title(m), str(seed)]
            + [decimals(cell.get((m, seed, d, p), np.nan)) for d in datasets for p in parts]
        )
        for m in in_order(long["method"])
        for seed in sorted(long.loc[long["method"] == m, "seed"].unique())
    ]
    caption = (
        f"Mean number of rank inconsistencies a test image, {in_text(backbone)}, last epoch: "
        "adjacent thresholds k with P(y > k+1) > P(y > k) + 1e-5. Over all test images, over those "
        "predicted correctly, and over those predicted incorrectly; any: share of images with at "
        "least one. One row for each seed."
    )
    columns = [
        ("", "Method"),
        ("", "Seed"),
        *((label(d), p) for d in datasets for p in parts.values()),
    ]
    title = f"Rank inconsistencies with {in_text(backbone)}"
    return Table(
        name=f"inconsistencies-{backbone}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
    )
