"""YuNet, the face detector of OpenCV: boxes and five points."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from softbio.evaluators.registry import EvaluatorSpec

CONFIDENCE = 0.6
# What the shorter side is brought to, px. At LFW's own 250 the points lie a tenth of the eyes'
# distance from dlib's landmarks; at 500 a quarter less, for 8 ms more.
SMALLEST = 500
LARGEST = 1280

Detector = Callable[[np.ndarray], np.ndarray | None]


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> Detector:
    """A detector: uint8 (H, W, 3) RGB -> float64 (5, 2), x, y in pixels of the eye on the image's
    left, that on its right, the nose tip, and the corners of the mouth from left to right; None
    where it finds no face. Not for two threads at once.

    Of several faces the one that holds the image's centre counts, the largest of those; where none
    holds it, the largest. Raises ValueError for a file that is no such net.
    """
    # it warns at every start that its new engine takes no target, which was not asked for
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        net = cv2.FaceDetectorYN.create(str(files["weights"]), "", (320, 320), CONFIDENCE)
    except cv2.error as error:
        raise ValueError(" ".join(str(error).split())) from None

    def detect(image: np.ndarray) -> np.ndarray | None:
        height, width = image.shape[:2]
        scale = max(1.0, SMALLEST / min(height, width))
        scale = min(scale, LARGEST / max(height, width))
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        bgr = np.ascontiguousarray(image[..., ::-1])
        net.setInputSize(size)
        _, faces = net.detect(cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR))
        if faces is None:
            return None
        face = chosen(faces.astype(np.float64), size)
        return face[4:14].reshape(5, 2) * (width / size[0], height / size[1])

    return detect


def chosen(faces: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest of the faces that cover the centre of a picture, or of all where none does.

    faces: float (N, 4 or more), x, y, width, height first; size: width and height in pixels.
    """
    x, y, width, height = faces[:, :4].T
    across, down = size[0] / 2, size[1] / 2
    central = (x <= across) & (across <= x + width) & (y <= down) & (down <= y + height)
    return faces[np.argmax(width * height + central * 1e9)]
