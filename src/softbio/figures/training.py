"""Training curves."""

import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import WIDE, Figure, NotShown, colour, direct_labels, panels, plain_log
from softbio.results.labels import in_order, in_text
from softbio.results.records import KEY, Records


def _history(records: Records, dataset: str, backbone: str) -> pd.DataFrame:
    """Epochs of the unweighted runs with their best epoch."""
    frame = records.histories
    if len(frame):
        same = frame[["dataset", "backbone", "variant"]] == [dataset, backbone, ""]
        frame = frame[same.all(axis=1)]
    if frame.empty:
        raise NotShown("needs the training history of a run")
    return frame.join(records.provenance.set_index(KEY)["best_epoch"], on=KEY)


def _draw(axes: list[Axes], part: pd.DataFrame, measure: str, ink: str) -> None:
    """The seeds of one method: loss at the left, `measure` at the right, best epochs dotted."""
    thin = {"color": ink, "linewidth": 0.7, "alpha": 0.8}
    for _, line in part.groupby("seed"):
        axes[0].plot(line["epoch"], line["loss"], **thin)
        axes[1].plot(line["epoch"], line[measure], **thin)
    best = part[part["epoch"] == part["best_epoch"]]
    axes[1].plot(
        best["epoch"],
        best[measure],
        "o",
        color=ink,
        markersize=4,
        markeredgecolor="white",
        markeredgewidth=0.6,
        zorder=3,
    )


def curves(records: Records, dataset: str, backbone: str) -> Figure:
    """Loss and validation MAE by epoch, the best validation epoch marked; a thin line for each
    seed."""
    frame = _history(records, dataset, backbone)
    validated = frame["valid_mae"].notna().any()
    measure, name = ("valid_mae", "validation") if validated else ("train_mae", "training")
    canvas, axes = panels(2, WIDE, 2.4)
    labels = []
    for method in in_order(frame["method"]):
        part = frame[frame["method"] == method]
        _draw(axes, part, measure, colour(method))
        end = part.groupby("epoch")[measure].mean().iloc[-1]
        labels.append((records.title(method), end, colour(method)))
    axes[0].set(xlabel="epoch", ylabel="training loss", yscale="log")
    plain_log(axes[0].yaxis)
    axes[1].set(xlabel="epoch", ylabel=f"{name} MAE, years")
    direct_labels(axes[1], labels)
    caption = (
        f"Training on {in_text(dataset)} with {in_text(backbone)}, one line for each seed. Left: "
        "loss (log scale; losses of different methods are not comparable). Right: "
    )
    marked = "; a dot marks the epoch with the lowest" if validated else " (no validation set)"
    alt = f"Falling curves over {int(frame['epoch'].max())} epochs."
    chosen = frame.loc[frame["epoch"] == frame["best_epoch"], "epoch"]
    if len(chosen):
        alt += f" Best validation epochs lie between {chosen.min()} and {chosen.max()}."
    shown = ["method", "seed", "epoch", "loss", "train_mae", "valid_mae", "best_epoch"]
    return Figure(
        name=f"training-{dataset}-{backbone}",
        title="Training",
        caption=f"{caption}{name} MAE{marked}.",
        alt=alt,
        dataset=dataset,
        backbone=backbone,
        frame=frame[shown],
        canvas=canvas,
    )
