"""Smooth curves through points, and mirrored shapes."""

from functools import lru_cache

import numpy as np

MIRROR = np.array([-1.0, 1.0])


@lru_cache(maxsize=128)
def _basis(points: int, steps: int, closed: bool) -> np.ndarray:
    """Catmull-Rom weights: float64 (samples, points)."""
    spans = points if closed else points - 1
    weights = np.zeros((spans * steps + (0 if closed else 1), points))
    for row in range(len(weights)):
        span, t = min(row // steps, spans - 1), row / steps
        t -= span
        four = 0.5 * np.array(
            [
                -t + 2 * t * t - t**3,
                2 - 5 * t * t + 3 * t**3,
                t + 4 * t * t - 3 * t**3,
                -t * t + t**3,
            ]
        )
        for offset, weight in zip((-1, 0, 1, 2), four, strict=True):
            at = span + offset
            weights[row, at % points if closed else min(max(at, 0), points - 1)] += weight
    return weights


def smooth(points: np.ndarray, steps: int = 6, closed: bool = False) -> np.ndarray:
    """A Catmull-Rom curve through `points` (n, 2), `steps` samples a span, ends included."""
    points = np.asarray(points, float)
    return _basis(len(points), steps, closed) @ points


def both(shape: np.ndarray) -> np.ndarray:
    """`shape` (n, 2) and its mirror image, (2, n, 2)."""
    return np.stack([shape, shape * MIRROR])
