"""What figures of scores share: an ink for each condition, thinned curves, a common legend."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from softbio.figures.base import OKABE_ITO, Canvas
from softbio.metrics.classification import errors_at, roc
from softbio.results.conditions import condition, strength_of
from softbio.results.scores import ORIGINAL

# a mode has the same ink in all figures; line styles distinguish them without colour
_INKS = {"sm": OKABE_ITO[0], "nt": OKABE_ITO[4], "op": OKABE_ITO[1]}
_DASHES = {"sm": "-", "nt": (0, (5, 1.5)), "op": (0, (4, 1.2, 1, 1.2))}
_OTHERS = [OKABE_ITO[2], OKABE_ITO[3], "#882255", OKABE_ITO[5]]
BLACK = OKABE_ITO[6]
POINTS = 250


def inks(items: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Line properties of each condition among these score files, by its printed name.

    If one protector has modes, each mode has its own ink, and black is before protection; if
    several have, each protector has an ink and each mode its dashes.
    """
    abouts = [item.about for item in items]
    with_modes = dict.fromkeys(a.protector for a in abouts if a.mode in _INKS)
    others = dict.fromkeys(a.protector for a in abouts if a.protector != ORIGINAL)
    if len(with_modes) == 1:
        others.pop(next(iter(with_modes)))
    ink_of = {name: _OTHERS[i % len(_OTHERS)] for i, name in enumerate(others)}
    found = {}
    for about in abouts:
        colour = ink_of.get(about.protector) or _INKS.get(about.mode, BLACK)
        style = {"color": colour, "linestyle": _DASHES.get(about.mode, "-")}
        if about.protector == ORIGINAL:
            style = {"color": BLACK, "linestyle": "-", "linewidth": 1.8}
        elif about.protector not in with_modes:
            style["linestyle"] = (0, (1, 1))
        found[condition(about)] = {"linewidth": 1.3} | style
    return found


def legend(canvas: Canvas, styles: dict[str, dict[str, Any]]) -> None:
    """Write the names of all conditions below the panels; the canvas grows for them."""
    handles = [Line2D([], [], label=name, **style) for name, style in styles.items()]
    rows = -(-len(handles) // int(canvas.get_figwidth() / 1.1))
    columns = -(-len(handles) // rows)
    canvas.set_figheight(canvas.get_figheight() + 0.18 * (rows - 1))
    canvas.legend(handles=handles, loc="outside lower center", ncols=columns)


def fewer(x: np.ndarray, y: np.ndarray, limit: int = POINTS) -> np.ndarray:
    """Indices of at most `limit` points of a monotone curve, evenly spaced along its path, with
    both ends; x, y float (T,) as drawn, on axes of comparable length."""
    if len(x) <= limit:
        return np.arange(len(x))
    path = np.r_[0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    wanted = np.linspace(0, path[-1], limit)
    places = np.minimum(np.searchsorted(path, wanted), len(x) - 1)
    return np.unique(np.r_[0, places, len(x) - 1])


def roc_points(scores: np.ndarray, labels: np.ndarray, threshold: float) -> pd.DataFrame:
    """One row for each drawn point of the ROC curve, mark "curve", and one for the decisions at a
    threshold, mark "threshold": false_positive and true_positive, rates. scores float (N,), labels
    int (N,), 1 positive."""
    found, at = roc(scores, labels), errors_at(scores, labels, threshold)
    kept = fewer(found.false_positive, found.false_negative)
    return pd.DataFrame(
        {
            "false_positive": [*found.false_positive[kept], at.false_positive],
            "true_positive": [*1 - found.false_negative[kept], 1 - at.false_negative],
            "mark": ["curve"] * len(kept) + ["threshold"],
        }
    )


def chance(ax: Axes, line: Callable[[np.ndarray], np.ndarray], xs: np.ndarray) -> None:
    """Draw the curve of scores without information."""
    ax.plot(xs, line(xs), color="#8c8c8c", linewidth=0.7, linestyle=":", zorder=1)


def by_strength(part: pd.DataFrame) -> pd.DataFrame | None:
    """Rows of one protector, with columns protector and mode, by rising strength of protection;
    None where a mode is no strength."""
    strengths = part["mode"].map(strength_of)
    if strengths.isna().any():
        return None
    line = part.iloc[np.argsort(strengths.to_numpy(float), kind="stable")]
    # of face mixing a smaller number protects more
    return line[::-1] if (line["protector"] == "mixing").all() else line
