"""The geometry of alignment: five points of a face, a similarity to a template, one canvas a face.

Template units are those of the five points that ArcFace and its kin align to (112 x 112); the
canvas shows 28 units more on each side.
"""

import cv2
import numpy as np

# the image's left eye, its right eye, nose tip, left and right corner of the mouth (InsightFace)
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
MARGIN = 28
UNITS = 112 + 2 * MARGIN
SIDE = 336
# why an image is left out
NO_FACE = "no face found"


def five_of(landmarks: np.ndarray) -> np.ndarray:
    """The five points among 68 of iBUG, (68, 2) -> (5, 2)."""
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    return np.array([*eyes, landmarks[30], landmarks[48], landmarks[54]], float)


def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The turn, scale and shift, float64 (2, 3), that brings points (n, 2) nearest to the target
    in the sense of least squares; never a reflection.

    Raises ValueError where the points are one point or not finite.
    """
    source, goal = (np.asarray(p, float) @ (1, 1j) for p in (points, target))
    from_, to = source.mean(), goal.mean()
    spread = (abs(source - from_) ** 2).sum()
    if not np.isfinite(spread) or spread < 1e-9:
        raise ValueError("its points are not those of a face")
    turn = (np.conj(source - from_) * (goal - to)).sum() / spread
    shift = to - turn * from_
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (n, 2) through an affine map (2, 3)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def fitted(landmarks: np.ndarray, five: np.ndarray) -> np.ndarray:
    """68 landmarks moved, turned and scaled so that the five points among them come nearest to the
    five of the detector: it places a face better than the small net that finds the landmarks.
    """
    return moved(landmarks, similarity(five_of(landmarks), five))


def to_canvas(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The map (2, 3) from an image to its canvas, by the five points in it."""
    return similarity(points, (TEMPLATE + MARGIN) * (side / UNITS))


def warp(image: np.ndarray, matrix: np.ndarray, side: int = SIDE) -> np.ndarray:
    """uint8 (H, W, 3) or (H, W) -> the canvas; beyond the image its border is repeated.

    An image of more than twice the canvas' resolution is reduced first, by areas.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        size = [max(round(length * 2 * scale), 1) for length in image.shape[1::-1]]
        steps = np.array(image.shape[1::-1]) / size
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        matrix = reduced(matrix, steps)
    return cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def reduced(matrix: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The map for an image reduced by `steps` (x, y); (0, 0) is the centre of the first pixel."""
    linear = matrix[:, :2] * steps
    return np.column_stack([linear, matrix[:, 2] + matrix[:, :2] @ ((steps - 1) / 2)])
