"""Names beside marks, moved so that none lies on another or on a mark."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

# where a name may stand, as shares of its size from the mark: off the axes, along which error bars
# run, then on them, then further away
_TURNS = ((1, 0.5), (1, -0.5), (-1, 0.5), (-1, -0.5), (0, 1), (0, -1), (1, 0), (-1, 0))
_NEAR, _STEP, _RINGS = 4.0, 5.0, 7
# square points of overlap that a step further away is worth
_FAR = 3.0


def _box(x: float, y: float, width: float, height: float, turn: tuple, away: float) -> np.ndarray:
    """left, bottom, right, top of a name in pixels."""
    across, up = turn
    centre = x + across * (away + width / 2), y + up * (away + height / 2)
    half = width / 2, height / 2
    return np.array(
        [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]]
    )


def overlap(box: np.ndarray, others: np.ndarray) -> float:
    """Area that a box (4,) shares with others (N, 4); left, bottom, right, top."""
    if not len(others):
        return 0.0
    across = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    up = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return float((np.clip(across, 0, None) * np.clip(up, 0, None)).sum())


def places(
    points: np.ndarray, sizes: np.ndarray, inside: np.ndarray, taken: np.ndarray, scale: float = 1.0
) -> np.ndarray:
    """Boxes of names (N, 4) beside points (N, 2), sizes (N, 2), all in pixels: the nearest place
    that is free of names and of `taken` boxes (M, 4), inside (4,); the least bad one where none is.

    scale: pixels a point of print. The most crowded names choose first.
    """
    distance = np.abs(points[:, None] - points[None]).sum(axis=2)
    crowd = (distance < 40 * scale).sum(axis=1)
    found = np.zeros((len(points), 4))
    blocked = [*taken]
    for place in np.argsort(-crowd, kind="stable"):
        options = [
            _box(*points[place], *sizes[place], turn, scale * (_NEAR + ring * _STEP))
            for ring in range(_RINGS)
            for turn in _TURNS
        ]
        far = _FAR * scale**2 * np.repeat(np.arange(_RINGS), len(_TURNS))
        costs = far + [overlap(o, np.array(blocked)) + _outside(o, inside) for o in options]
        found[place] = options[int(np.argmin(np.round(costs, 3)))]
        blocked.append(found[place])
    return found


def _outside(box: np.ndarray, inside: np.ndarray) -> float:
    """Area of a box beyond the limits, counted tenfold."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return 10 * max(0.0, area - overlap(box, inside[None]))


def beside(
    ax: Axes,
    xs: Sequence[float],
    ys: Sequence[float],
    texts: Sequence[str],
    inks: Sequence[str],
    taken: np.ndarray,
    size: float = 6,
) -> None:
    """Write texts beside marks (data units) on a laid-out canvas, with a thin line to a mark that
    is far; taken: boxes (M, 4) in pixels that stay free, such as error bars."""
    canvas = ax.figure
    scale = canvas.dpi / 72
    drawn = [
        ax.text(0, 0, text, fontsize=size, color=ink) for text, ink in zip(texts, inks, strict=True)
    ]
    extents = [text.get_window_extent() for text in drawn]
    sizes = np.array([[each.width, each.height] for each in extents])
    points = ax.transData.transform(np.column_stack([xs, ys]))
    frame = ax.get_window_extent()
    limits = np.array([frame.x0, frame.y0, frame.x1, frame.y1])
    boxes = places(points, sizes, limits, taken, scale)
    back = ax.transData.inverted()
    for text, box, point in zip(drawn, boxes, points, strict=True):
        text.set_position(back.transform(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)))
        text.set(ha="center", va="center_baseline")
        nearest = np.clip(point, box[:2], box[2:])
        if np.hypot(*(nearest - point)) > 8 * scale:
            line = back.transform([point, nearest])
            ax.plot(*line.T, color=text.get_color(), linewidth=0.4, alpha=0.7, zorder=2)
