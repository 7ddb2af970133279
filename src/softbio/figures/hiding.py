"""Example faces with what classifiers make of them, and what attackers recover."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import (
    WIDE,
    Canvas,
    Figure,
    NotShown,
    plain,
    tiles,
)
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.labels import in_text
from softbio.results.names import joined

WORST, ZERO = "worst", "zero_effort"


@dataclass(frozen=True)
class Example:
    """One face: its subject, its true gender, and the condition it is shown in.

    pixels: uint8 (S, S, 3) RGB; readings: printed name of a classifier -> its P(male).
    """

    image: str
    subject: str
    gender: str
    condition: str
    pixels: np.ndarray
    readings: Mapping[str, float]


def _frame(examples: Sequence[Example]) -> pd.DataFrame:
    rows = []
    for each in examples:
        keys = {"image": each.image, "subject": each.subject, "gender": each.gender}
        keys |= {"condition": each.condition}
        rows += [keys | {"classifier": n, "p_male": v} for n, v in each.readings.items()] or [keys]
    return pd.DataFrame(rows)


def _cell(ax: Axes, each: Example) -> None:
    ax.imshow(each.pixels, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    text = "  ".join(f"{value:.2f}".removeprefix("0") for value in each.readings.values())
    ax.set_xlabel(text, fontsize=6.5, labelpad=2)


def examples(
    found: Sequence[Example],
    dataset: str,
    name: str = "examples",
    title: str = "Faces before and after protection",
) -> Figure:
    """A row a condition and a column a subject, with P(male) of each classifier below each face.

    Raises NotShown without faces.
    """
    if not found:
        raise NotShown("needs protected faces of test subjects with scores")
    rows = list(dict.fromkeys(each.condition for each in found))
    columns = list(dict.fromkeys((each.subject, each.gender) for each in found))
    side = min(1.0, (WIDE - 0.9) / len(columns))
    canvas = Canvas(figsize=(0.9 + side * len(columns), (side + 0.16) * len(rows) + 0.25))
    axes = canvas.subplots(len(rows), len(columns), squeeze=False)
    canvas.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    for ax in axes.ravel():
        ax.set_axis_off()
    for each in found:
        ax = axes[rows.index(each.condition), columns.index((each.subject, each.gender))]
        ax.set_axis_on()
        _cell(ax, each)
    for ax, row in zip(axes[:, 0], rows, strict=True):
        ax.set_ylabel(textwrap.fill(row, 13), rotation=0, ha="right", va="center", fontsize=7)
    for ax, (_, gender) in zip(axes[0], columns, strict=True):
        ax.set_title(gender, fontsize=7, loc="center", pad=3)
    classifiers = list(dict.fromkeys(name for each in found for name in each.readings))
    caption = (
        f"Test faces of {in_text(dataset)}, one image a subject, the first by name of each gender; "
        "what they went through is beside each row. Below each face P(male) by "
        f"{joined(classifiers)}, in this order. Few faces show what "
        "protection looks like, not how well it works."
    )
    alt = (
        f"{len(rows)} rows of {len(columns)} faces: {', '.join(rows)}. Columns: "
        f"{', '.join(gender for _, gender in columns)}."
    )
    return Figure(f"{name}-{dataset}", title, caption, alt, dataset, None, _frame(found), canvas)


def _dots(ax: Axes, part: pd.DataFrame, order: Sequence[str], styles: Mapping[str, str]) -> None:
    """Separations with intervals, a line of the axis an attack, conditions side by side."""
    names = list(styles)
    for row in part.itertuples():
        shift = 0.5 * (names.index(row.condition) - (len(names) - 1) / 2) / max(len(names), 1)
        y = order.index(row.title) + shift
        reach = [[row.separation - row.separation_low], [row.separation_high - row.separation]]
        ax.errorbar(row.separation, y, xerr=reach, marker="D" if row.attack == WORST else "o",
                    color=styles[row.condition], markersize=3.6, linewidth=0.9, capsize=0,
                    zorder=3)  # fmt: skip


def attacks(frame: pd.DataFrame, dataset: str, inks: Mapping[str, dict]) -> Figure:
    """Separation of each attack, conditions in their inks.

    frame: the long form of `tables.hiding.attacks_table`; inks: line properties of its conditions,
    as of `curves.inks`. Raises NotShown where the frame is empty.
    """
    if frame.empty:
        raise NotShown("needs attacks")
    order = list(dict.fromkeys(frame["title"][frame["attack"] == ZERO]))
    middle = frame[~frame["attack"].isin([ZERO, WORST])]
    order += sorted(dict.fromkeys(middle["title"]), key=list(middle["title"]).index)
    order += list(dict.fromkeys(frame["title"][frame["attack"] == WORST]))
    conditions = list(dict.fromkeys(frame["condition"]))
    styles = {name: inks[name]["color"] for name in conditions}
    height = 0.9 + len(order) * max(0.24, 0.085 * len(conditions))
    canvas, (ax,) = tiles(1, WIDE, height)
    _dots(ax, frame, order, styles)
    ax.axvline(0.5, color="#8c8c8c", linewidth=0.8, linestyle=":", zorder=1)
    ax.set(yticks=range(len(order)), yticklabels=order, xlabel="max(AUC, 1 − AUC)")
    ax.set(ylim=(len(order) - 0.4, -0.6), xlim=(min(0.48, frame["separation"].min()), 1.01))
    handles = [
        ax.plot([], [], "o-", color=ink, markersize=3.6, linewidth=0.9, label=name)[0]
        for name, ink in styles.items()
    ]
    canvas.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))
    caption = (
        f"How well attackers read the gender of protected test faces of {in_text(dataset)} and, in "
        "the rows of detection, whether a face is protected; dotted line: no information. Zero "
        "effort: the best without knowledge of the protection; diamonds: the best of all attacks "
        f"and of zero effort. {OVER_SUBJECTS}."
    )
    worst = frame[frame["attack"] == WORST]
    texts = "; ".join(f"{row.condition} {plain(row.separation)}" for row in worst.itertuples())
    return Figure(
        f"attacks-{dataset}", "What an attacker who knows the method recovers", caption,
        f"Dot plot of separations. Worst case: {texts}.", dataset, None, frame, canvas,
    )  # fmt: skip
