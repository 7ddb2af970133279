"""Smooth curves through points, and shapes moved and mirrored."""

from functools import lru_cache

import numpy as np

MIRROR = np.array([-1.0, 1.0])


@lru_cache(maxsize=128)
def _basis(points: int, steps: int, closed: bool) -> np.ndarray:
    """Catmull-Rom weights: float64 (samples, points)."""
    spans = points if closed else points - 1
    weights = np.zeros((spans * steps + (0 if closed else 1), points))
    for row in range(len(weights)):
        span = min(row // steps, spans - 1)
        t = row / steps - span
        four = (
            0.5 * (-t + 2 * t**2 - t**3),
            0.5 * (2 - 5 * t**2 + 3 * t**3),
            0.5 * (t + 4 * t**2 - 3 * t**3),
            0.5 * (t**3 - t**2),
        )
        for at, weight in zip(range(span - 1, span + 3), four, strict=True):
            weights[row, at % points if closed else min(max(at, 0), points - 1)] += weight
    return weights


def smooth(points, steps: int = 6, closed: bool = False) -> np.ndarray:
    """A Catmull-Rom curve through `points` (n, 2), `steps` samples a span, ends included."""
    points = np.asarray(points, float)
    return _basis(len(points), steps, closed) @ points


def both(shape) -> np.ndarray:
    """`shape` (n, 2) and its mirror image, (2, n, 2)."""
    out = np.array([shape, shape], float)
    out[1, :, 0] *= -1
    return out


def moved(shape, x: float, y: float) -> np.ndarray:
    """`shape` (..., 2) moved by (x, y)."""
    return np.add(shape, (x, y))


def along(curve: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Points of `curve` (n, 2) at shares `places` 0..1 of its length in samples, (..., 2)."""
    at = np.clip(places, 0, 1) * (len(curve) - 1.0001)
    low = at.astype(np.intp)
    part = (at - low)[..., None]
    return curve[low] * (1 - part) + curve[low + 1] * part
