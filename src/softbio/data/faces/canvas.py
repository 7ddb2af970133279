"""The unposed head as a picture: skin colour and relief on one square grid, painted with OpenCV."""

from functools import lru_cache

import cv2
import numpy as np

SIDE = 3.4  # head units across the canvas
ORIGIN = np.array([-1.7, -1.92])  # its upper left corner
FRACTION_BITS = 4
Window = tuple[slice, slice]


class Painter:
    """Paints shapes given in head units into colour planes.

    planes: float32 (3, n, n) RGB; per_unit: pixels a head unit.
    """

    def __init__(self, planes: np.ndarray, per_unit: float):
        self.planes = planes
        self.n = planes.shape[1]
        self.per_unit = per_unit

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head units (..., 2) -> pixels; pixel centres are at integers."""
        raise NotImplementedError

    def mask(self, shapes, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """Anti-aliased inside of polygons, blurred by `soft` head units: window, float32 0..1."""
        paths, window, image = self._sheet(shapes, 2.5 * soft)
        cv2.fillPoly(image, paths, 255, cv2.LINE_AA, FRACTION_BITS)
        return window, self._soften(image, soft)

    def stroke_mask(self, lines, width: float, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """Anti-aliased polylines, blurred by `soft` head units: window, float32 0..1."""
        paths, window, image = self._sheet(lines, width / 2 + 2.5 * soft)
        self.draw(image, paths, width, 255)
        return window, self._soften(image, soft)

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

    def _sheet(self, shapes, margin: float) -> tuple[list[np.ndarray], Window, np.ndarray]:
        """Fixed-point paths of `shapes`, the window round them, and a black grey image of its size.

        shapes: one shape (points, 2), shapes of equal length (n, points, 2), or a list of shapes.
        """
        if isinstance(shapes, np.ndarray):
            points = shapes.reshape(-1, 2)
        else:
            points = np.concatenate(shapes)
        at = fixed(self.pixels(points))
        left, top, width, height = cv2.boundingRect(at[:, None])
        edge = (2 << FRACTION_BITS) + int(margin * self.per_unit * 2**FRACTION_BITS)
        x0 = _within((left - edge) >> FRACTION_BITS, 0, self.n - 2)
        y0 = _within((top - edge) >> FRACTION_BITS, 0, self.n - 2)
        x1 = _within((left + width + edge) >> FRACTION_BITS, x0 + 2, self.n)
        y1 = _within((top + height + edge) >> FRACTION_BITS, y0 + 2, self.n)
        at -= (x0 << FRACTION_BITS, y0 << FRACTION_BITS)
        if isinstance(shapes, np.ndarray):
            paths = list(at.reshape(-1, *shapes.shape[-2:]))
        else:
            ends = np.cumsum([len(shape) for shape in shapes])[:-1]
            paths = np.split(at, ends)
        return paths, (slice(y0, y1), slice(x0, x1)), np.zeros((y1 - y0, x1 - x0), np.uint8)

    def _soften(self, image: np.ndarray, soft: float) -> np.ndarray:
        sigma = soft * self.per_unit
        if sigma > 0.3:
            image = blurred(image, sigma)
        return image * np.float32(1 / 255)


class Canvas(Painter):
    """The unposed head over n x n pixels: colour planes, and float32 (n, n) relief and alpha.

    Relief is in head units.
    """

    def __init__(self, n: int):
        super().__init__(np.empty((3, n, n), np.float32), n / SIDE)
        self.xs, self.ys = axes(n)
        self.relief = np.zeros((n, n), np.float32)
        self.alpha = np.zeros((n, n), np.float32)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head units (..., 2) -> canvas pixels; pixel centres are at integers."""
        return (np.asarray(points) - ORIGIN) * self.per_unit - 0.5

    def carve(self, lines, width: float, depth: float, soft: float, dark: float = 0.0) -> None:
        """Furrow the relief along polylines, and darken the colour there by the share `dark`."""
        window, mask = self.stroke_mask(lines, width, soft)
        self.relief[window] -= np.float32(depth) * mask
        if dark:
            self.planes[:, *window] *= 1 - np.float32(dark) * mask

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
    """Two fixed tiles of skin texture, float32 (n, n), zero mean: pores and blotches."""
    rng = np.random.default_rng(20191114)
    pores = cv2.GaussianBlur(rng.normal(size=(n, n)).astype(np.float32), (0, 0), n / 300)
    blotches = cv2.GaussianBlur(rng.normal(size=(n, n)).astype(np.float32), (0, 0), n / 60)
    return pores / pores.std(), blotches / blotches.std()
