"""Figures of errors: by age, predicted against true, cumulative score, seeds, backbones."""

import numpy as np
import pandas as pd
import seaborn

from softbio.figures.base import (
    GREY,
    NARROW,
    WIDE,
    Canvas,
    Figure,
    NotShown,
    colour,
    direct_labels,
    panels,
    plain,
    whole_ticks,
)
from softbio.records import CONTROLS, KEY, Records, in_order, in_text, label
from softbio.tables.errors import by_method

SETTING = "last epoch, decoded as published"


def _published(frame: pd.DataFrame, dataset: str, backbone: str) -> pd.DataFrame:
    return frame[
        (frame["dataset"] == dataset)
        & (frame["backbone"] == backbone)
        & (frame["variant"] == "")
        & (frame["selection"] == "last")
        & (frame["decoding"] == "published")
    ]


def by_age(records: Records, dataset: str, backbone: str) -> Figure:
    """MAE at each age, images at that age underneath."""
    frame = _published(records.by_age, dataset, backbone)
    if frame.empty:
        raise NotShown("needs metrics of a trained run")
    canvas = Canvas(figsize=(WIDE, 3.0))
    top, below = canvas.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    ends, worst = [], []
    for method in in_order(frame["method"]):
        line = frame[frame["method"] == method].groupby("age")["mae"].agg(["mean", "min", "max"])
        top.fill_between(
            line.index, line["min"], line["max"], color=colour(method), alpha=0.16, linewidth=0
        )
        top.plot(line.index, line["mean"], color=colour(method))
        ends.append((label(method), line["mean"].iloc[-1], colour(method)))
        worst.append(f"{label(method)} {plain(line['mean'].max(), 1)} at {line['mean'].idxmax()}")
    top.set(ylabel="MAE, years", ylim=(0, None))
    direct_labels(top, ends)
    images = frame.groupby("age")["n"].first()
    below.bar(images.index, images, width=0.9, color="#8c8c8c")
    below.set(xlabel="true age", ylabel="test\nimages")
    below.grid(axis="x", visible=False)
    whole_ticks(below.xaxis)
    caption = (
        f"Test-set MAE by true age on {in_text(dataset)}, {in_text(backbone)}, {SETTING}. Line: "
        "mean over "
        "seeds; band: lowest to highest seed. Bars: test images of that age."
    )
    alt = f"MAE by age. Highest: {'; '.join(worst)}."
    return Figure(
        f"age-{dataset}-{backbone}", "Error by age", caption, alt, dataset, backbone,
        frame[["method", "seed", "age", "n", "mae", "bias"]], canvas,
    )  # fmt: skip


def predicted_against_true(records: Records, dataset: str, backbone: str) -> Figure:
    """Where the predictions of each true age go, a heat map a method."""
    runs = records.select(dataset, backbone)
    if not runs:
        raise NotShown("needs predictions of a trained run")
    methods = by_method(runs)
    ages = None
    canvas, axes = panels(len(methods), WIDE, 2.5, sharey=True)
    rows = []
    for ax, (method, seeds) in zip(axes, methods.items(), strict=True):
        parts = [records.predictions(run) for run in seeds]
        pooled = pd.concat([part.frame[["label", "prediction"]] for part in parts])
        k = parts[0].probabilities.shape[1] + (parts[0].kind == "exceedance")
        table = np.zeros((k, k))
        np.add.at(table, (pooled["label"], pooled["prediction"]), 1)
        share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        ages = parts[0].first_age + np.arange(k)
        mesh = ax.pcolormesh(ages, ages, share.T, cmap="Blues", vmin=0, vmax=0.25, rasterized=True)
        ax.plot(ages[[0, -1]], ages[[0, -1]], color="#444444", linewidth=0.7, linestyle="--")
        ax.set(title=label(method), xlabel="true age", aspect="equal")
        ax.grid(visible=False)
        whole_ticks(ax.xaxis)
        whole_ticks(ax.yaxis)
        rows += [
            (method, ages[i], ages[j], int(table[i, j]))
            for i, j in zip(*table.nonzero(), strict=True)
        ]
    axes[0].set_ylabel("predicted age")
    bar = canvas.colorbar(mesh, ax=list(axes), shrink=0.8, pad=0.02, extend="max")
    bar.set_label("share of the images of that age")
    bar.outline.set_visible(False)
    frame = pd.DataFrame(rows, columns=["method", "true_age", "predicted_age", "images"])
    caption = (
        f"Where the predictions of each true age go, test set of {in_text(dataset)}, "
        f"{in_text(backbone)}, "
        f"{SETTING}, all seeds together; each column adds up to one. Dashed: no error."
    )
    extent = {
        m: f"{g['predicted_age'].min()} to {g['predicted_age'].max()}"
        for m, g in frame.groupby("method", sort=False)
    }
    alt = f"Heat maps along the diagonal, true ages {ages[0]} to {ages[-1]}. Predicted ages: "
    alt += ", ".join(f"{label(m)} {text}" for m, text in extent.items()) + "."
    return Figure(
        f"heatmap-{dataset}-{backbone}", "Predicted against true age", caption, alt, dataset,
        backbone, frame, canvas,
    )  # fmt: skip


def cumulative_score(records: Records, dataset: str, backbone: str) -> Figure:
    """CS(theta): share of test images within theta years, theta 0..15."""
    frame = _published(records.cs, dataset, backbone)
    if frame.empty:
        raise NotShown("needs metrics of a trained run")
    control = _published(records.cs, dataset, "control")
    canvas, (ax,) = panels(1, NARROW + 0.7, 2.5)
    ends, five = [], []
    for method, part in [*((m, frame[frame["method"] == m]) for m in in_order(frame["method"])),
                         *control.groupby("method")]:  # fmt: skip
        line = part.groupby("theta")["value"].mean()
        ax.plot(
            line.index,
            line,
            color=colour(method),
            linestyle="-" if colour(method) != GREY else "--",
        )
        ends.append((label(method), line.iloc[5], line, colour(method)))
        five.append(f"{label(method)} {plain(line.iloc[5], 3)}")
    ax.set(xlabel="error tolerance θ, years", ylabel="CS(θ)", ylim=(0, 1.01), xlim=(0, 15))
    ax.axvline(5, color="#6b6b6b", linewidth=0.8, linestyle=":")
    # the curves meet at the right: named in the order they have at theta 5, highest on top
    ranked = sorted(ends, key=lambda item: item[1])
    direct_labels(ax, [(text, 0.62 + 0.1 * i, ink) for i, (text, _, _, ink) in enumerate(ranked)])
    caption = (
        f"Share of test images with an error of at most θ years, {in_text(dataset)}, "
        f"{in_text(backbone)}, {SETTING}, mean over seeds. Names in the order at θ = 5."
    )
    alt = f"Rising curves. CS at 5 years: {', '.join(five)}."
    shown = pd.concat([frame, control])[["method", "seed", "theta", "value"]]
    return Figure(
        f"cs-{dataset}-{backbone}",
        "Cumulative score",
        caption,
        alt,
        dataset,
        backbone,
        shown,
        canvas,
    )


def seeds(records: Records, dataset: str) -> Figure:
    """MAE of every seed, a panel a backbone."""
    frame = records.runs[
        (records.runs["dataset"] == dataset)
        & (records.runs["metric"] == "mae")
        & (records.runs["selection"] == "last")
        & (records.runs["decoding"] == "published")
        & (records.runs["variant"] != "-shuffled")
    ]
    backbones = records.backbones(dataset)
    if not backbones:
        raise NotShown("needs metrics of a trained run")
    names = {
        (m, v): label(m) + (", weighted" if v else "")
        for m, v in zip(frame["method"], frame["variant"], strict=True)
    }
    frame = frame.assign(
        name=[names[key] for key in zip(frame["method"], frame["variant"], strict=True)]
    )
    methods = in_order(frame["method"])
    order = [
        names[key]
        for key in sorted(names, key=lambda key: (methods.index(key[0]), key[1]))
        if key[0] not in CONTROLS
    ]
    palette = {names[key]: colour(key[0]) for key in names}
    canvas, axes = panels(len(backbones), WIDE, 0.75 + 0.25 * len(order), sharey=True, sharex=True)
    for ax, backbone in zip(axes, backbones, strict=True):
        part = frame[frame["backbone"] == backbone]
        seaborn.stripplot(part, x="value", y="name", order=order, hue="name", palette=palette,
                          jitter=False, size=5, alpha=0.75, legend=False, ax=ax)  # fmt: skip
        means = part.groupby("name")["value"].mean().reindex(order)
        ax.plot(means, range(len(order)), "|", color="#222222", markersize=12, markeredgewidth=1.2)
        ax.set(xlabel="test MAE, years", ylabel="", title=label(backbone))
    best = frame[frame["backbone"] != "control"].groupby(["backbone", "name"])["value"].mean()
    caption = (
        f"Test-set MAE of every seed on {in_text(dataset)}, {SETTING}. A dot a seed, the stroke is "
        "their mean."
    )
    alt = (
        "Dots by method. Lowest mean: "
        + plain(best.min())
        + f" by {best.idxmin()[1]} with {label(best.idxmin()[0])}."
    )
    return Figure(
        f"seeds-{dataset}", "Every seed", caption, alt, dataset, None,
        frame[["backbone", "method", "variant", "seed", "value"]], canvas,
    )  # fmt: skip


def backbones(records: Records, dataset: str) -> Figure:
    """MAE against multiply-accumulates and parameters."""
    names = records.backbones(dataset)
    if len(names) < 2:
        raise NotShown("needs at least two backbones")
    cost = records.provenance.drop_duplicates(KEY[:3]).set_index(KEY[:3])
    rows = []
    for backbone in names:
        for method, runs in by_method(records.select(dataset, backbone)).items():
            mae = records.values(runs, "mae")
            first = cost.loc[(dataset, backbone, method)]
            spread = mae.std(ddof=1) if len(mae) > 1 else 0.0
            rows.append(
                (backbone, method, first["gmac"], first["parameters"] / 1e6, mae.mean(), spread)
            )
    frame = pd.DataFrame(
        rows, columns=["backbone", "method", "gmac", "parameters_millions", "mae", "sd"]
    )
    canvas, axes = panels(2, WIDE, 2.5, sharey=True)
    for ax, column, title in zip(
        axes, ("gmac", "parameters_millions"), ("GMAC an image", "parameters, million"), strict=True
    ):
        for method in in_order(frame["method"]):
            part = frame[frame["method"] == method].sort_values(column)
            ax.errorbar(
                part[column], part["mae"], part["sd"], fmt="o-", color=colour(method),
                linewidth=0.8, markersize=4.5,
            )  # fmt: skip
        for backbone, part in frame.groupby("backbone"):
            top = (part[column].iloc[0], (part["mae"] + part["sd"]).max())
            ax.annotate(
                label(backbone), top, (0, 5), textcoords="offset points", ha="center", fontsize=6.5
            )
        ax.set(xscale="log", xlabel=title)
        ax.margins(x=0.18, y=0.15)
    axes[0].set_ylabel("test MAE, years")
    dearest = frame[frame["gmac"] == frame["gmac"].max()]
    ends = zip(dearest["method"], dearest["mae"], strict=True)
    direct_labels(axes[1], [(label(method), mae, colour(method)) for method, mae in ends])
    caption = (
        f"Test-set MAE on {in_text(dataset)} against the cost of the backbone (log scales), "
        f"{SETTING}. "
        "Dots: mean over seeds; error bars: sample SD over seeds; input sides differ, see the "
        "table."
    )
    best = frame.loc[frame["mae"].idxmin()]
    alt = (
        f"Lowest MAE {plain(best['mae'])}: {label(best['method'])} with "
        f"{label(best['backbone'])}, {best['gmac']:.3g} GMAC."
    )
    return Figure(
        f"backbones-{dataset}", "Error against cost", caption, alt, dataset, None, frame, canvas
    )
