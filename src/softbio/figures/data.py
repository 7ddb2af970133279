"""Figures of a data set: its labels, their importance weights, every seed, every backbone."""

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from softbio.data.registry import Card
from softbio.engine.importance import importance_weights
from softbio.figures.base import (
    NARROW,
    OKABE_ITO,
    SETTING,
    WIDE,
    Canvas,
    Figure,
    NotShown,
    colour,
    direct_labels,
    panels,
    plain,
    plain_log,
    whole_ticks,
)
from softbio.results.labels import in_order, in_text, label
from softbio.results.records import KEY, Records, by_method


def labels(card: Card, dataset: str) -> Figure:
    """Images by age, one panel for each part."""
    splits = [split for split, counts in card.labels.items() if sum(counts)]
    if not splits:
        raise NotShown("the data card holds no label histogram")
    first, last = card.ages
    ages = np.arange(first, last + 1)
    canvas, axes = panels(len(splits), WIDE, 1.8, sharey=False)
    for ax, split in zip(axes, splits, strict=True):
        counts = np.asarray(card.labels[split])
        ax.bar(ages, counts, width=0.9, color="#8c8c8c")
        missing = ages[counts == 0]
        whole_ticks(ax.xaxis)
        if len(missing):
            ax.plot(missing, np.zeros(len(missing)), "x", color=OKABE_ITO[1], clip_on=False)
        ax.set(title=f"{split}: {counts.sum():,} images", xlabel="age")
        ax.grid(axis="x", visible=False)
    axes[0].set_ylabel("images")
    frame = pd.DataFrame(
        [(s, a, n) for s in splits for a, n in zip(ages, card.labels[s], strict=True)],
        columns=["split", "age", "images"],
    )
    empty = int((frame["images"] == 0).sum())
    caption = f"Images by age in each part of {in_text(dataset)}; each panel has its own scale."
    caption += " A cross marks an age without images." if empty else ""
    peaks = "; ".join(
        f"{s}: most images at age {ages[int(np.argmax(card.labels[s]))]}" for s in splits
    )
    alt = f"Histograms of age, ages {first} to {last}. {peaks}. Ages without images: {empty}."
    title = f"Labels of {in_text(dataset)}"
    return Figure(
        name=f"labels-{dataset}",
        title=title,
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )


def importance(card: Card, dataset: str) -> Figure:
    """The task importance weights of Eq. 7 over the training histogram (the talk's Figure 1)."""
    counts = np.asarray(card.labels.get("train", []))
    if counts.sum() == 0:
        raise NotShown("the data card holds no training histogram")
    weights = importance_weights(np.repeat(np.arange(len(counts)), counts), len(counts))
    thresholds = card.ages[0] + np.arange(len(weights))
    canvas = Canvas(figsize=(NARROW, 2.5))
    top, below = canvas.subplots(2, 1, sharex=True, height_ratios=[2.2, 1])
    top.plot(thresholds, weights, "o-", color=OKABE_ITO[0])
    top.set(ylabel="importance weight λ", ylim=(0.68, 1.02))
    top.axhline(np.sqrt(0.5), color="#6b6b6b", linewidth=0.8, linestyle=":")
    top.text(
        thresholds[-1],
        0.711,
        "lower bound √½",
        fontsize=6.5,
        color="#555555",
        ha="right",
        va="bottom",
    )
    below.bar(np.arange(card.ages[0], card.ages[1] + 1), counts, width=0.9, color="#8c8c8c")
    below.set(xlabel="age threshold of the task", ylabel="training\nimages")
    below.grid(axis="x", visible=False)
    whole_ticks(below.xaxis)
    lowest = int(weights.argmin())
    frame = pd.DataFrame({"threshold_age": thresholds, "weight": weights})
    caption = (
        f"Task importance weights of {in_text(dataset)} by Eq. 7 of arXiv:1901.07884v3, from the "
        "training labels below: the task 'older than this age?' has the lowest weight where it "
        "splits the training set into halves."
    )
    alt = (
        f"A curve that falls from {plain(weights[0])} at age {thresholds[0]} to "
        f"{plain(weights[lowest], 3)} at age {thresholds[lowest]} and rises to "
        f"{plain(weights[-1])} at age {thresholds[-1]}."
    )
    title = f"Importance weights of {in_text(dataset)}"
    return Figure(
        name=f"importance-{dataset}",
        title=title,
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )


def _dots(ax: Axes, part: pd.DataFrame, order: list[str], palette: dict[str, str]) -> None:
    """MAE of every seed and their mean, a line for each name in this order."""
    seaborn.stripplot(
        part,
        x="mae",
        y="name",
        order=order,
        hue="name",
        palette=palette,
        jitter=False,
        size=5,
        alpha=0.75,
        legend=False,
        ax=ax,
    )
    means = part.groupby("name")["mae"].mean().reindex(order)
    ax.plot(means, range(len(order)), "|", color="#222222", markersize=12, markeredgewidth=1.2)


