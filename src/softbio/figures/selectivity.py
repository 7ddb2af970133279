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

# purple: read less well than before; orange: better
CHANGES, SHARES = "PuOr", "Greys"
LEAST = 0.1  # the colours span ten points or more, so that noise stays pale


def _numbers(ax: Axes, values: np.ndarray, shown: Sequence[Sequence[str]], limit: float) -> None:
    """The numbers in their cells, white on dark ones."""
    for row, column in np.ndindex(*values.shape):
        dark = abs(values[row, column]) > 0.6 * limit
        colour = "white" if dark else "#222222"
        text = shown[row][column]
        ax.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)


def _matrix(ax: Axes, values: np.ndarray, rows: list[str], columns: list[str], **options) -> None:
    ax.imshow(np.ma.masked_invalid(values), aspect="auto", interpolation="nearest", **options)
    ax.set(xticks=range(len(columns)), xticklabels=columns)
    ax.set(yticks=range(len(rows)), yticklabels=rows)
    ax.tick_params(length=0, top=False)
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)


def selectivity(frame: pd.DataFrame, dataset: str) -> Figure:
    """Heat map of what protection adds to the balanced error, a row a condition and a column an
    attribute, and beside it TMR at FMR 1 %.

    frame: the long form of `tables.selectivity.selectivity`. Raises NotShown where it holds no
    protected condition.
    """
    shown = frame[frame["protector"] != ORIGINAL] if len(frame) else frame
    if shown.empty:
        raise NotShown("needs readers of age or race, or PrivacyNet's conditions")
    rows, columns = (list(dict.fromkeys(shown[name])) for name in ("condition", "read"))
    table = shown.pivot(index="condition", columns="read", values="change")
    values = table.reindex(index=rows, columns=columns).to_numpy(float)
    tmr = shown.drop_duplicates("condition")["tmr"].to_numpy(float)[:, None]
    before = shown.drop_duplicates("read").set_index("read")["before"]
    limit = max(LEAST, float(np.nanmax(np.abs(values), initial=0)))
    canvas = Canvas(figsize=(WIDE, 0.75 + 0.24 * len(rows)))
    left, right = canvas.subplots(1, 2, gridspec_kw={"width_ratios": [len(columns), 0.8]})
    names = [f"{name}\n(before {in_percent(before[name], 1)} %)" for name in columns]
    _matrix(left, values, rows, names, cmap=CHANGES, vmin=-limit, vmax=limit)
    _numbers(left, values, [[signed(100 * value, 1) for value in row] for row in values], limit)
    for row in shown[shown["hidden"]].itertuples():
        place = columns.index(row.read) - 0.46, rows.index(row.condition) - 0.42
        left.add_patch(Rectangle(place, 0.92, 0.84, fill=False, edgecolor="black", linewidth=1.1))
    left.set_title("Balanced error minus that before, points")
    _matrix(right, tmr, [""] * len(rows), ["unseen matchers"], cmap=SHARES, vmin=0, vmax=1.4)
    texts = [[in_percent(value, 1)] for value in tmr[:, 0]]
    _numbers(right, tmr, texts, 1.4)
    right.set_title("TMR, %")
    caption = (
        f"What protection adds to the balanced error of reading gender, age and race on test faces "
        f"of {in_text(dataset)}, mean of unseen evaluators, and TMR at FMR 1 % of unseen matchers; "
        "of both, those that are able on clean faces. Framed: attributes that are to be hidden, "
        "where the error should rise; elsewhere it should stay. Purple: read less well than "
        "before. Intervals, what they are over, and who judges: in the table."
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
