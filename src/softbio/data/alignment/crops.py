"""The published crops of MORPH-2 and CACD, computed from the five points that YuNet finds.

The scripts (coral-cnn, datasets/image-preprocessing-code) use dlib: its 68 landmarks, whose weights
forbid commercial use, and the box of its detector, which differs between its versions. Here both
are estimated from the five points, by their average position among these on 651 images of LFW
(drawn with seed 0; dlib 20.0.1, upsampled once; the 68 landmarks by face-api).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from softbio.data.alignment.points import Points
from softbio.data.alignment.template import TEMPLATE, moved, similarity
from softbio.errors import UserError

# the lower end of the nose, landmark 33 of 68, in units of the template: SD 1.6 in x and in y
NOSE_BASE = np.array([(56.0, 79.2)])
# dlib's box, in the same units: its side has SD 6.7 (dlib tries steps of a fifth), its centre 3.1
BOX_SIDE, BOX_CENTRE = 89.0, np.array([(53.0, 69.0)])

# MORPH-2: the frame, the average nose in it, and the square in its middle
FRAME, NOSE, MIDDLE = (200, 240), np.array([100, 120]), 140
# CACD: px added to each side of the box, px that it is moved up, side of what is kept
MARGIN, UP, KEPT = 15, 5, 120

NOT_A_FACE = "its points are not those of a face"

Cut = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Crop:
    """A published crop.

    title: what it does; deviations: how it differs from the published script; fit: the points of
    all images -> a function of an image, uint8 (H, W, 3), and its five points, (5, 2), that
    returns a square, uint8 (s, s, 3), or raises ValueError where they are not those of a face.
    """

    title: str
    deviations: tuple[str, ...]
    fit: Callable[[Points], Cut]


def by_eyes(found: Points) -> Cut:
    """MORPH-2's crop: the eyes get the distance and midpoint that they have in the average face of
    the archive, whose nose is moved to the middle of 200 x 240 px; the square of 140 px in the
    middle of that is kept. Faces are moved by whole pixels and not turned; beyond the image is
    black.

    Raises UserError where no face was found in an image of that aspect.
    """
    target = _average(found)
    base = moved(NOSE_BASE, similarity(TEMPLATE, target))
    eyes = target[:2] + NOSE - base
    apart, middle = np.linalg.norm(eyes[1] - eyes[0]), eyes.mean(axis=0)
    corner = (np.array(FRAME) - MIDDLE) // 2

    def cut(image: np.ndarray, five: np.ndarray) -> np.ndarray:
        between = np.linalg.norm(five[1] - five[0])
        if not between > 1:
            raise ValueError(NOT_A_FACE)
        scale = apart / between
        # as int() does: towards zero
        x, y = np.trunc(middle - scale * five[:2].mean(axis=0)) - corner
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        return cv2.warpAffine(image, matrix, (MIDDLE, MIDDLE), flags=cv2.INTER_LINEAR)

    return cut


def _average(found: Points) -> np.ndarray:
    """The five points of the average face in a frame of 200 x 240 px, of images of that aspect."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.array(FRAME) / found.sizes
        fits = np.abs(ratios[:, 0] - ratios[:, 1]) <= 0.001
    fits &= np.isfinite(found.five).all(axis=(1, 2))
    if not fits.any():
        raise UserError(
            f"prepare.align: no face was found in an image of {FRAME[0]} x {FRAME[1]} px or a "
            "multiple of it, which MORPH-2's are; take the original images, or align: none"
        )
    return (found.five[fits] * ratios[fits, None]).mean(axis=0)


def by_box(found: Points) -> Cut:
    """CACD's crop: the square that dlib's detector would box, 15 px more on each side, 5 px up,
    resized to 120 px. Beyond the image its border is repeated."""

    def cut(image: np.ndarray, five: np.ndarray) -> np.ndarray:
        matrix = similarity(TEMPLATE, five)
        side = BOX_SIDE * float(np.hypot(*matrix[:, 0]))
        if not 1 <= side <= 4 * max(image.shape):
            raise ValueError(NOT_A_FACE)
        side = round(side)
        centre = moved(BOX_CENTRE, matrix)[0]
        x, y = np.floor(centre - side / 2).astype(int) - MARGIN - (0, UP)
        side += 2 * MARGIN
        square = _square(image, int(x), int(y), side)
        kept = Image.fromarray(square).resize((KEPT, KEPT), Image.Resampling.LANCZOS)
        return np.asarray(kept)

    return cut


def _square(image: np.ndarray, x: int, y: int, side: int) -> np.ndarray:
    """The square whose upper left corner is (x, y)."""
    height, width = image.shape[:2]
    beyond = (max(-y, 0), max(y + side - height, 0), max(-x, 0), max(x + side - width, 0))
    wider = cv2.copyMakeBorder(image, *beyond, cv2.BORDER_REPLICATE)
    x, y = max(x, 0), max(y, 0)
    return np.ascontiguousarray(wider[y : y + side, x : x + side])


SAME = "The face is found by YuNet, not by dlib; of several the one in the middle is taken."
NO_FILE = "The crop is not saved as JPEG before it is resized."

CROPS: Mapping[str, Crop] = {
    "eyes": Crop(
        "Scaled and moved so that the eyes are as in the average face of the archive, whose nose "
        "is in the middle of 200 x 240 px; the middle 140 x 140 px",
        (
            SAME,
            "Eyes are two of its five points, not means of six landmarks.",
            "The published script fits the nose-centred average but applies the other; the folder "
            "of the experiments is called morph2-aligned-nose: the centred one is applied here.",
            NO_FILE,
        ),
        by_eyes,
    ),
    "box": Crop(
        "Square box of the face, 15 px more on each side, 5 px up, resized to 120 x 120 px",
        (
            SAME,
            "The box is where dlib's is, on average, among the five points.",
            "The published script leaves out images with no or several faces, and those whose box "
            "begins outside the image; its lists hold the rest. Here the border is repeated.",
            NO_FILE,
        ),
        by_box,
    ),
}  # fmt: skip
