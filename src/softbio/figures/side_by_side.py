"""One plane for all systems: what each hides against what it keeps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from softbio.figures.base import (
    GREY,
    OKABE_ITO,
    WIDE,
    Canvas,
    Figure,
    NotShown,
    colour,
    panels,
    plain,
)
from softbio.figures.curves import by_strength
from softbio.figures.labels import beside
from softbio.hiding.load import NONE
from softbio.hiding.seeds import OVER_BOTH
from softbio.hiding.side_by_side import Line, SideBySide
from softbio.hiding.systems import SYSTEMS
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.labels import in_text
from softbio.results.names import joined

# the ink and the mark of each family; another one's ink is by its name, its mark a plus
INKS = {
    NONE: OKABE_ITO[6], "san": OKABE_ITO[1], "ensemble": OKABE_ITO[0], "flowsan": OKABE_ITO[2],
    "privacynet": OKABE_ITO[3], "mixing": "#882255", "gradient_sign": OKABE_ITO[4],
    "blur": OKABE_ITO[5], "pixelation": GREY,
}  # fmt: skip
MARKS = {NONE: "o", "san": "^", "ensemble": "s", "flowsan": "D", "privacynet": "*",
         "mixing": "v", "gradient_sign": "X", "blur": "h", "pixelation": "p"}  # fmt: skip
EQUAL = 0.5
# smaller differences of an EER and the turned one are not seen
TURNED = 0.005


def _ink(protector: str) -> str:
    return INKS.get(protector) or colour(protector)


def _frame(lines: Sequence[Line], efficient: frozenset[str]) -> pd.DataFrame:
    """A row a mark."""
    rows = []
    for line in lines:
        row = {"condition": line.name, "protector": line.protector, "mode": line.mode,
               "family": line.family, "label": line.detail, "seeds": len(line.seeds)}  # fmt: skip
        for name, value in (("tmr", line.mean_tmr), ("turned", line.folded)):
            row |= {name: value.estimate, f"{name}_low": value.low, f"{name}_high": value.high}
        row |= {"eer": line.mean_eer.estimate, "efficient": line.name in efficient}
        rows.append(row)
    return pd.DataFrame(rows)


def _joined_up(ax: Axes, frame: pd.DataFrame) -> None:
    """Lines through a protector of several strengths, in their order, from the originals on."""
    before = frame[frame["protector"] == NONE]
    for protector, part in frame[frame["protector"] != NONE].groupby("protector", sort=False):
        line = by_strength(part)
        if len(part) < 2 or line is None:
            continue
        line = pd.concat([before, line])
        ax.plot(line["tmr"], line["turned"], color=_ink(protector), linewidth=0.9, alpha=0.55,
                zorder=2)  # fmt: skip


def _marks(ax: Axes, frame: pd.DataFrame) -> None:
    for row in frame.itertuples():
        ink = _ink(row.protector)
        reach = [[[row.tmr - row.tmr_low], [row.tmr_high - row.tmr]],
                 [[row.turned - row.turned_low], [row.turned_high - row.turned]]]  # fmt: skip
        ax.errorbar(row.tmr, row.turned, reach[1], reach[0], fmt="none", ecolor=ink,
                    elinewidth=0.6, capsize=0, alpha=0.5, zorder=1)  # fmt: skip
        size = 7 if MARKS.get(row.protector) == "*" else 5
        ax.plot(row.tmr, row.turned, MARKS.get(row.protector, "P"), color=ink, markersize=size,
                markeredgecolor="white", markeredgewidth=0.5, zorder=4)  # fmt: skip
        if row.efficient:
            ax.plot(row.tmr, row.turned, "o", markersize=8.5, markerfacecolor="none",
                    markeredgecolor="#222222", markeredgewidth=0.8, zorder=3)  # fmt: skip
        if row.eer - row.turned > TURNED:
            ax.plot(row.tmr, row.eer, MARKS.get(row.protector, "P"), markersize=size - 1,
                    markerfacecolor="white", markeredgecolor=ink, markeredgewidth=0.7,
                    zorder=3)  # fmt: skip
            ax.plot([row.tmr] * 2, [row.turned, row.eer], color=ink, linewidth=0.6,
                    linestyle=":", zorder=1)  # fmt: skip


def _taken(ax: Axes, frame: pd.DataFrame) -> np.ndarray:
    """Boxes of marks and error bars, in pixels: a name lies on none of them if it can."""
    point = ax.figure.dpi / 72
    hollow = frame[frame["eer"] - frame["turned"] > TURNED]
    spans = [(hollow, "tmr", "tmr", "eer", "eer", 3.2),
             (frame, "tmr", "tmr", "turned", "turned", 3.2),
             (frame, "tmr_low", "tmr_high", "turned", "turned", 0.4),
             (frame, "tmr", "tmr", "turned_low", "turned_high", 0.4)]  # fmt: skip
    boxes = []
    for rows, left, right, low, high, half in spans:
        corners = [ax.transData.transform(rows[list(names)].to_numpy(float).reshape(-1, 2))
                   for names in ((left, low), (right, high))]  # fmt: skip
        boxes.append(np.hstack([corners[0] - half * point, corners[1] + half * point]))
    return np.concatenate(boxes)


def _legend(canvas: Canvas, frame: pd.DataFrame) -> None:
    families = frame.drop_duplicates("protector")
    handles = [
        Line2D([], [], color=_ink(row.protector), marker=MARKS.get(row.protector, "P"),
               linestyle="", markersize=5, label=row.family)
        for row in families.itertuples()
    ]  # fmt: skip
    handles.append(Line2D([], [], color="#222222", marker="o", markerfacecolor="none",
                          linestyle="", markersize=8, label="efficient"))  # fmt: skip
    if (frame["eer"] - frame["turned"] > TURNED).any():
        handles.append(Line2D([], [], color=GREY, marker="o", markerfacecolor="white",
                              linestyle="", markersize=4.5, label="EER as it is"))  # fmt: skip
    canvas.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))


def _limits(ax: Axes, frame: pd.DataFrame, top: str = "eer") -> None:
    """Room for all marks; error bars that reach further are cut."""
    high = max(frame[top].max(), frame["turned_high"].clip(upper=EQUAL).max())
    low = min(frame["turned"].min(), frame["turned_low"].quantile(0.1))
    left = min(frame["tmr"].min(), frame["tmr_low"].quantile(0.1))
    right = min(1.0, max(frame["tmr"].max(), frame["tmr_high"].quantile(0.9)))
    room = 0.06 * (high - low), 0.06 * (right - left)
    ax.set_ylim(max(0.0, low - room[0]), high + 1.5 * room[0])
    ax.set_xlim(left - room[1], right + room[1])


def _crowd(frame: pd.DataFrame) -> pd.DataFrame:
    """Before and the family of SAN where these are drawn apart: they crowd on less than half of the
    plane's width. Else nothing."""
    family = frame[frame["protector"].isin([NONE, *SYSTEMS])]
    width = np.ptp(frame["tmr"])
    return family if len(family) > 4 and np.ptp(family["tmr"]) < width / 2 else frame[:0]


