"""What is behind and below the head: background, long hair, neck, shoulders and clothes."""

import cv2
import numpy as np

from .canvas import Painter, blurred
from .curves import MIRROR, both, moved, smooth
from .face import Face, Pose
from .geometry import project
from .hair import LONG, hair_colour

DEPTH = -0.35  # of the body: it lies behind the face


class Body(Painter):
    """The image itself, painted with shapes that turn with the head but lie behind it.

    `shade`, uint8 (n, n), gathers shadows; `press` lays them on what `solid`, uint8 (n, n), covers.
    """

    def __init__(self, planes: np.ndarray, pose: Pose):
        super().__init__(planes, pose.scale * planes.shape[1])
        self.shade = np.zeros(planes.shape[1:], np.uint8)
        self.solid = np.zeros(planes.shape[1:], np.uint8)
        corners = project(np.array([(0, 0), (1, 0), (0, 1.0)]), np.full(3, DEPTH), pose, self.n)
        self._origin = corners[0]
        self._turn = corners[1:] - corners[0]

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head units (..., 2) -> image pixels."""
        return points @ self._turn + self._origin

    def press(self) -> None:
        """Darken the body by its shadows, the blue most: shadowed skin and cloth stay warm."""
        shade = cv2.bitwise_and(blurred(self.shade, 0.08 * self.per_unit), self.solid)
        for plane, share in zip(self.planes, (0.42, 0.5, 0.52), strict=True):
            plane *= 1 - shade * np.float32(share / 255)


def background(face: Face, size: int, rng: np.random.Generator) -> np.ndarray:
    """Soft patches of the scene's colours, float32 (3, size, size)."""
    colours = np.array(face.scene.background, np.float32)
    small = 0.5 * colours[rng.integers(0, len(colours), (4, 4))] + 0.5 * colours[0]
    small = cv2.resize(small, (32, 32), interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.stack(cv2.split(large))


def paint_body(image: np.ndarray, face: Face, chin: float, rng: np.random.Generator) -> None:
    """Paint long hair, neck and clothes into `image`, float32 (3, size, size), under the head."""
    body = Body(image, face.pose)
    if face.hair.length > LONG:
        _paint_back_hair(body, face, rng)
    half = (0.55 + 0.5 * (face.bones.jaw - 1)) * face.bones.width
    _paint_neck(body, face, chin, half)
    _paint_clothes(body, face, chin, half)
    body.press()


def _paint_back_hair(body: Body, face: Face, rng: np.random.Generator) -> None:
    hair = face.hair
    low = 0.5 + 1.9 * (hair.length - LONG)
    wide = 1.1 + 0.12 * hair.volume + 0.2 * hair.curl
    half = np.array([(0, -1.5), (-wide * 0.8, -1.1), (-wide, -0.2), (-wide, 0.5 * low),
                     (-wide * 0.98, low), (-wide * 0.6, low + 0.16)])  # fmt: skip
    ring = smooth(np.concatenate([half, half[:0:-1] * MIRROR]), 4, closed=True)
    colour = hair_colour(face) * (face.light.ambient + 0.3 * face.light.strength)
    body.fill(ring, colour * 0.75, 1, 0.01)
    at = rng.uniform(-wide * 0.92, wide * 0.92, (40, 1))
    run = np.linspace(-0.6, low, 9)[None] + np.zeros((40, 1))
    wave = (0.01 + 0.05 * hair.curl) * np.sin(run * (3 + 9 * hair.curl) + at * 9)
    locks = np.stack([at + wave, run], 2)
    body.stroke(locks[::2], colour * 0.5, 0.03, 0.6)
    body.stroke(locks[1::2], colour, 0.03, 0.6)


def _paint_neck(body: Body, face: Face, chin: float, half: float) -> None:
    light, age = face.light, face.ageing
    skin = np.array(face.colours.skin) * (light.ambient + 0.6 * light.strength)
    edge = np.array([(-half, 0.5), (-half * 0.97, chin), (-half * 1.12, chin + 0.45),
                     (-1.0, chin + 0.75)])  # fmt: skip
    neck = smooth(np.concatenate([edge, edge[::-1] * MIRROR]), 4)
    body.fill(neck, skin)
    body.stamp(body.solid, neck, 1)
    away = half if light.direction[0] < 0 else -half
    dark = np.array([(1.1, 0.4), (1.15, chin + 0.7), (0.2, chin + 0.7), (0.35, 0.4)])
    body.stamp(body.shade, dark * (away, 1), 0.5)
    cords = both([(-0.62 * half, chin), (-0.3 * half, chin + 0.4)])
    body.etch(body.shade, cords, 0.09, 0.4 + 0.4 * age.hollow)
    if age.wrinkles > 0.3:
        x = np.linspace(-0.8 * half, 0.8 * half, 6)
        rings = [np.stack([x, chin + y - 0.08 * (x / half) ** 2], 1) for y in (0.16, 0.27)]
        body.stroke(rings, skin * (0.6, 0.5, 0.48), 0.03, 0.5 * min(age.wrinkles, 1), 0.01)
    shadow = smooth([(-half, 0.9), (0, chin + 0.3), (half, 0.9)], 6)
    body.stamp(body.shade, shadow, 1)


def _paint_clothes(body: Body, face: Face, chin: float, half: float) -> None:
    cloth = np.array(face.scene.clothes) * (face.light.ambient + 0.6 * face.light.strength)
    collar, top = face.scene.collar, chin + 0.26
    wide = 1.75 + 2.0 * (face.bones.jaw - 1)
    dip = (0.2, 0.75, 0.6)[collar]
    slope = [(-wide - 0.3, top + 1.2), (-wide, top + 0.42), (-1.1, top + 0.12),
             (-half * 1.12, top - 0.1)]  # fmt: skip
    left = smooth(slope, 4)
    bend = np.array([(-0.5 * half, top + 0.55 * dip) if collar else (-0.6 * half, top + 0.8 * dip)])
    low = np.array([(0, top + dip)])
    shirt = np.concatenate([left, bend, low, bend * MIRROR, left[::-1] * MIRROR])
    body.fill(shirt, cloth)
    body.stamp(body.solid, shirt, 1)
    edge = np.concatenate([left[-1:], bend, low])
    trim = both(np.concatenate([edge, moved(edge[::-1], -0.1, 0.1)]))
    body.fill(trim, np.minimum(cloth * (1.2 if collar == 2 else 0.82), 1), 0.8)
    away = 1.0 if face.light.direction[0] < 0 else -1.0
    dark = np.array([(0.5, top), (2.2, top + 0.3), (2.2, top + 1.5), (0.7, top + 1.5)])
    body.stamp(body.shade, dark * (away, 1), 0.5)
    fold = both([(-1.2, top + 0.25), (-0.75, top + 0.8)])
    body.etch(body.shade, fold, 0.07, 0.7)
