"""Names next to marks, placed so that none covers another name or a mark."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

# places of a name, as shares of its size from the mark: first diagonal, because error bars are
# parallel to the axes, then parallel to them
_TURNS = ((1, 0.5), (1, -0.5), (-1, 0.5), (-1, -0.5), (0, 1), (0, -1), (1, 0), (-1, 0))
_NEAR, _STEP, _RINGS = 4.0, 5.0, 7
# a step further away costs as much as this overlap, in square points
_FAR = 3.0


def _box(x: float, y: float, width: float, height: float, turn: tuple, away: float) -> np.ndarray:
    """The box of a name in pixels: left, bottom, right, top."""
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
    """Boxes (N, 4) for names of sizes (N, 2) next to points (N, 2), all in pixels.

    Each name gets the nearest place within `inside` (4,) without overlap with other names and the
    boxes `taken` (M, 4), or the place with the least overlap. scale: pixels per point of print.
    Names with the closest neighbours are placed first.
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
    """Ten times the area of a box that lies outside the limits."""
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
    """Write texts next to marks (data units) on a canvas after its layout, with a thin line to a
    mark that is far; taken: boxes (M, 4) in pixels to keep free, such as error bars."""
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
