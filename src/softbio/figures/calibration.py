"""Reliability of the predicted P(age > r), one panel for each method."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from softbio.figures.base import WIDE, Canvas, Figure, NotShown, colour, plain
from softbio.metrics.calibration import BINS, exceedance, reliability
from softbio.results.labels import in_text
from softbio.results.names import Names
from softbio.results.records import Records, by_method

TICKS = [0, 0.5, 1]
EDGES = np.linspace(0, 1, BINS + 1)


def _bins(records: Records, dataset: str, backbone: str) -> pd.DataFrame:
    """One row for each method, seed and bin of methods with probabilities."""
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


def _curves(ax: Axes, part: pd.DataFrame, method: str, title: str) -> None:
    """Observed against predicted, a line for each seed."""
    ax.plot([0, 1], [0, 1], "--", color="#444444", linewidth=0.7)
    for _, line in part.dropna().groupby("seed"):
        ax.plot(
            line["predicted"],
            line["observed"],
            "o-",
            color=colour(method),
            linewidth=0.9,
            markersize=2.4,
            alpha=0.8,
        )
    ax.set(title=title, xlim=(0, 1), ylim=(0, 1), xticks=TICKS, yticks=TICKS)
    ax.tick_params(labelbottom=False)


def _counts(ax: Axes, part: pd.DataFrame, scale: tuple[float, float]) -> None:
    """Pairs of image and threshold in each bin, on the scale that all panels share."""
    pairs = part.groupby("bin_from")["pairs"].mean()
    ax.bar(pairs.index + 0.5 / BINS, pairs, width=0.9 / BINS, color="#8c8c8c")
    ax.set(xlim=(0, 1), xticks=TICKS, yscale="log", ylim=scale, xlabel="predicted")
    ax.yaxis.set_major_locator(LogLocator(numticks=4))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="x", visible=False)


def _draw(frame: pd.DataFrame, names: Names) -> Canvas:
    """A panel for each method, at most four in a row, with the counts below."""
    methods = list(dict.fromkeys(frame["method"]))
    across = min(4, len(methods))
    down = -(-len(methods) // across)
    canvas = Canvas(figsize=(min(WIDE, 0.6 + 1.6 * across), 2.3 * down))
    axes = canvas.subplots(2 * down, across, squeeze=False, height_ratios=[3, 1] * down)
    counts = frame.groupby(["method", "bin_from"])["pairs"].mean()
    scale = (0.5 * max(counts.min(), 1), 2 * counts.max())
    for place in range(down * across):
        row, column = divmod(place, across)
        ax, below = axes[2 * row : 2 * row + 2, column]
        if place >= len(methods):
            ax.remove()
            below.remove()
            continue
        part = frame[frame["method"] == methods[place]]
        _curves(ax, part, methods[place], names.title(methods[place]))
        _counts(below, part, scale)
        if column == 0:
            ax.set_ylabel("observed")
            below.set_ylabel("pairs")
        else:
            for inner in (ax, below):
                inner.tick_params(labelleft=False)
    return canvas


def reliability_of_exceedance(records: Records, dataset: str, backbone: str) -> Figure:
    """Observed share of age > r against the predicted P(age > r), all thresholds together."""
    frame = _bins(records, dataset, backbone)
    if frame.empty:
        raise NotShown("needs predictions with probabilities")
    caption = (
        "Observed share of age > r against the predicted P(age > r), in ten bins over all images "
        f"and thresholds r of the test set of {in_text(dataset)}, {in_text(backbone)}, last epoch; "
        "one line for each seed. Dashed: calibrated. A curve above it: ages predicted too low; "
        "below it: too high; flatter than it: overconfident. Bars: pairs of image and threshold in "
        "a bin (log scale, mean over seeds). Probabilities are used as predicted, also where they "
        "rise with r."
    )
    gaps = (frame["observed"] - frame["predicted"]).abs().groupby(frame["method"], sort=False).max()
    texts = ", ".join(f"{records.title(method)} {plain(gap)}" for method, gap in gaps.items())
    return Figure(
        name=f"reliability-{dataset}-{backbone}",
        title="Reliability of P(age > r)",
        caption=caption,
        alt=f"Curves around the diagonal. Largest distance from it in a bin: {texts}.",
        dataset=dataset,
        backbone=backbone,
        frame=frame,
        canvas=_draw(frame, records.names),
    )
