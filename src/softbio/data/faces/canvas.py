"""The unposed head as a picture: skin colour and relief on one square grid, painted with OpenCV."""

from abc import ABC, abstractmethod
from functools import lru_cache

import cv2
import numpy as np

SIDE = 3.7  # head units across the canvas
ORIGIN = np.array([-1.85, -2.02])  # its upper left corner
FRACTION_BITS = 4
FURROW_DEPTH = np.float32(0.05)
FURROW_DARK = 0.36
INK = (0.76, 0.84, 0.86)  # share of red, green and blue that full ink takes away
Window = tuple[slice, slice]


class Painter(ABC):
    """Paints shapes given in head units into colour planes.

    planes: float32 (3, n, n) RGB; per_unit: pixels a head unit.
    """

    def __init__(self, planes: np.ndarray, per_unit: float):
        self.planes = planes
        self.n = planes.shape[1]
        self.per_unit = per_unit

    @abstractmethod
    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head units (..., 2) -> pixels; pixel centres are at integers."""

    def mask(self, shapes, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """Anti-aliased inside of polygons, blurred by `soft` head units: window, float32 0..1."""
        paths, window, image = self._sheet(self.paths(shapes), 2.5 * soft)
        cv2.fillPoly(image, paths, 255, cv2.LINE_AA, FRACTION_BITS)
        return window, self._soften(image, soft)

    def stroke_mask(self, lines, width: float, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """Anti-aliased polylines, blurred by `soft` head units: window, float32 0..1."""
        paths, window, image = self._sheet(self.paths(lines), width / 2 + 2.5 * soft)
        self.draw(image, paths, width, 255)
        return window, self._soften(image, soft)

    def etch(self, layer: np.ndarray, lines, width: float, strength: float) -> None:
        """Draw polylines of grey `strength` (0..1) into a uint8 (n, n) layer."""
        self.draw(layer, self.paths(lines), width, int(255 * min(strength, 1.0)))

    def stamp(self, layer: np.ndarray, shapes, strength: float) -> None:
        """Draw filled polygons of grey `strength` (0..1) into a uint8 (n, n) layer."""
        value = int(255 * min(strength, 1.0))
        cv2.fillPoly(layer, self.paths(shapes), value, cv2.LINE_AA, FRACTION_BITS)

    def paths(self, shapes, window: Window | None = None) -> list[np.ndarray]:
        """Fixed-point pixels of one shape (points, 2) or of several, from the window's corner."""
        corner = (window[1].start, window[0].start) if window else (0, 0)
        if isinstance(shapes, np.ndarray):
            at = fixed(self.pixels(shapes) - np.array(corner))
            return list(at.reshape(-1, *shapes.shape[-2:]))
        return [path for shape in shapes for path in self.paths(shape, window)]

    def draw(self, image: np.ndarray, paths: list[np.ndarray], width: float, value: int) -> None:
        """Draw fixed-point polylines into a grey image; what is thinner than a pixel is fainter."""
        thick = width * self.per_unit
        value = int(value * min(max(thick, 0.4), 1))
        thick = max(1, round(thick))
        cv2.polylines(image, paths, False, value, thick, cv2.LINE_AA, FRACTION_BITS)

    def fill(self, shapes, colour, alpha: float = 1.0, soft: float = 0.0) -> None:
        """Paint polygons."""
        self.blend(*self.mask(shapes, soft), colour, alpha)

    def stroke(self, lines, colour, width: float, alpha: float = 1.0, soft: float = 0.0) -> None:
        """Paint polylines."""
        self.blend(*self.stroke_mask(lines, width, soft), colour, alpha)

    def blend(self, window: Window, mask: np.ndarray, colour, alpha: float = 1.0) -> None:
        """Mix `colour` (RGB, or planes (3, height, width)) into the planes."""
        mask = mask * np.float32(alpha) if alpha != 1 else mask
        for plane, value in zip(self.planes, colour, strict=True):
            part = plane[window]
            part += (np.asarray(value, np.float32) - part) * mask

    def _sheet(self, paths: list[np.ndarray], margin: float):
        """`paths` moved into a window round them, that window, and a black image of its size."""
        at = paths[0] if len(paths) == 1 else np.concatenate(paths)
        left, top, width, height = cv2.boundingRect(at[:, None])
        edge = (2 << FRACTION_BITS) + int(margin * self.per_unit * 2**FRACTION_BITS)
        x0 = _within((left - edge) >> FRACTION_BITS, 0, self.n - 2)
        y0 = _within((top - edge) >> FRACTION_BITS, 0, self.n - 2)
        x1 = _within((left + width + edge) >> FRACTION_BITS, x0 + 2, self.n)
        y1 = _within((top + height + edge) >> FRACTION_BITS, y0 + 2, self.n)
        for path in paths:
            path -= (x0 << FRACTION_BITS, y0 << FRACTION_BITS)
        return paths, (slice(y0, y1), slice(x0, x1)), np.zeros((y1 - y0, x1 - x0), np.uint8)

    def _soften(self, image: np.ndarray, soft: float) -> np.ndarray:
        sigma = soft * self.per_unit
        if sigma > 0.3:
            image = blurred(image, sigma)
        return image * np.float32(1 / 255)


