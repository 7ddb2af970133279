"""Figures of rank consistency: the probabilities of one image, counts, the order of the biases."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import (
    MARK,
    NARROW,
    WIDE,
    Figure,
    NotShown,
    colour,
    panels,
    plain,
    whole_ticks,
)
from softbio.metrics.ordinal import TOLERANCE
from softbio.results.labels import in_text
from softbio.results.records import KEY, Predictions, Records
from softbio.results.run import Run


def rises(probabilities: np.ndarray) -> np.ndarray:
    """Where P(y > k+1) exceeds P(y > k): bool (n, K-2)."""
    return np.diff(probabilities, axis=1) > TOLERANCE


def _exceedance(
    records: Records, dataset: str, backbone: str
) -> dict[str, list[tuple[Run, Predictions]]]:
    """method -> its runs and predictions; methods that predict P(y > k) only."""
    found: dict[str, list[tuple[Run, Predictions]]] = {}
    for run in records.select(dataset, backbone):
        predictions = records.predictions(run)
        if predictions.kind == "exceedance" and len(predictions.frame):
            found.setdefault(run.method, []).append((run, predictions))
    if "orcnn" not in found or "coral" not in found:
        raise NotShown("needs runs of OR-CNN and of CORAL-CNN")
    return found


def _panel(
    ax: Axes, ages: np.ndarray, p: np.ndarray, row: pd.Series, first_age: int, ink: str
) -> int:
    """One method's probabilities of the image; returns how many inconsistencies are marked."""
    wrong = np.flatnonzero(rises(p[None])[0]) + 1
    ax.plot(ages, p, "o-", color=ink, markersize=2.6)
    ax.plot(
        ages[wrong],
        p[wrong],
        "X",
        color=MARK,
        markersize=5.5,
        markeredgecolor="white",
        markeredgewidth=0.5,
    )
    ax.axhline(0.5, color="#6b6b6b", linewidth=0.8, linestyle=":")
    ax.axvline(first_age + row["label"], color="#6b6b6b", linewidth=0.8)
    whole_ticks(ax.xaxis)
    ax.set(xlabel="age r", ylim=(-0.04, 1.04))
    return len(wrong)


def probabilities(records: Records, dataset: str, backbone: str) -> Figure:
    """P(age > r) of one test image by OR-CNN and CORAL-CNN (the talk's Figure S2)."""
    found = _exceedance(records, dataset, backbone)
    (run, niu), (_, coral) = found["orcnn"][0], found["coral"][0]
    counts = pd.Series(rises(niu.probabilities).sum(1))
    order = pd.DataFrame({"n": -counts, "image": niu.frame["image"]}).sort_values(["n", "image"])
    chosen = order.index[0]
    name = niu.frame.loc[chosen, "image"]
    other = coral.frame.index[coral.frame["image"] == name][0]
    canvas, axes = panels(2, WIDE, 2.4, sharey=True)
    marked, rows = {}, []
    for ax, method, part, row in zip(
        axes, ("orcnn", "coral"), (niu, coral), (chosen, other), strict=True
    ):
        p = part.probabilities[row]
        ages = part.first_age + np.arange(len(p))
        line = part.frame.loc[row]
        marked[method] = _panel(ax, ages, p, line, part.first_age, colour(method))
        ages_of = [part.first_age + line[field] for field in ("prediction", "label")]
        title = "{}: predicts {}, true age {}".format(records.title(method), *ages_of)
        ax.set_title(title)
        rows += [(method, name, int(a), float(v)) for a, v in zip(ages, p, strict=True)]
    axes[0].set_ylabel("P(age > r)")
    caption = (
        f"P(age > r) of one test image of {in_text(dataset)}, {in_text(backbone)}, seed "
        f"{run.seed}, last epoch. Crosses mark rank inconsistencies: probabilities that exceed the "
        f"one at the threshold before by more than 1e-5. The image ({name}) is the one with the "
        "most inconsistencies by OR-CNN at the first seed, ties by name. Vertical line: true age; "
        "dotted: the decision at 0.5."
    )
    alt = (
        f"Two falling curves. OR-CNN has {marked['orcnn']} marked inconsistencies, CORAL-CNN "
        f"{marked['coral']}. True age {niu.first_age + niu.frame.loc[chosen, 'label']}."
    )
    frame = pd.DataFrame(rows, columns=["method", "image", "age", "probability"])
    title = "Predicted probabilities of one image"
    return Figure(
        name=f"probabilities-{dataset}-{backbone}",
        title=title,
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=backbone,
        frame=frame,
        canvas=canvas,
    )


