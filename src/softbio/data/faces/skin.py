"""Skin: its colour over the face, its ageing, and the light on it."""

import cv2
import numpy as np

from .canvas import Canvas, axes, blurred, noise
from .curves import both, moved, smooth
from .face import Face
from .geometry import Layout, gaussians, rotation

# What blood, shadow, light and stubble do to skin: relative change of red, green and blue.
BLUSH = np.array([0.02, -0.16, -0.13])
SHADE = np.array([-0.16, -0.20, -0.20])
PALE = np.array([0.03, 0.04, 0.05])
BLUE = np.array([-0.30, -0.26, -0.20])


def paint_skin(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """Fill the canvas with skin: base colour, regional tints, pores, spots, freckles, moles."""
    n, age = canvas.n, face.ageing
    patches = np.array([[*where, *change] for where, change in _tints(face, place)])
    tint = gaussians(patches, *axes(n // 2))
    x, y = rng.integers(0, n, 2)
    pores, blotches = (tile[y : y + n, x : x + n] for tile in noise(n))
    fine, coarse = 0.012 + 0.022 * age.spots, 0.012 + 0.025 * age.spots
    grain = cv2.addWeighted(pores, fine, blotches, coarse, 1)
    for plane, change, colour in zip(canvas.planes, tint, face.colours.skin, strict=True):
        cv2.resize(change, (n, n), dst=plane, interpolation=cv2.INTER_LINEAR)
        plane += grain
        plane *= np.float32(colour)
    _paint_spots(canvas, face, rng)


def _tints(face: Face, place: Layout) -> list[tuple[tuple[float, ...], np.ndarray]]:
    """Gaussian patches (x, y, sigma x, sigma y) and the relative colour change of each."""
    eye, nose, age = place.eye.mean(0), place.nose, face.ageing
    makeup = face.scene.makeup
    tints = [
        ((0, nose[3, 1], 0.14, 0.12), BLUSH * (0.3 + 0.3 * age.spots)),
        ((0, -0.55, 0.4, 0.2), PALE),
        ((0, place.jaw[8, 1] - 0.14, 0.2, 0.12), BLUSH * 0.25),
        ((0, nose[6, 1] + 0.05, 0.2, 0.05), SHADE * 0.9),
        ((0, place.mouth[9, 1] + 0.07, 0.18, 0.05), SHADE * 0.9),
    ]
    for side in (1, -1):
        tints += [
            ((side * 0.6, 0.48, 0.2, 0.16), BLUSH * (0.25 + 0.35 * makeup + 0.2 * age.baby_fat)),
            ((side * eye[0], eye[1] - 0.1, 0.2, 0.07), SHADE * (0.7 + 0.5 * makeup)),
            ((side * eye[0] * 0.7, eye[1] + 0.12, 0.13, 0.05), SHADE * (0.35 + 0.8 * age.wrinkles)),
            ((side * eye[0] * 0.46, eye[1] - 0.02, 0.06, 0.09), SHADE * 0.8),
            ((side * 0.62, 0.78, 0.12, 0.2), SHADE * 0.9 * age.hollow),
            ((side * 0.85, -0.35, 0.1, 0.2), SHADE * 0.8 * age.hollow),
        ]
    stubble = face.hair.stubble * (1 - 0.5 * age.grey)
    if stubble > 0.02:
        mouth = place.mouth[14, 1]
        tints += [
            ((0, mouth + 0.38, 0.45, 0.16), BLUE * 0.55 * stubble),
            ((0, mouth - 0.17, 0.24, 0.06), BLUE * 0.6 * stubble),
            ((-0.68, 0.78, 0.16, 0.26), BLUE * 0.5 * stubble),
            ((0.68, 0.78, 0.16, 0.26), BLUE * 0.5 * stubble),
        ]
    return tints


def _paint_spots(canvas: Canvas, face: Face, rng: np.random.Generator) -> None:
    for x, y, radius in face.bones.moles:
        canvas.etch(canvas.ink, np.array([[x, y], [x + 0.004, y]]), 2 * radius, 0.7)
    freckles = face.bones.freckles
    if freckles > 0.25:
        centres = moved(rng.normal(0, 1, (int(60 * freckles), 2)) * (0.42, 0.12), 0, 0.3)
        dots = np.stack([centres, moved(centres, 0.006, 0)], 1)
        canvas.etch(canvas.ink, dots, 0.018, 0.22)
    count = int(26 * face.ageing.spots**1.5)
    if count:
        centres = rng.uniform((-0.9, -0.9), (0.9, 1.1), (count, 2))
        spots = np.stack([centres, centres + rng.normal(0, 0.014, (count, 2))], 1)
        canvas.etch(canvas.ink, spots, 0.036, 0.2)


def wrinkle(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """Furrow forehead, eye corners, cheeks and mouth by the drawn age and the expression."""
    _wrinkle_forehead(canvas, face, place, rng)
    _wrinkle_eyes(canvas, face, place, rng)
    _wrinkle_cheeks(canvas, face, place)


def _wrinkle_forehead(canvas: Canvas, face: Face, place: Layout, rng) -> None:
    level = face.ageing.wrinkles
    strength = max(1.15 * level - 0.12, 0) + 0.3 * max(face.expression.brows, 0) * level
    brow = place.brow[2, 1]
    if strength > 0.04:
        lines = []
        for share in (0.22, 0.42, 0.62, 0.8)[: 2 + int(2.4 * min(level, 1))]:
            half, aside = rng.uniform(0.42, 0.6), rng.normal(0, 0.05)
            ys = brow + share * (place.hairline - brow) + rng.normal(0, 0.014, 6)
            lines.append(smooth(np.stack([np.linspace(-half, half, 6) + aside, ys], 1), 4))
        canvas.etch(canvas.furrows, lines, 0.026, 0.75 * min(strength, 1.2))
    frown = 1.2 * level - 0.3
    if frown > 0.04:
        left = [(-0.07, brow), (-0.0525, brow + 0.09), (-0.056, brow + 0.19)]
        canvas.etch(canvas.furrows, both(left), 0.026, 0.75 * frown)


def _wrinkle_eyes(canvas: Canvas, face: Face, place: Layout, rng) -> None:
    level, smile, sag = face.ageing.wrinkles, face.expression.smile, face.ageing.sag
    outer = moved(place.eye[0], -0.045, 0.0)
    strength = max(1.1 * level - 0.1, 0) * (0.75 + 0.5 * smile)
    if strength > 0.04:
        lines = []
        for angle in (-0.5, -0.12, 0.25, 0.6)[: 2 + round(2 * min(level, 1))]:
            x, y = rng.uniform(0.15, 0.24) * np.array([-np.cos(angle), np.sin(angle)])
            ray = [outer, moved(outer, 0.5 * x, 0.5 * y - 0.01), moved(outer, x, y + 0.02)]
            lines.extend(both(smooth(ray, 4)))
        canvas.etch(canvas.furrows, lines, 0.02, 0.7 * strength)
    bag = 0.2 + level + 0.5 * smile
    low, drop = place.eye[4:6].mean(0), 0.1 + 0.045 * sag
    points = [moved(place.eye[3], 0.02, 0.05), moved(low, 0.08, drop)]
    points += [moved(low, -0.08, drop), moved(place.eye[0], 0.02, 0.075)]
    canvas.etch(canvas.furrows, both(smooth(points, 4)), 0.03, 0.36 * bag)


def _wrinkle_cheeks(canvas: Canvas, face: Face, place: Layout) -> None:
    level, smile, sag = face.ageing.wrinkles, face.expression.smile, face.ageing.sag
    wing, corner = place.nose[4], place.mouth[0]
    fold = min(0.1 + 0.85 * level + 0.45 * smile, 1.3)
    points = [moved(wing, -0.035, -0.06), moved(wing, -0.11, 0.07)]
    points += [moved(corner, -0.10, -0.1), moved(corner, -0.115, 0.06 * level)]
    canvas.etch(canvas.furrows, both(smooth(points, 5)), 0.045, 0.75 * fold)
    if sag > 0.15:
        marionette = np.array([(-0.03, 0.05), (-0.055, 0.17), (-0.04, 0.27)])
        jowl = np.array([(-0.16, 0.22), (-0.13, 0.36), (-0.22, 0.44)])
        folds = [*both(smooth(corner + marionette, 4)), *both(smooth(corner + jowl, 4))]
        canvas.etch(canvas.furrows, folds, 0.038, 0.6 * sag)


def light_up(canvas: Canvas, face: Face, head, depth: np.ndarray) -> np.ndarray:
    """The lit colours, float32 (3, n, n).

    head: window and softened mask of the bare head; depth: float32 (n, n), the surface under the
    relief.
    """
    per_unit = canvas.per_unit
    window, inside = head
    height = depth + canvas.relief
    height[window] += np.float32(0.3) * inside
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=per_unit / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=per_unit / 8)
    norm = cv2.sqrt(across * across + down * down + 1)
    turn = rotation(face.pose).T
    light = np.array(face.light.direction)
    shade = _towards(turn @ light, across, down, norm)
    gloss = np.maximum(_towards(turn @ _halfway(light), across, down, norm), 0)
    for _ in range(4):
        gloss *= gloss
    gloss *= np.float32(0.10)
    ambient = cv2.addWeighted(height, 2.2, blurred(height, 0.07 * per_unit), -2.2, 1)
    ambient = np.minimum(np.maximum(ambient, np.float32(0.7)), np.float32(1.12))
    ambient *= np.float32(face.light.ambient)
    shade += np.float32(0.22)
    shade *= np.float32(face.light.strength / 1.22)
    np.maximum(shade, 0, out=shade)
    shade[window] *= 0.8 + np.float32(0.2) * inside
    tones = zip(canvas.planes, (1.03, 0.97, 0.94), face.light.colour, strict=True)
    for plane, warm, tone in tones:
        plane *= cv2.addWeighted(shade, tone, ambient, warm, 0)
        plane += gloss
    return canvas.planes


def _halfway(light: np.ndarray) -> np.ndarray:
    half = light + np.array([0, 0, 1])
    return half / np.linalg.norm(half)


def _towards(vector: np.ndarray, across, down, norm) -> np.ndarray:
    """Cosine between the surface's normal and `vector`, float32."""
    x, y, z = vector
    return cv2.addWeighted(across, -x, down, -y, z) / norm
