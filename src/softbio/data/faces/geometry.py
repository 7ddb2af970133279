"""The head's shape: outlines and landmarks in head units, its surface in depth, and its pose."""

from dataclasses import dataclass

import cv2
import numpy as np

from .curves import MIRROR, moved, smooth
from .face import Ageing, Bones, Expression, Face, Pose

TURN = np.linspace(0, np.pi / 2, 9)
EYE_T = np.array([-1.0, -0.42, 0.42, 1.0])
# Order of the landmarks of the image's right eye, given those of the left one mirrored.
EYE_SWAP = [3, 2, 1, 0, 5, 4]


@dataclass(frozen=True)
class Layout:
    """Where everything lies on the unposed head; x, y in head units.

    jaw: (17, 2); skull: left half of the cranium from ear to crown, (n, 2); brow, eye: the image's
    left one as landmarks, (5, 2) and (6, 2); nose: (9, 2); mouth: (20, 2); hairline: its y.
    """

    jaw: np.ndarray
    skull: np.ndarray
    brow: np.ndarray
    eye: np.ndarray
    nose: np.ndarray
    mouth: np.ndarray
    hairline: float

    @property
    def landmarks(self) -> np.ndarray:
        """The 68 points in iBUG order, (68, 2)."""
        right_brow = self.brow[::-1] * MIRROR
        right_eye = (self.eye * MIRROR)[EYE_SWAP]
        return np.concatenate(
            [self.jaw, self.brow, right_brow, self.nose, self.eye, right_eye, self.mouth]
        )


def layout(face: Face) -> Layout:
    """Place the features of `face` before it is turned."""
    bones, ageing, expression = face.bones, face.ageing, face.expression
    nose_base = 0.56 * bones.nose_length
    chin = 1.40 * bones.length + 0.1 * expression.open
    return Layout(
        jaw=_jaw(bones, ageing, expression, chin),
        skull=_skull(bones),
        brow=_brow(bones, ageing, expression),
        eye=_eye(bones, ageing, expression),
        nose=_nose(bones, nose_base),
        mouth=_mouth(bones, ageing, expression, nose_base + 0.46 * (chin - nose_base - 0.06)),
        hairline=-0.86 * bones.forehead,
    )


def _jaw(bones: Bones, ageing: Ageing, expression: Expression, chin: float) -> np.ndarray:
    """A superellipse from ear to ear; its exponent is the jaw's squareness."""
    exponent = 2 / (2.05 + 2.2 * (bones.jaw - 1) + 0.55 * ageing.sag)
    top = -0.08
    x = -bones.width * np.cos(TURN) ** exponent
    y = top + (chin - top) * np.sin(TURN) ** exponent
    taper = 1 - 0.11 * (1.9 - bones.jaw) * np.clip((y - 0.2) / (chin - 0.2), 0, 1) ** 1.3
    jowl = 0.05 * ageing.sag * np.exp(-(((y - 0.98) / 0.2) ** 2))
    full = 0.035 * ageing.baby_fat - 0.03 * ageing.hollow + 0.03 * expression.smile
    cheek = full * np.exp(-(((y - 0.62) / 0.25) ** 2))
    x = x * taper - np.where(x < -1e-6, jowl + cheek, 0)
    x -= 0.035 * bones.chin * np.sin(2 * TURN) ** 2 * np.clip((y - 1.0) / 0.3, 0, 1)
    left = np.stack([x, y], 1)
    return np.concatenate([left, left[-2::-1] * MIRROR])


def _skull(bones: Bones) -> np.ndarray:
    turn = np.linspace(0, np.pi / 2, 9)
    x = -bones.width * 1.01 * np.cos(turn) ** 0.86
    y = -0.08 - 1.38 * bones.forehead * np.sin(turn) ** 0.95
    return np.stack([x, y], 1)