def _name(ax: Axes, frame: pd.DataFrame, named: pd.DataFrame) -> None:
    names = [row.label or row.family for row in named.itertuples()]
    inks = [_ink(protector) for protector in named["protector"]]
    beside(ax, named["tmr"], named["turned"], names, inks, _taken(ax, frame))


def together(shown: SideBySide | None, dataset: str) -> Figure:
    """All conditions on one plane, TMR against EER with intervals; the family of SAN once more at a
    larger scale where it crowds in a corner.

    Raises NotShown where fewer than two protectors have both numbers.
    """
    lines = shown.known if shown else []
    if len({line.protector for line in lines} - {NONE}) < 2:
        raise NotShown(
            "needs two protectors with scores of all unseen classifiers, and of an unseen matcher "
            "whose TMR at FMR 1 % is at least 50 % before protection"
        )
    frame = _frame(lines, shown.efficient)
    crowd = _crowd(frame)
    canvas, axes = panels(1 + bool(len(crowd)), WIDE, 3.9)
    drawn = [(axes[0], frame)]
    _limits(axes[0], frame)
    if len(crowd):
        _limits(axes[1], crowd, "turned")
        inside = _inside(axes[1], frame)
        drawn = [(axes[0], frame[~inside]), (axes[1], frame[inside])]
        _outline(axes[0], axes[1])
        axes[1].set_title("The frame, enlarged")
    for ax in axes:
        _joined_up(ax, frame)
        _marks(ax, frame)
        if ax.get_ylim()[1] > EQUAL:
            ax.axhline(EQUAL, color="#8c8c8c", linewidth=0.8, linestyle=":", zorder=1)
        ax.set_xlabel("TMR at FMR 1 %, mean of unseen matchers")
    axes[0].set_ylabel("EER of gender, mean of unseen classifiers")
    _legend(canvas, frame)
    canvas.draw_without_rendering()
    for ax, named in drawn:
        _name(ax, frame, named)
    return Figure(
        f"side-by-side-{dataset}", "Side by side: what is hidden, and what is kept",
        _caption(shown, frame, dataset), _alt(frame), dataset, None, frame, canvas,
    )  # fmt: skip


def _inside(ax: Axes, frame: pd.DataFrame) -> pd.Series:
    """Which marks lie within the limits."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    return frame["tmr"].between(left, right) & frame["turned"].between(low, high)


def _outline(ax: Axes, part: Axes) -> None:
    """Where the enlarged part lies."""
    (left, right), (low, high) = part.get_xlim(), part.get_ylim()
    ax.add_patch(Rectangle((left, low), right - left, high - low, fill=False, linewidth=0.6,
                           edgecolor="#8c8c8c", zorder=1))  # fmt: skip


def _caption(shown: SideBySide, frame: pd.DataFrame, dataset: str) -> str:
    hollow = (
        " Hollow: the mean EER as it is, where classifiers are inverted."
        if (frame["eer"] - frame["turned"] > TURNED).any()
        else ""
    )
    enlarged = "; the frame is drawn again beside it" if len(_crowd(frame)) else ""
    return (
        f"All conditions on {in_text(dataset)}, means over seeds: TMR at FMR 1 % of "
        f"{joined(list(shown.heard))} against the EER of {joined(list(shown.classifiers))}, each "
        "EER above 50 % counted as the one as far below it, for decisions can be inverted; "
        f"none of these was used in training. The best corner is the upper right"
        f"{enlarged}.{hollow} Lines: "
        "strengths or stages of one protector in their order, from the originals on. Ringed: "
        "efficient, no other condition has as high an EER and as high a TMR, by the means. Bars: "
        f"{OVER_BOTH if shown.several else OVER_SUBJECTS}; a comparison is weighted by the draws "
        "of both its subjects."
    )


def _alt(frame: pd.DataFrame) -> str:
    texts = "; ".join(
        f"{row.condition} EER {plain(row.turned)}, TMR {plain(row.tmr)}"
        for row in frame.itertuples()
    )
    return f"Plane of marks with error bars both ways: {texts}."
