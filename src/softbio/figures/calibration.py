"""Reliability of the predicted P(age > r), a panel a method."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from softbio.figures.base import WIDE, Canvas, Figure, NotShown, colour, plain
from softbio.metrics.calibration import BINS, exceedance, reliability
from softbio.records import Records, in_text, label
from softbio.tables.errors import by_method

COLUMNS = 4
EDGES = np.linspace(0, 1, BINS + 1)


def _bins(records: Records, dataset: str, backbone: str) -> pd.DataFrame:
    """One row a method, seed and bin of methods with probabilities."""
    rows = []
    for method, runs in by_method(records.select(dataset, backbone)).items():
        for run in runs:
            part = records.predictions(run)
            if part.kind == "point" or part.frame.empty:
                continue
            above = exceedance(part.probabilities, part.kind)
            found = reliability(part.frame["label"].to_numpy(np.int64), above)
            columns = zip(EDGES, found.predicted, found.observed, found.count, strict=False)
            rows += [(method, run.seed, *values) for values in columns]
    names = ["method", "seed", "bin_from", "predicted", "observed", "pairs"]
    return pd.DataFrame(rows, columns=names)


def _panel(ax: Axes, below: Axes, part: pd.DataFrame, method: str) -> None:
    """Observed against predicted, a line a seed, and the pairs of each bin underneath."""
    ink = colour(method)
    ax.plot([0, 1], [0, 1], "--", color="#444444", linewidth=0.7)
    for _, line in part.groupby("seed"):
        filled = line.dropna()
        ax.plot(filled["predicted"], filled["observed"], "o-", color=ink, linewidth=0.9,
                markersize=2.4, alpha=0.8)  # fmt: skip
    ax.set(title=label(method), xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    ax.tick_params(labelbottom=False)
    pairs = part.groupby("bin_from")["pairs"].mean()
    below.bar(pairs.index + 0.5 / BINS, pairs, width=0.9 / BINS, color="#8c8c8c")
    below.set(xlim=(0, 1), xticks=[0, 0.5, 1], yscale="log")
    below.yaxis.set_major_locator(LogLocator(numticks=3))
    below.yaxis.set_minor_locator(NullLocator())
    below.grid(axis="x", visible=False)


def reliability_of_exceedance(records: Records, dataset: str, backbone: str) -> Figure:
    """Observed share of age > r against the predicted P(age > r), all thresholds together."""
    frame = _bins(records, dataset, backbone)
    if frame.empty:
        raise NotShown("needs predictions with probabilities")
    methods = list(dict.fromkeys(frame["method"]))
    across = min(COLUMNS, len(methods))
    down = -(-len(methods) // across)
    canvas = Canvas(figsize=(min(WIDE, 0.6 + 1.6 * across), 2.3 * down))
    axes = canvas.subplots(2 * down, across, squeeze=False, height_ratios=[3, 1] * down)
    for place in range(down * across):
        row, column = divmod(place, across)
        ax, below = axes[2 * row, column], axes[2 * row + 1, column]
        if place >= len(methods):
            ax.remove()
            below.remove()
            continue
        method = methods[place]
        _panel(ax, below, frame[frame["method"] == method], method)
        below.set_xlabel("predicted")
        if column == 0:
            ax.set_ylabel("observed")
            below.set_ylabel("pairs")
        else:
            ax.tick_params(labelleft=False)
            below.tick_params(labelleft=False)
    caption = (
        f"Share of images with age > r among those given P(age > r), against that probability, in "
        f"ten bins over all images and thresholds r of the test set of {in_text(dataset)}, "
        f"{in_text(backbone)}, last epoch; a line a seed. Dashed: calibrated. Below the line is "
        "who predicts ages too high, above it too low; an S lying flatter than the line is "
        "overconfident. Bars: pairs of image and threshold in a bin (log scale, mean over seeds). "
        "Probabilities are taken as predicted, also where they rise with r."
    )
    gaps = (frame["observed"] - frame["predicted"]).abs().groupby(frame["method"], sort=False).max()
    texts = ", ".join(f"{label(method)} {plain(gap)}" for method, gap in gaps.items())
    return Figure(
        f"reliability-{dataset}-{backbone}", "Reliability of P(age > r)", caption,
        f"Curves around the diagonal. Largest distance from it in a bin: {texts}.", dataset,
        backbone, frame, canvas,
    )  # fmt: skip