class Canvas(Painter):
    """The unposed head over n x n pixels.

    Beside the colour planes: relief, float32 (n, n), head units; alpha, float32 (n, n); furrows and
    ink, uint8 (n, n): what `press` will carve into the relief, and darken.
    """

    def __init__(self, n: int):
        super().__init__(np.empty((3, n, n), np.float32), n / SIDE)
        self.xs, self.ys = axes(n)
        self.relief = np.zeros((n, n), np.float32)
        self.alpha = np.zeros((n, n), np.float32)
        self.furrows = np.zeros((n, n), np.uint8)
        self.ink = np.zeros((n, n), np.uint8)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head units (..., 2) -> canvas pixels; pixel centres are at integers."""
        return (np.asarray(points) - ORIGIN) * self.per_unit - 0.5

    def press(self) -> None:
        """Carve the furrows, darken furrows and ink."""
        furrows = cv2.GaussianBlur(self.furrows, (5, 5), 0.016 * self.per_unit)
        furrows = furrows * np.float32(1 / 255)
        self.relief -= FURROW_DEPTH * furrows
        ink = cv2.GaussianBlur(self.ink, (3, 3), 0.009 * self.per_unit)
        ink = ink * np.float32(1 / 255)
        for plane, share in zip(self.planes, INK, strict=True):
            kept = cv2.addWeighted(furrows, -FURROW_DARK, ink, -share, 1)
            plane *= np.maximum(kept, np.float32(0.08), out=kept)

    def hatch(self, shapes, strength: float, hairs, width: float, dense: float, colour) -> None:
        """Paint soft polygons at `strength` with hairs on them at `dense` (each 0..1)."""
        shapes, hairs = self.paths(shapes), self.paths(hairs)
        paths, window, image = self._sheet([*shapes, *hairs], 0.04)
        cv2.fillPoly(image, paths[: len(shapes)], int(255 * strength), cv2.LINE_AA, FRACTION_BITS)
        self.draw(image, paths[len(shapes) :], width, int(255 * dense))
        self.blend(window, self._soften(image, 0.012), colour)

    def raise_(self, shapes, height: float, soft: float) -> None:
        """Lift the relief inside polygons."""
        window, mask = self.mask(shapes, soft)
        self.relief[window] += np.float32(height) * mask

    def cover(self, window: Window, mask: np.ndarray) -> None:
        """Make the head opaque where `mask` is."""
        part = self.alpha[window]
        np.maximum(part, mask, out=part)


def axes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Head coordinates x and y of the pixel centres of a canvas with n x n pixels, float32."""
    along = (np.arange(n, dtype=np.float32) + 0.5) * np.float32(SIDE / n)
    return along + np.float32(ORIGIN[0]), along + np.float32(ORIGIN[1])


def _within(value: float, low: int, high: int) -> int:
    return min(max(int(value), low), high)


def fixed(pixels: np.ndarray) -> np.ndarray:
    """Pixels as the fixed-point int32 that OpenCV draws from."""
    return np.rint(pixels * 2**FRACTION_BITS).astype(np.int32)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; wide ones are done on a smaller copy, which is many times faster."""
    shrink = min(int(sigma / 1.5), 8, min(image.shape[:2]) // 4)
    if shrink < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    height, width = image.shape[:2]
    small = cv2.resize(
        image, (max(width // shrink, 2), max(height // shrink, 2)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=4)
def noise(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two fixed tiles of skin texture, float32 (2n, 2n), zero mean, sd 1: pores and blotches."""
    rng = np.random.default_rng(20191114)
    tiles = []
    for grain in (n / 300, n / 60):
        white = rng.normal(size=(2 * n, 2 * n)).astype(np.float32)
        tile = cv2.GaussianBlur(white, (0, 0), grain)
        tiles.append(tile / tile.std())
    return tiles[0], tiles[1]