def _brow(bones: Bones, ageing: Ageing, expression: Expression) -> np.ndarray:
    lift = 0.11 * expression.brows - 0.05 * ageing.sag
    y = -0.255 * bones.brow_height - lift
    x = 0.41 * bones.eye_spacing
    arch = 0.055 * max(bones.brow_arch, 0.1)
    return np.array(
        [
            [-x - 0.275, y + 0.07 - 0.02 * bones.eye_tilt + 0.03 * ageing.sag],
            [-x - 0.16, y - 0.6 * arch],
            [-x - 0.01, y - arch],
            [-x + 0.14, y - 0.35 * arch],
            [-x + 0.25, y + 0.024],
        ]
    )


def _eye(bones: Bones, ageing: Ageing, expression: Expression) -> np.ndarray:
    half = 0.205 * bones.eye_size
    opening = bones.eye_open * bones.eye_size * (1 - 0.28 * ageing.sag)
    upper = opening * (0.106 + 0.02 * max(expression.brows, 0) - 0.018 * expression.smile)
    lower = opening * (0.062 - 0.022 * expression.smile)
    tilt = 0.016 * (bones.eye_tilt - 1.2 * ageing.sag + 0.6)
    x = EYE_T * half
    bow = (1 - EYE_T**2) ** 0.8
    top = -upper * bow + tilt * EYE_T
    bottom = lower * bow + tilt * EYE_T
    ring = np.stack([x[[0, 1, 2, 3, 2, 1]], np.concatenate([top, bottom[[2, 1]]])], 1)
    return moved(ring, -0.41 * bones.eye_spacing, 0)


def _nose(bones: Bones, base: float) -> np.ndarray:
    wing = 0.2 * bones.nose_width
    bridge = [(0.0, y) for y in np.linspace(-0.03, base - 0.1, 4)]
    below = [(-wing, base - 0.02), (-0.52 * wing, base + 0.02), (0, base + 0.045)]
    below += [(0.52 * wing, base + 0.02), (wing, base - 0.02)]
    return np.array(bridge + below)


def _mouth(bones: Bones, ageing: Ageing, expression: Expression, y: float) -> np.ndarray:
    smile, opened = expression.smile, expression.open
    half = 0.315 * bones.mouth_width * (1 + 0.2 * smile - 0.1 * opened)
    thin = 1 - 0.45 * ageing.thin_lips
    upper = 0.072 * bones.upper_lip * thin * (1 - 0.2 * smile)
    lower = 0.098 * bones.lower_lip * thin * (1 - 0.12 * smile)
    gap = 0.09 * max(smile - 0.4, 0) + 0.16 * opened
    corner = y - 0.012 - 0.085 * smile + 0.035 * ageing.sag
    curve = 0.02 * smile
    top, bottom = y - 0.3 * gap + curve, y + 0.7 * gap + curve
    outer_top = [(-0.6 * half, top - 0.66 * upper), (-0.2 * half, top - 1.06 * upper)]
    outer_top += [(0, top - 0.84 * upper)]
    outer_bottom = [(0.6 * half, bottom + 0.62 * lower), (0.22 * half, bottom + 1.0 * lower)]
    outer_bottom += [(0, bottom + 1.02 * lower)]
    bend = 0.35 * (corner - y)
    left_top = [(-half, corner), *((x, v + bend * abs(x) / half) for x, v in outer_top)]
    right_top = [(-x, v) for x, v in left_top[2::-1]]
    right_bottom = [(x, v + bend * abs(x) / half) for x, v in outer_bottom]
    left_bottom = [(-x, v) for x, v in right_bottom[1::-1]]
    inner = 0.45 * half
    points = [*left_top, *right_top, *right_bottom, *left_bottom]
    high, deep = top + 0.4 * bend, bottom + 0.4 * bend
    points += [(-0.88 * half, corner), (-inner, high), (0, top), (inner, high)]
    points += [(0.88 * half, corner), (inner, deep), (0, bottom), (-inner, deep)]
    return np.array(points)


@dataclass(frozen=True)
class Surface:
    """Depth z(x, y): a paraboloid and a sum of axis-parallel Gaussian bumps.

    bumps: (n, 5) columns x, y, sigma x, sigma y, height.
    """

    bumps: np.ndarray

    def at(self, points: np.ndarray) -> np.ndarray:
        """Depth at `points` (n, 2) -> (n,)."""
        x, y = points[:, :1], points[:, 1:]
        cx, cy, sx, sy, height = self.bumps.T
        relief = height * np.exp(-0.5 * ((x - cx) / sx) ** 2 - 0.5 * ((y - cy) / sy) ** 2)
        return _paraboloid(x[:, 0], y[:, 0]) + relief.sum(1)

    def grid(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """Depth on the grid ys x xs -> float32 (len(ys), len(xs))."""
        base = _paraboloid(xs[None], ys[:, None]).astype(np.float32)
        return base + gaussians(self.bumps, xs, ys)[0]


def gaussians(bumps: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Sums of separable Gaussians on the grid ys x xs, as one matrix product.

    bumps: (n, 4 + planes), the columns x, y, sigma x, sigma y and a height for each plane.
    Returns float32 (planes, len(ys), len(xs)). OpenCV's product is used because it keeps to one
    thread: that is faster at this size, and the same on every machine load.
    """
    cx, cy, sx, sy = bumps.T[:4, :, None].astype(np.float32)
    across = np.exp(-0.5 * ((xs - cx) / sx) ** 2)
    down = np.exp(-0.5 * ((ys - cy) / sy) ** 2)
    down = (bumps.T[4:, :, None].astype(np.float32) * down).transpose(0, 2, 1)
    planes = np.ascontiguousarray(down).reshape(-1, len(bumps))
    return cv2.gemm(planes, across, 1, None, 0).reshape(-1, len(ys), len(xs))


def _paraboloid(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Flatter beyond the head's edge, where only hair and ears are: it must never fold when turned.
    x, y = np.abs(x), np.abs((y + 0.05) / 1.8)
    x = np.minimum(x, 1) + 0.3 * np.maximum(x - 1, 0)
    return 0.8 * (1 - x**2 - y**2)


def surface(face: Face, place: Layout) -> Surface:
    """The relief of `face`: what turning it moves."""
    bones = face.bones
    eye = place.eye.mean(0)
    nose_y = place.nose[3, 1]
    tip = 0.2 + 0.05 * (bones.nose_bridge - 1)
    mouth_y = place.mouth[14, 1]
    chin_y = place.jaw[8, 1] - 0.14
    bumps = [
        (0, nose_y, 0.13 * bones.nose_width, 0.13, tip),
        (0, nose_y - 0.25, 0.12, 0.22, 0.10 * bones.nose_bridge),
        (0, mouth_y, 0.3, 0.2, 0.07),
        (0, chin_y, 0.22 * bones.chin, 0.14, 0.08 * bones.chin),
    ]
    for side in (1, -1):
        bumps += [
            (side * eye[0], eye[1], 0.2, 0.12, -0.09),
            (side * eye[0], eye[1] - 0.25, 0.28, 0.1, 0.05 * bones.brow_ridge),
            (side * 0.58, 0.36, 0.2, 0.17, 0.06 * bones.cheekbones),
        ]
    return Surface(np.array(bumps, float))


def rotation(pose: Pose) -> np.ndarray:
    """Rz(roll) Rx(pitch) Ry(yaw), (3, 3): head axes to camera axes."""
    cy, sy = np.cos(pose.yaw), np.sin(pose.yaw)
    cp, sp = np.cos(pose.pitch), np.sin(pose.pitch)
    cr, sr = np.cos(pose.roll), np.sin(pose.roll)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return roll @ pitch @ yaw


def project(points: np.ndarray, depth: np.ndarray, pose: Pose, size: int) -> np.ndarray:
    """Head points (n, 2) at `depth` (n,) -> pixels (n, 2), float; pixel centres are at integers."""
    turned = np.column_stack([points, depth]) @ rotation(pose)[:2].T
    return (turned * pose.scale + pose.centre) * size - 0.5


def outline(place: Layout) -> np.ndarray:
    """The closed outline of the bare head, (n, 2)."""
    crown = place.skull[1:]
    return smooth(np.concatenate([place.jaw, crown * MIRROR, crown[-2::-1]]), 4, closed=True)
