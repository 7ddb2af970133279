"""The selectivity matrix as a picture: attributes hidden by attributes read."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from softbio.figures.base import WIDE, Canvas, Figure, NotShown, plain
from softbio.results.formats import in_percent, signed
from softbio.results.labels import in_text
from softbio.results.scores import ORIGINAL

# purple: read worse than before; orange: read better
CHANGES, SHARES = "PuOr", "Greys"
LEAST = 0.1  # the colours span at least ten points, so that noise stays pale


def _numbers(ax: Axes, values: np.ndarray, shown: Sequence[Sequence[str]], limit: float) -> None:
    """The numbers in their cells, white on dark ones."""
    for row, column in np.ndindex(*values.shape):
        dark = abs(values[row, column]) > 0.6 * limit
        ax.text(
            column,
            row,
            shown[row][column],
            ha="center",
            va="center",
            fontsize=7,
            color="white" if dark else "#222222",
        )


def _matrix(ax: Axes, values: np.ndarray, rows: list[str], columns: list[str], **options) -> None:
    ax.imshow(np.ma.masked_invalid(values), aspect="auto", interpolation="nearest", **options)
    ax.set(xticks=range(len(columns)), xticklabels=columns)
    ax.set(yticks=range(len(rows)), yticklabels=rows)
    ax.tick_params(length=0, top=False)
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)


def _tmr(ax: Axes, values: np.ndarray) -> None:
    """TMR of each condition, float (conditions, 1)."""
    _matrix(ax, values, [""] * len(values), ["unseen matchers"], cmap=SHARES, vmin=0, vmax=1.4)
    _numbers(ax, values, [[in_percent(value, 1)] for value in values[:, 0]], 1.4)
    ax.set_title("TMR, %")


def selectivity(frame: pd.DataFrame, dataset: str) -> Figure:
    """Heat map of the change of the balanced error by protection, a row for each condition and a
    column for each attribute, and next to it TMR at FMR 1 %.

    frame: the long form of `tables.selectivity.selectivity`. Raises NotShown where it holds no
    protected condition.
    """
    shown = frame[frame["protector"] != ORIGINAL] if len(frame) else frame
    if shown.empty:
        raise NotShown("needs readers of age or race, or PrivacyNet's conditions")
    rows, columns = (list(dict.fromkeys(shown[name])) for name in ("condition", "read"))
    table = shown.pivot(index="condition", columns="read", values="change")
    values = table.reindex(index=rows, columns=columns).to_numpy(float)
    before = shown.drop_duplicates("read").set_index("read")["before"]
    limit = max(LEAST, float(np.nanmax(np.abs(values), initial=0)))
    names = [f"{name}\n(before {100 * before[name]:.1f} %)" for name in columns]
    canvas = Canvas(figsize=(WIDE, 0.75 + 0.24 * len(rows)))
    widths = {"width_ratios": [len(columns), 0.8]}
    left, right = canvas.subplots(1, 2, squeeze=False, gridspec_kw=widths)[0]
    _matrix(left, values, rows, names, cmap=CHANGES, vmin=-limit, vmax=limit)
    _numbers(left, values, [[signed(100 * value, 1) for value in row] for row in values], limit)
    for row in shown[shown["hidden"]].itertuples():
        place = columns.index(row.read) - 0.46, rows.index(row.condition) - 0.42
        left.add_patch(Rectangle(place, 0.92, 0.84, fill=False, edgecolor="black", linewidth=1.1))
    left.set_title("Change of balanced error, points")
    _tmr(right, shown.drop_duplicates("condition")["tmr"].to_numpy(float)[:, None])
    caption = (
        "Change of the balanced error of reading gender, age and race by protection on test faces "
        f"of {in_text(dataset)}, mean of unseen evaluators, and TMR at FMR 1 % of unseen matchers. "
        "Framed: attributes to be hidden, whose error should rise; the other errors should not "
        "change. Purple: read worse than before; orange: read better. Intervals and evaluators are "
        "in the table."
    )
    texts = "; ".join(
        f"{row.condition}, {row.read}{' (hidden)' if row.hidden else ''} {plain(row.change)}"
        for row in shown.itertuples()
    )
    return Figure(
        name=f"selectivity-{dataset}",
        title="What is hidden, what is kept",
        caption=caption,
        alt=f"Heat map. Changes of balanced error: {texts}.",
        dataset=dataset,
        backbone=None,
        frame=shown,
        canvas=canvas,
    )