def seeds(records: Records, dataset: str) -> Figure:
    """MAE of every seed, one panel for each backbone."""
    backbones = records.backbones(dataset)
    runs = [
        run
        for backbone in backbones
        for variant in ("", "-weighted")
        for run in records.select(dataset, backbone, variant)
    ]
    if not runs:
        raise NotShown("needs metrics of a trained run")
    names = [records.label(run) for run in runs]
    frame = pd.DataFrame(runs).assign(name=names, mae=records.values(runs, "mae"))
    palette = {name: colour(run.method) for name, run in zip(names, runs, strict=True)}
    methods = in_order(frame["method"])
    order = sorted(
        {(methods.index(r.method), r.variant, n) for n, r in zip(names, runs, strict=True)}
    )
    shown = [name for *_, name in order]
    canvas, axes = panels(len(backbones), WIDE, 0.75 + 0.25 * len(shown), sharey=True, sharex=True)
    for ax, backbone in zip(axes, backbones, strict=True):
        _dots(ax, frame[frame["backbone"] == backbone], shown, palette)
        ax.set(xlabel="test MAE, years", ylabel="", title=label(backbone))
    best = frame.groupby(["backbone", "name"])["mae"].mean()
    caption = (
        f"Test-set MAE of every seed on {in_text(dataset)}, {SETTING}. Dots: single seeds; stroke: "
        "their mean."
    )
    alt = (
        f"Dots by method. Lowest mean: {plain(best.min())} by {best.idxmin()[1]} with "
        f"{label(best.idxmin()[0])}."
    )
    return Figure(
        name=f"seeds-{dataset}",
        title="Every seed",
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=frame[["backbone", "method", "variant", "seed", "mae"]],
        canvas=canvas,
    )


def _costs(records: Records, dataset: str) -> pd.DataFrame:
    """One row for each backbone and method: its cost and its error over seeds."""
    cost = records.provenance.drop_duplicates(KEY[:3]).set_index(KEY[:3])
    rows = []
    for backbone in records.backbones(dataset):
        for method, runs in by_method(records.select(dataset, backbone)).items():
            mae = records.values(runs, "mae")
            first = cost.loc[(dataset, backbone, method)]
            spread = mae.std(ddof=1) if len(mae) > 1 else 0.0
            millions = first["parameters"] / 1e6
            rows.append((backbone, method, first["gmac"], millions, mae.mean(), spread))
    columns = ["backbone", "method", "gmac", "parameters_millions", "mae", "sd"]
    return pd.DataFrame(rows, columns=columns)


def _error_by(ax: Axes, frame: pd.DataFrame, column: str) -> None:
    """MAE against one cost, a line for each method, the backbones named above their dots."""
    for method in in_order(frame["method"]):
        part = frame[frame["method"] == method].sort_values(column)
        ax.errorbar(
            part[column],
            part["mae"],
            part["sd"],
            fmt="o-",
            color=colour(method),
            linewidth=0.8,
            markersize=4.5,
        )
    costs = frame.groupby("backbone")[column].agg(["min", "median", "max"]).sort_values("median")
    # the outermost names stay within the axes
    sides = {costs.index[0]: ("left", "min"), costs.index[-1]: ("right", "max")}
    for backbone, cost in costs.iterrows():
        part = frame[frame["backbone"] == backbone]
        side, at = sides.get(backbone, ("center", "median"))
        ax.annotate(
            *(label(backbone), (cost[at], (part["mae"] + part["sd"]).max()), (0, 5)),
            textcoords="offset points",
            ha=side,
            fontsize=6.5,
        )
    ax.set_xscale("log")
    plain_log(ax.xaxis)
    ax.margins(x=0.18, y=0.15)


def backbones(records: Records, dataset: str) -> Figure:
    """MAE against multiply-accumulates and parameters."""
    if len(records.backbones(dataset)) < 2:
        raise NotShown("needs at least two backbones")
    frame = _costs(records, dataset)
    canvas, axes = panels(2, WIDE, 2.5, sharey=True)
    _error_by(axes[0], frame, "gmac")
    _error_by(axes[1], frame, "parameters_millions")
    axes[0].set(xlabel="GMAC an image", ylabel="test MAE, years")
    axes[1].set(xlabel="parameters, million")
    right = frame.sort_values("parameters_millions").groupby("method", sort=False).last()["mae"]
    direct_labels(axes[1], [(records.title(m), mae, colour(m)) for m, mae in right.items()])
    caption = (
        f"Test-set MAE on {in_text(dataset)} against the cost of the backbone (log scales), "
        f"{SETTING}. Dots: mean over seeds; error bars: sample SD over seeds. The input sides "
        "differ, see the table."
    )
    best = frame.loc[frame["mae"].idxmin()]
    alt = (
        f"Lowest MAE {plain(best['mae'])}: {records.title(best['method'])} with "
        f"{label(best['backbone'])}, {best['gmac']:.3g} GMAC."
    )
    return Figure(
        name=f"backbones-{dataset}",
        title="Error against cost",
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )
