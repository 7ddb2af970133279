"""Figures of errors: by age, predicted against true, cumulative score."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from softbio.figures.base import (
    NARROW,
    SETTING,
    WIDE,
    Canvas,
    Figure,
    NotShown,
    colour,
    direct_labels,
    panels,
    plain,
    tiles,
    whole_ticks,
)
from softbio.results.labels import in_order, in_text
from softbio.results.names import CONTROLS
from softbio.results.records import Predictions, Records, as_published, by_method


def by_age(records: Records, dataset: str, backbone: str) -> Figure:
    """MAE at each age, with the number of images at that age below."""
    frame = as_published(records.by_age, dataset, backbone)
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
        ends.append((records.title(method), line["mean"].iloc[-1], colour(method)))
        worst.append(
            f"{records.title(method)} {plain(line['mean'].max(), 1)} at {line['mean'].idxmax()}"
        )
    top.set(ylabel="MAE, years", ylim=(0, None))
    direct_labels(top, ends)
    images = frame.groupby("age")["n"].first()
    below.bar(images.index, images, width=0.9, color="#8c8c8c")
    below.set(xlabel="true age", ylabel="test\nimages")
    below.grid(axis="x", visible=False)
    whole_ticks(below.xaxis)
    caption = (
        f"Test-set MAE by true age on {in_text(dataset)}, {in_text(backbone)}, {SETTING}. Line: "
        "mean over seeds; band: lowest to highest seed. Bars: test images of that age."
    )
    alt = f"MAE by age. Highest: {'; '.join(worst)}."
    return Figure(
        name=f"age-{dataset}-{backbone}",
        title="Error by age",
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=backbone,
        frame=frame[["method", "seed", "age", "n", "mae", "bias"]],
        canvas=canvas,
    )


def _confusion(parts: list[Predictions]) -> pd.DataFrame:
    """Images by true age (rows) and predicted age (columns), several seeds together."""
    first = parts[0]
    k = first.k
    table = np.zeros((k, k), int)
    for part in parts:
        np.add.at(table, (part.frame["label"], part.frame["prediction"]), 1)
    ages = first.first_age + np.arange(k)
    return pd.DataFrame(table, index=ages, columns=ages)


def _heat_map(ax: Axes, table: pd.DataFrame) -> QuadMesh:
    share = table.to_numpy() / np.maximum(table.to_numpy().sum(axis=1, keepdims=True), 1)
    ages = table.index.to_numpy()
    mesh = ax.pcolormesh(ages, ages, share.T, cmap="Blues", vmin=0, vmax=0.25, rasterized=True)
    ax.plot(ages[[0, -1]], ages[[0, -1]], color="#444444", linewidth=0.7, linestyle="--")
    ax.set(xlabel="true age", aspect="equal")
    ax.grid(visible=False)
    whole_ticks(ax.xaxis)
    whole_ticks(ax.yaxis)
    return mesh


def predicted_against_true(records: Records, dataset: str, backbone: str) -> Figure:
    """Predicted ages by true age, a heat map for each method."""
    methods = by_method(records.select(dataset, backbone))
    if not methods:
        raise NotShown("needs predictions of a trained run")
    across = min(len(methods), 4)
    height = 2.5 if across < 4 else 2.0
    canvas, axes = tiles(len(methods), min(WIDE, 1.2 + 1.9 * across), height, sharey=True)
    found = []
    for ax, (method, runs) in zip(axes, methods.items(), strict=True):
        table = _confusion([records.predictions(run) for run in runs])
        mesh = _heat_map(ax, table)
        ax.set_title(records.title(method))
        tall = table.stack().rename_axis(["true_age", "predicted_age"]).rename("images")
        found.append(tall[tall > 0].reset_index().assign(method=method))
    for ax in axes[::across]:
        ax.set_ylabel("predicted age")
    bar = canvas.colorbar(mesh, ax=axes, shrink=0.8, pad=0.02, extend="max")
    bar.set_label("share of the images of that age")
    bar.outline.set_visible(False)
    frame = pd.concat(found)[["method", "true_age", "predicted_age", "images"]]
    caption = (
        f"Predicted ages of the images of each true age, test set of {in_text(dataset)}, "
        f"{in_text(backbone)}, {SETTING}, all seeds together; each column adds up to one. Dashed: "
        "no error."
    )
    spans = frame.groupby("method", sort=False)["predicted_age"].agg(["min", "max"])
    texts = [f"{records.title(m)} {low} to {high}" for m, low, high in spans.itertuples()]
    alt = f"Heat maps along the diagonal. Ages predicted at all: {', '.join(texts)}."
    return Figure(
        name=f"heatmap-{dataset}-{backbone}",
        title="Predicted against true age",
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=backbone,
        frame=frame,
        canvas=canvas,
    )


def cumulative_score(records: Records, dataset: str, backbone: str) -> Figure:
    """CS(theta): share of test images within theta years, theta 0..15."""
    frame = as_published(records.cs, dataset, backbone)
    if frame.empty:
        raise NotShown("needs metrics of a trained run")
    control = as_published(records.cs, dataset, "control")
    canvas, (ax,) = panels(1, NARROW + 0.7, 2.5)
    five = {}
    shown = pd.concat([frame, control])
    for method in in_order(shown["method"]):
        line = shown[shown["method"] == method].groupby("theta")["value"].mean()
        style = "--" if method in CONTROLS else "-"
        ax.plot(line.index, line, style, color=colour(method))
        five[method] = line[5]
    ax.set(xlabel="error tolerance θ, years", ylabel="CS(θ)", ylim=(0, 1.01), xlim=(0, 15))
    ax.axvline(5, color="#6b6b6b", linewidth=0.8, linestyle=":")
    # the curves meet at the right: named in the order they have at theta 5, highest on top
    ranked = enumerate(sorted(five, key=five.__getitem__))
    direct_labels(ax, [(records.title(m), 0.62 + 0.1 * place, colour(m)) for place, m in ranked])
    caption = (
        f"Share of test images with an error of at most θ years, {in_text(dataset)}, "
        f"{in_text(backbone)}, {SETTING}, mean over seeds. Names in the order at θ = 5."
    )
    texts = [f"{records.title(method)} {plain(value, 3)}" for method, value in five.items()]
    return Figure(
        name=f"cs-{dataset}-{backbone}",
        title="Cumulative score",
        caption=caption,
        alt=f"Rising curves. CS at 5 years: {', '.join(texts)}.",
        dataset=dataset,
        backbone=backbone,
        frame=shown[["method", "seed", "theta", "value"]],
        canvas=canvas,
    )
