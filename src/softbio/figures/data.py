"""Figures of a data set: its labels and the importance weights that follow from them."""

import numpy as np
import pandas as pd

from softbio.figures.base import (
    NARROW,
    OKABE_ITO,
    WIDE,
    Canvas,
    Figure,
    NotShown,
    panels,
    plain,
    whole_ticks,
)
from softbio.importance import importance_weights
from softbio.records import Card, in_text


def labels(card: Card, dataset: str) -> Figure:
    """Images by age, one panel a split."""
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
    return Figure(f"labels-{dataset}", title, caption, alt, dataset, None, frame, canvas)


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
    top.text(thresholds[0], 0.711, "lower bound √½", fontsize=6.5, color="#555555", va="bottom")
    below.bar(np.arange(card.ages[0], card.ages[1] + 1), counts, width=0.9, color="#8c8c8c")
    below.set(xlabel="age threshold of the task", ylabel="training\nimages")
    below.grid(axis="x", visible=False)
    whole_ticks(below.xaxis)
    lowest = int(weights.argmin())
    frame = pd.DataFrame({"threshold_age": thresholds, "weight": weights})
    caption = (
        f"Task importance weights of {in_text(dataset)} by Eq. 7 of arXiv:1901.07884v3, from the "
        "training labels underneath: the task 'older than this age?' weighs least "
        "where it splits the training set in halves."
    )
    alt = (
        f"A curve that falls from {plain(weights[0])} at age {thresholds[0]} to "
        f"{plain(weights[lowest], 3)} at age {thresholds[lowest]} and rises to "
        f"{plain(weights[-1])} at age {thresholds[-1]}."
    )
    title = f"Importance weights of {in_text(dataset)}"
    return Figure(f"importance-{dataset}", title, caption, alt, dataset, None, frame, canvas)