def inconsistencies(records: Records, dataset: str, backbone: str) -> Figure:
    """The number of inconsistencies of an image, by method."""
    found = _exceedance(records, dataset, backbone)
    counts = {m: [rises(p.probabilities).sum(1) for _, p in runs] for m, runs in found.items()}
    most = max(int(c.max()) for several in counts.values() for c in several)
    bins = np.arange(most + 2)
    canvas, (ax,) = panels(1, NARROW, 2.3)
    width, rows = 0.8 / len(counts), []
    for i, (method, several) in enumerate(counts.items()):
        shares = np.array([np.histogram(c, bins)[0] / len(c) for c in several])
        spread = shares.std(axis=0, ddof=1) if len(shares) > 1 else None
        where = bins[:-1] + (i - (len(counts) - 1) / 2) * width
        ax.bar(
            where,
            shares.mean(0),
            width,
            yerr=spread,
            color=colour(method),
            label=records.title(method),
            error_kw={"elinewidth": 0.8},
        )
        rows += [
            (method, run.seed, int(n), float(s))
            for (run, _), line in zip(found[method], shares, strict=True)
            for n, s in zip(bins[:-1], line, strict=True)
        ]
    ax.set(xlabel="rank inconsistencies of an image", ylabel="share of test images", ylim=(0, None))
    whole_ticks(ax.xaxis)
    ax.grid(axis="x", visible=False)
    ax.legend()
    means = {m: np.mean([c.mean() for c in several]) for m, several in counts.items()}
    caption = (
        f"Rank inconsistencies an image over the test set of {in_text(dataset)}, "
        f"{in_text(backbone)}, last epoch. Bars: mean over seeds; error bars: sample SD over seeds."
    )
    alt = "Bar chart. Mean inconsistencies an image: " + ", ".join(
        f"{records.title(m)} {plain(v)}" for m, v in means.items()
    )
    frame = pd.DataFrame(rows, columns=["method", "seed", "inconsistencies", "share"])
    return Figure(
        name=f"inconsistencies-{dataset}-{backbone}",
        title="Rank inconsistencies",
        caption=caption,
        alt=alt + ".",
        dataset=dataset,
        backbone=backbone,
        frame=frame,
        canvas=canvas,
    )


def bias_order(records: Records, dataset: str, backbone: str) -> Figure:
    """Neighbouring CORAL biases out of order, by epoch (Theorem 1)."""
    frame = records.histories
    if "bias_inversions" in frame:
        frame = frame[
            (frame["dataset"] == dataset)
            & (frame["backbone"] == backbone)
            & (frame["method"] == "coral")
            & (frame["variant"] == "")
        ].dropna(subset="bias_inversions")
    if frame.empty or "bias_inversions" not in frame:
        raise NotShown("needs the training history of CORAL-CNN")
    canvas, (ax,) = panels(1, NARROW, 2.1)
    ordered = {}
    for seed, part in frame.groupby("seed"):
        ax.plot(
            part["epoch"], part["bias_inversions"], color=colour("coral"), linewidth=0.9, alpha=0.8
        )
        done = part.loc[part["bias_inversions"] == 0, "epoch"]
        if len(done):
            ordered[seed] = int(done.iloc[0])
            ax.plot(done.iloc[0], 0, "v", color=MARK, markersize=5, clip_on=False, zorder=3)
    top = max(1.0, 1.05 * frame["bias_inversions"].max())
    ax.set(xlabel="epoch", ylabel="inversions of the biases", ylim=(-0.05 * top, top))
    whole_ticks(ax.yaxis)
    whole_ticks(ax.xaxis)
    start = _start(records, dataset, backbone)
    caption = (
        f"Thresholds k with b(k+1) > b(k) in CORAL-CNN after each epoch, {in_text(dataset)}, "
        f"{in_text(backbone)}, one line for each seed; triangles mark the first epoch with all "
        "biases in order. Theorem 1 guarantees the order at the optimum, not during training. "
        "Initial biases: "
        f"{start}."
    )
    firsts = ", ".join(f"seed {s}: epoch {e}" for s, e in ordered.items()) or "never"
    alt = f"Inversions by epoch. First epoch with ordered biases: {firsts}."
    return Figure(
        name=f"biases-{dataset}-{backbone}",
        title="Order of the biases",
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=backbone,
        frame=frame[["seed", "epoch", "bias_inversions"]],
        canvas=canvas,
    )


def _start(records: Records, dataset: str, backbone: str) -> str:
    frame = records.provenance
    same = frame[(frame[KEY[:3]] == [dataset, backbone, "coral"]).all(axis=1)]
    return ", ".join(dict.fromkeys(same["recipe.bias"])) if len(same) else "not recorded"
