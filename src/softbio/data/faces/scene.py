"""What is behind and below the head: background, long hair, neck, shoulders and clothes."""

import cv2
import numpy as np

from .canvas import Painter
from .curves import MIRROR, smooth
from .face import Face
from .geometry import project
from .hair import LONG, hair_colour

DEPTH = -0.35  # of the body: it lies behind the face


class Body(Painter):
    """The image itself, painted with shapes that turn with the head but lie behind it."""

    def __init__(self, planes: np.ndarray, face: Face):
        super().__init__(planes, face.pose.scale * planes.shape[1])
        self.pose = face.pose

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head units (..., 2) -> image pixels."""
        flat = np.asarray(points, float).reshape(-1, 2)
        return project(flat, np.full(len(flat), DEPTH), self.pose, self.n).reshape(points.shape)


def background(face: Face, size: int) -> np.ndarray:
    """Soft patches of the scene's colours, float32 (3, size, size)."""
    rng = np.random.default_rng(face.texture + 6)
    colours = np.array(face.scene.background, np.float32)
    small = colours[rng.integers(0, len(colours), (4, 4))]
    small = 0.5 * small + 0.5 * colours[0]
    large = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large.transpose(2, 0, 1))


def paint_body(image: np.ndarray, face: Face, chin: float) -> None:
    """Paint long hair, neck and clothes into `image`, float32 (3, size, size), under the head."""
    body = Body(image, face)
    if face.hair.length > LONG:
        _paint_back_hair(body, face)
    half = (0.55 + 0.5 * (face.bones.jaw - 1)) * face.bones.width
    _paint_neck(body, face, chin, half)
    _paint_clothes(body, face, chin, half)


def _paint_back_hair(body: Body, face: Face) -> None:
    hair = face.hair
    low = 0.5 + 1.9 * (hair.length - LONG)
    wide = 1.1 + 0.12 * hair.volume + 0.2 * hair.curl
    half = np.array([(0, -1.5), (-wide * 0.8, -1.1), (-wide, -0.2), (-wide, 0.5 * low),
                     (-wide * 0.98, low), (-wide * 0.6, low + 0.16)])  # fmt: skip
    ring = smooth(np.concatenate([half, half[:0:-1] * MIRROR]), 4, closed=True)
    colour = hair_colour(face) * (face.light.ambient + 0.3 * face.light.strength)
    body.fill(ring, colour * 0.75, 1, 0.01)
    rng = np.random.default_rng(face.texture + 7)
    at = rng.uniform(-wide * 0.92, wide * 0.92, (48, 1))
    run = np.linspace(-0.6, low, 12)[None] + np.zeros((48, 1))
    wave = (0.01 + 0.05 * hair.curl) * np.sin(run * (3 + 9 * hair.curl) + at * 9)
    locks = np.stack([at + wave, run], 2)
    body.stroke(locks[::2], colour * 0.5, 0.03, 0.6)
    body.stroke(locks[1::2], colour, 0.03, 0.6)


def _paint_neck(body: Body, face: Face, chin: float, half: float) -> None:
    light, age = face.light, face.ageing
    skin = np.array(face.colours.skin) * (light.ambient + 0.62 * light.strength)
    edge = np.array([(-half, 0.5), (-half * 0.97, chin), (-half * 1.12, chin + 0.45),
                     (-1.0, chin + 0.75)])  # fmt: skip
    body.fill(smooth(np.concatenate([edge, edge[::-1] * MIRROR]), 4), skin * 0.92)
    away = 1.0 if light.direction[0] < 0 else -1.0
    dark = np.array([(1.1, 0.4), (1.15, chin + 0.7), (0.2, chin + 0.7), (0.35, 0.4)])
    dark[:, 0] *= away * half
    body.fill(dark, skin * (0.62, 0.54, 0.52), 0.45, 0.14)
    cords = np.array([[(-0.62 * half, chin), (-0.3 * half, chin + 0.4)]])
    cords = np.concatenate([cords, cords * MIRROR])
    body.stroke(cords, skin * (0.7, 0.6, 0.57), 0.06, 0.35 + 0.4 * age.hollow, 0.03)
    if age.wrinkles > 0.3:
        x = np.linspace(-0.8 * half, 0.8 * half, 6)
        rings = [np.stack([x, chin + y - 0.08 * (x / half) ** 2], 1) for y in (0.16, 0.27)]
        body.stroke(rings, skin * (0.6, 0.5, 0.48), 0.03, 0.5 * age.wrinkles, 0.01)
    shadow = np.array([(-half, 0.9), (0, chin + 0.28), (half, 0.9)])
    body.fill(smooth(shadow, 6), skin * (0.55, 0.46, 0.44), 0.7, 0.09)


def _paint_clothes(body: Body, face: Face, chin: float, half: float) -> None:
    cloth = np.array(face.scene.clothes) * (face.light.ambient + 0.6 * face.light.strength)
    collar, top = face.scene.collar, chin + 0.26
    wide = 1.75 + 2.0 * (face.bones.jaw - 1)
    dip = (0.2, 0.75, 0.6)[collar]
    slope = np.array([(-wide - 0.3, top + 1.2), (-wide, top + 0.42), (-1.1, top + 0.12),
                      (-half * 1.12, top - 0.1)])  # fmt: skip
    left = smooth(slope, 4)
    bend = np.array([(-0.5 * half, top + 0.55 * dip) if collar else (-0.6 * half, top + 0.8 * dip)])
    low = np.array([(0, top + dip)])
    body.fill(np.concatenate([left, bend, low, bend * MIRROR, left[::-1] * MIRROR]), cloth)
    away = 1.0 if face.light.direction[0] < 0 else -1.0
    dark = np.array([(0.5, top), (2.2, top + 0.3), (2.2, top + 1.5), (0.7, top + 1.5)])
    body.fill(dark * (away, 1), cloth * 0.6, 0.5, 0.2)
    edge = np.concatenate([left[-1:], bend, low])
    trim = np.concatenate([edge, edge[::-1] + (-0.1, 0.1)])
    tone = np.minimum(cloth * (1.2 if collar == 2 else 0.82), 1)
    for flip in (1, -1):
        body.fill(trim * (flip, 1), tone, 0.8, 0.01)
    folds = np.array([[(-1.2, top + 0.25), (-0.75, top + 0.8)], [(-0.55, top + 0.5), (-0.5, top + 1)]])
    body.stroke(np.concatenate([folds, folds * MIRROR]), cloth * 0.7, 0.05, 0.5, 0.03)
