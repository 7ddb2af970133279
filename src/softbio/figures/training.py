"""Training curves."""

import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from softbio.figures.base import WIDE, Figure, NotShown, colour, direct_labels, panels
from softbio.records import KEY, Records, in_order, in_text, label


def curves(records: Records, dataset: str, backbone: str) -> Figure:
    """Loss and validation MAE by epoch, the best validation epoch marked; a thin line a seed."""
    frame = records.histories
    if len(frame):
        frame = frame[
            (frame[["dataset", "backbone", "variant"]] == [dataset, backbone, ""]).all(axis=1)
        ]
    if frame.empty:
        raise NotShown("needs the training history of a run")
    frame = frame.join(records.provenance.set_index(KEY)["best_epoch"], on=KEY)
    validated = frame["valid_mae"].notna().any()
    measure, name = ("valid_mae", "validation") if validated else ("train_mae", "training")
    canvas, axes = panels(2, WIDE, 2.4)
    labels, chosen = [], []
    for method in in_order(frame["method"]):
        part = frame[frame["method"] == method]
        for _, line in part.groupby("seed"):
            axes[0].plot(
                line["epoch"], line["loss"], color=colour(method), linewidth=0.7, alpha=0.8
            )
            axes[1].plot(
                line["epoch"], line[measure], color=colour(method), linewidth=0.7, alpha=0.8
            )
            best = line[line["epoch"] == line["best_epoch"]]
            axes[1].plot(best["epoch"], best[measure], "o", color=colour(method), markersize=4,
                         markeredgecolor="white", markeredgewidth=0.6, zorder=3)  # fmt: skip
            chosen += list(best["epoch"])
        labels.append(
            (label(method), part.groupby("epoch")[measure].mean().iloc[-1], colour(method))
        )
    axes[0].set(xlabel="epoch", ylabel="training loss", yscale="log")
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    axes[1].set(xlabel="epoch", ylabel=f"{name} MAE, years")
    direct_labels(axes[1], labels)
    caption = (
        f"A line a seed, {in_text(dataset)} with {in_text(backbone)}.  Left: training "
        "loss (log "
        "scale; the losses of CE-CNN and of the threshold methods are not comparable). "
        f"Right: {name} MAE"
    )
    caption += (
        "; a dot marks the epoch with the lowest."
        if validated
        else " (there is no validation set)."
    )
    alt = f"Falling curves over {int(frame['epoch'].max())} epochs."
    if chosen:
        alt += f" Best validation epochs lie between {int(min(chosen))} and {int(max(chosen))}."
    shown = [*("method", "seed", "epoch", "loss", "train_mae", "valid_mae", "best_epoch")]
    return Figure(
        f"training-{dataset}-{backbone}", "Training", caption, alt, dataset, backbone,
        pd.DataFrame(frame[shown]), canvas,
    )  # fmt: skip
