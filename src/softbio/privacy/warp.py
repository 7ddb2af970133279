"""Piecewise affine warps between sets of landmarks, over Delaunay triangles.

Coordinates are x, y in pixels, (0, 0) the centre of the upper left pixel. OpenCV and SciPy are
imported where they are used: the engine itself runs without them.
"""

import numpy as np

from softbio.errors import UserError

LANDMARKS = 68


def with_border(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Landmarks (L, 2) inside the image, and its corners and middles of the sides: (L + 8, 2)."""
    last = size - 1
    ends = (0, last / 2, last)
    border = [(x, y) for y in ends for x in ends if (x, y) != (last / 2, last / 2)]
    # A point on the border would take the place of one that must not move.
    inside = np.clip(np.asarray(landmarks, np.float64), 0.5, last - 0.5)
    return np.concatenate([inside, np.array(border, np.float64)])


def landmarks_px(row: np.ndarray, size: int) -> np.ndarray:
    """Landmarks of an index's row, (136,) fractions of the side, as float64 (68, 2) pixels.

    Those of drawn faces were counted from a pixel's centre at 128 px: at 64 px they lie 0.25 px too
    far to the right and below, all alike, which no warp between two faces sees. Raises UserError
    where there are none.
    """
    if row is None or len(row) != 2 * LANDMARKS or not np.isfinite(row).all():
        raise UserError("a face has no 68 landmarks; align the data set, or choose 'global'")
    return np.asarray(row, np.float64).reshape(LANDMARKS, 2) * size


def maps(source: np.ndarray, target: np.ndarray, size: int) -> np.ndarray:
    """For each pixel of the target shape the place in the source it comes from: float32 (S, S, 2).

    source, target: (P, 2) points that correspond, target's spanning the image. The triangles are
    those of the target, so each pixel lies in one of them, whatever the source's shape.
    """
    from scipy.spatial import Delaunay

    triangles = Delaunay(target)
    y, x = np.mgrid[:size, :size]
    pixels = np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float64)
    inside = triangles.find_simplex(pixels)
    # the first two barycentric coordinates, as SciPy documents `transform`
    to_corner = triangles.transform[inside]
    two = np.einsum("pij,pj->pi", to_corner[:, :2], pixels - to_corner[:, 2])
    weights = np.concatenate([two, 1 - two.sum(1, keepdims=True)], axis=1)
    places = np.einsum("pc,pcd->pd", weights, source[triangles.simplices[inside]])
    return places.reshape(size, size, 2).astype(np.float32)


def warped(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """An image (S, S) or (S, S, C), uint8 or float32, taken at `places` of `maps`; bilinear."""
    import cv2

    x, y = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
