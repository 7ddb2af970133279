"""Differences between methods with their intervals."""

import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import GREY, WIDE, Figure, NotShown, panels, plain
from softbio.results.labels import in_text
from softbio.results.names import Names
from softbio.statistics.contests import Pair, Statistics
from softbio.statistics.means import Interval

INK, PALE = "#1d2329", "#9aa0a6"


def _draw(ax: Axes, pair: Pair, y: int) -> None:
    """Thick: over test images; thin: over seeds too; filled where separated."""
    ink = INK if pair.separated else PALE
    for interval, width in ((pair.total, 0.9), (pair.images, 3.2)):
        if interval is not None:
            ax.plot(
                [interval.low, interval.high],
                [y, y],
                color=ink,
                linewidth=width,
                solid_capstyle="butt",
            )
    face = ink if pair.separated else "white"
    ax.plot(pair.images.estimate, y, "o", color=ink, markersize=5, markerfacecolor=face, zorder=3)


def _text(interval: Interval) -> str:
    return f"{plain(interval.estimate)} ({plain(interval.low)} to {plain(interval.high)})"


def differences(statistics: Statistics, dataset: str, backbone: str, names: Names) -> Figure:
    """Every pair of methods, last epoch: difference of MAE with both intervals; names: of the
    methods."""
    found = statistics.between(dataset, backbone)
    if not found:
        raise NotShown("needs two methods")
    canvas, (ax,) = panels(1, WIDE, 0.75 + 0.3 * len(found))
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    for y, pair in enumerate(found):
        _draw(ax, pair, -y)
    ax.set(xlabel="difference of test MAE, years", ylim=(0.5 - len(found), 0.5))
    titles = [f"{names.title(p.a)} − {names.title(p.b)}" for p in found]
    ax.set_yticks([-y for y in range(len(found))], titles)
    ax.grid(axis="y", visible=False)
    units = "subjects" if found[0].by_subject else "images"
    caption = (
        f"Differences of test MAE on {in_text(dataset)} with {in_text(backbone)}, last epoch, "
        f"decoded as published. Thick: 95 % interval over test {units}; thin: over seeds and test "
        f"{units}. Filled dot and dark lines: separated by the rule of the table."
    )
    texts = [
        f"{names.title(p.a)} minus {names.title(p.b)} {_text(p.total or p.images)}" for p in found
    ]
    rows = [
        {
            "a": p.a,
            "b": p.b,
            "difference": p.images.estimate,
            "images_low": p.images.low,
            "images_high": p.images.high,
            "both_low": p.total and p.total.low,
            "both_high": p.total and p.total.high,
            "separated": p.separated,
        }
        for p in found
    ]
    return Figure(
        name=f"differences-{dataset}-{backbone}",
        title="Differences between methods",
        caption=caption,
        alt="; ".join(texts) + ".",
        dataset=dataset,
        backbone=backbone,
        frame=pd.DataFrame(rows),
        canvas=canvas,
    )
