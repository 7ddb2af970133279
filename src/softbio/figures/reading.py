"""Figures of reading gender: ROC, and accuracy by group."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import OKABE_ITO, WIDE, Figure, plain, tiles
from softbio.figures.curves import roc_points
from softbio.reading.judge import ALL, VIEWS
from softbio.reading.load import Reading
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.labels import in_text, label
from softbio.results.records import SELECTIONS

DASHES = dict(zip(SELECTIONS, ("-", (0, (4, 1.5))), strict=True))
SHOWN = {ALL: "all images", "age_group": "age group"}


def of_dataset(readings: Sequence[Reading], dataset: str) -> list[Reading]:
    """The readings of a data set, the first seed of each network."""
    first = {}
    for each in readings:
        if each.run.dataset == dataset:
            first.setdefault((each.run.backbone, each.run.method, each.run.variant), each)
    return list(first.values())


def _ink(number: int) -> str:
    return OKABE_ITO[number % len(OKABE_ITO)]


def _points(each: Reading, selection: str) -> pd.DataFrame:
    """One row for each drawn point of a curve, and one for the decisions at one half."""
    scores = each.scores(selection)
    part = roc_points(scores.scores, scores.labels, scores.threshold)
    names = {"backbone": each.run.backbone, "method": each.run.method, "selection": selection}
    return part.assign(**names)


def _curve(ax: Axes, part: pd.DataFrame, line: dict[str, Any]) -> None:
    """A ROC curve, drawn with the properties `line`, and a dot for its decisions at one half."""
    curve, dot = (part[part["mark"] == mark] for mark in ("curve", "threshold"))
    ax.plot(curve["false_positive"], curve["true_positive"], linewidth=1.3, **line)
    ax.plot(
        dot["false_positive"],
        dot["true_positive"],
        "o",
        color=line["color"],
        markersize=4.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
        zorder=4,
    )


def curves(readings: Sequence[Reading], dataset: str) -> Figure:
    """ROC of every network, last and best epoch: whole, and its upper left corner."""
    readings = of_dataset(readings, dataset)
    lines = [(each, name) for each in readings for name in each.selections]
    frames = [_points(each, name) for each, name in lines]
    canvas, axes = tiles(2, WIDE, 3.1)
    for (each, name), part in zip(lines, frames, strict=True):
        line = {"color": _ink(readings.index(each)), "linestyle": DASHES[name]}
        line |= {"label": f"{label(each.run.backbone)}, {SELECTIONS[name]}"}
        for ax in axes:
            _curve(ax, part, line)
    reach = min(1.0, 3 * max(_missed(part) for part in frames))
    axes[0].plot([0, 1], [0, 1], color="#8c8c8c", linewidth=0.7, linestyle=":")
    axes[0].set(xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal")
    axes[1].set(xlim=(-0.01 * reach, reach), ylim=(1 - reach, 1 + 0.01 * reach), aspect="equal")
    for ax in axes:
        ax.set_xlabel("women classified as male")
    axes[0].set_ylabel("men classified as male")
    canvas.legend(
        handles=axes[0].get_legend_handles_labels()[0][: len(lines)],
        loc="outside lower center",
        ncols=2,
    )
    caption = (
        f"ROC of gender on the test images of {in_text(dataset)}, whole and its upper left corner. "
        "Dots: decisions with P(male) above one half. Of several seeds the first is shown."
    )
    areas = ", ".join(
        f"{label(each.run.backbone)}, {SELECTIONS[name]} "
        f"{plain(each.interval(name, 'auc').estimate, 4)}"
        for each, name in lines
    )
    return Figure(
        name=f"reading-roc-{dataset}",
        title=f"Gender: ROC, {label(dataset)}",
        caption=caption,
        alt=f"ROC curves. Area under the curve: {areas}.",
        dataset=dataset,
        backbone=None,
        frame=pd.concat(frames, ignore_index=True),
        canvas=canvas,
    )


def _missed(part: pd.DataFrame) -> float:
    """The larger error rate of the decisions at one half, at least 1 %."""
    at = part[part["mark"] == "threshold"].iloc[0]
    return max(0.01, at["false_positive"], 1 - at["true_positive"])


def _accuracy(ax: Axes, row: tuple, y: float, ink: str) -> None:
    """An accuracy at the height y: thick Wilson's interval, thin that over subjects, if any."""
    for low, high, width in ((row.wilson_low, row.wilson_high, 2.4), (row.low, row.high, 0.9)):
        if np.isfinite(low):
            ax.plot([100 * low, 100 * high], [y, y], color=ink, linewidth=width, zorder=2)
    ax.plot(
        100 * row.value,
        y,
        "o",
        color=ink,
        markersize=4.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
        zorder=3,
    )


def by_group(readings: Sequence[Reading], dataset: str) -> Figure:
    """Accuracy on all test images and by gender, age group and race, with both intervals."""
    readings = of_dataset(readings, dataset)
    frames = []
    for each in readings:
        part = each.numbers[
            (each.numbers["metric"] == "accuracy")
            & each.numbers["by"].isin([ALL, *VIEWS])
            & (each.numbers["selection"] == "last")
        ]
        frames.append(part.assign(backbone=each.run.backbone))
    frame = pd.concat(frames, ignore_index=True)
    names = [f"{SHOWN.get(r.by, r.by)} {r.group}".strip() for r in frame.itertuples()]
    frame = frame.assign(name=names)
    order = list(dict.fromkeys(frame["name"]))
    canvas, (ax,) = tiles(1, WIDE, 0.9 + 0.32 * len(order))
    for number, part in enumerate(frames):
        backbone, ink = part["backbone"].iloc[0], _ink(number)
        shift = 0.5 * (number - (len(frames) - 1) / 2) / len(frames)
        for row in frame[frame["backbone"] == backbone].itertuples():
            _accuracy(ax, row, order.index(row.name) + shift, ink)
        ax.plot([], [], "o-", color=ink, label=label(backbone))
    ax.set(yticks=range(len(order)), yticklabels=order, xlabel="accuracy, %")
    ax.set_ylim(len(order) - 0.4, -0.6)
    canvas.legend(loc="outside lower center", ncols=min(len(frames), 4))
    caption = (
        f"Accuracy of gender on the test images of {in_text(dataset)}, last epoch, and on parts of "
        f"them as the data set labels them. Thick: Wilson's interval; thin: {OVER_SUBJECTS}. Of "
        "several seeds the first is shown."
    )
    texts = ", ".join(f"{row.name} {plain(100 * row.value)} %" for row in frame.itertuples())
    return Figure(
        name=f"reading-groups-{dataset}",
        title=f"Gender: accuracy by group, {label(dataset)}",
        caption=caption,
        alt=f"Dot plot of accuracies: {texts}.",
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )
