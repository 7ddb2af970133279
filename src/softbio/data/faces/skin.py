"""Skin: its colour over the face, its ageing, and the light on it."""

import cv2
import numpy as np

from .canvas import Canvas, blurred, noise
from .curves import both, smooth
from .face import Face
from .geometry import Layout, gaussians, outline, rotation

# What shadow and blood do to skin: relative change of red, green and blue.
BLUSH = np.array([0.02, -0.16, -0.13])
SHADE = np.array([-0.16, -0.20, -0.20])
PALE = np.array([0.03, 0.04, 0.05])
BLUE = np.array([-0.30, -0.26, -0.20])


def paint_skin(canvas: Canvas, face: Face, place: Layout) -> None:
    """Fill the canvas with skin: base colour, regional tints, pores, spots, freckles, moles."""
    patches = np.array([[*where, *change] for where, change in _tints(face, place)])
    tint = gaussians(patches, canvas.xs[::2], canvas.ys[::2])
    pores, blotches = noise(canvas.n)
    rng = np.random.default_rng(face.texture)
    shift = tuple(int(v) for v in rng.integers(0, canvas.n, 2))
    age = face.ageing
    grain = np.roll(pores, shift, (0, 1)) * np.float32(0.012 + 0.022 * age.spots)
    grain += np.roll(blotches, shift, (1, 0)) * np.float32(0.012 + 0.025 * age.spots)
    grain += 1
    for plane, change, colour in zip(canvas.planes, tint, face.colours.skin, strict=True):
        cv2.resize(change, (canvas.n, canvas.n), dst=plane, interpolation=cv2.INTER_LINEAR)
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
        mouth = place.mouth[14]
        tints += [
            ((0, mouth[1] + 0.38, 0.45, 0.16), BLUE * 0.55 * stubble),
            ((0, mouth[1] - 0.17, 0.24, 0.06), BLUE * 0.6 * stubble),
            ((-0.68, 0.78, 0.16, 0.26), BLUE * 0.5 * stubble),
            ((0.68, 0.78, 0.16, 0.26), BLUE * 0.5 * stubble),
        ]
    return tints


def _paint_spots(canvas: Canvas, face: Face, rng: np.random.Generator) -> None:
    skin = np.array(face.colours.skin)
    for x, y, radius in face.bones.moles:
        canvas.stroke(np.array([[x, y], [x + 0.004, y]]), skin * 0.42, 2 * radius, 0.9)
    freckles = face.bones.freckles
    if freckles > 0.25:
        centres = rng.normal(0, 1, (int(60 * freckles), 2)) * (0.42, 0.12) + (0, 0.3)
        dots = np.stack([centres, centres + (0.006, 0)], 1)
        canvas.stroke(dots, skin * (0.72, 0.6, 0.52), 0.018, 0.55)
    count = int(26 * face.ageing.spots**1.5)
    if count:
        centres = rng.uniform((-0.9, -0.9), (0.9, 1.1), (count, 2))
        spots = np.stack([centres, centres + rng.normal(0, 0.014, (count, 2))], 1)
        canvas.stroke(spots, skin * (0.76, 0.66, 0.58), 0.036, 0.5, 0.008)


def wrinkle(canvas: Canvas, face: Face, place: Layout) -> None:
    """Furrow forehead, eye corners, cheeks and mouth by the drawn age and the expression."""
    rng = np.random.default_rng(face.texture + 1)
    level = face.ageing.wrinkles
    _wrinkle_forehead(canvas, face, place, level, rng)
    _wrinkle_eyes(canvas, face, place, level, rng)
    _wrinkle_cheeks(canvas, face, place, level)


def _wrinkle_forehead(canvas, face: Face, place: Layout, level: float, rng) -> None:
    strength = np.clip(level * 1.15 - 0.12, 0, 1) + 0.3 * max(face.expression.brows, 0) * level
    brow = place.brow[2, 1]
    if strength > 0.04:
        lines = []
        for share in (0.22, 0.42, 0.62, 0.8)[: 2 + int(2.4 * min(level, 1))]:
            y = brow + share * (place.hairline - brow)
            half = rng.uniform(0.42, 0.6)
            xs = np.linspace(-half, half, 6) + rng.normal(0, 0.05)
            lines.append(smooth(np.stack([xs, y + rng.normal(0, 0.014, 6)], 1), 4))
        canvas.carve(lines, 0.026, 0.024 * strength, 0.013, 0.26 * strength)
    frown = np.clip(level * 1.2 - 0.3, 0, 1)
    if frown > 0.04:
        lines = [
            np.array([[x, brow + 0.0], [x * 0.75, brow + 0.09], [x * 0.8, brow + 0.19]])
            for x in (-0.07, 0.065)
        ]
        canvas.carve(lines, 0.026, 0.022 * frown, 0.012, 0.28 * frown)


def _wrinkle_eyes(canvas, face: Face, place: Layout, level: float, rng) -> None:
    outer, smile = place.eye[0] + (-0.045, 0.0), face.expression.smile
    strength = np.clip(level * 1.1 - 0.1, 0, 1) * (0.75 + 0.5 * smile)
    if strength > 0.04:
        lines = []
        for angle in (-0.5, -0.12, 0.25, 0.6)[: 2 + round(2 * min(level, 1))]:
            far = rng.uniform(0.15, 0.24)
            bend = np.array([-0.5 * far * np.cos(angle), 0.5 * far * np.sin(angle) - 0.01])
            end = np.array([-far * np.cos(angle), far * np.sin(angle) + 0.02])
            lines.extend(both(smooth(np.array([outer, outer + bend, outer + end]), 4)))
        canvas.carve(lines, 0.02, 0.018 * strength, 0.009, 0.26 * strength)
    bag = np.clip(0.2 + level + 0.5 * smile, 0, 1.3)
    inner, corner = place.eye[3], place.eye[0]
    low = place.eye[4:6].mean(0)
    points = [inner + (0.02, 0.05), (low[0] + 0.08, low[1] + 0.1 + 0.05 * face.ageing.sag)]
    points += [(low[0] - 0.08, low[1] + 0.095 + 0.04 * face.ageing.sag), corner + (0.02, 0.075)]
    canvas.carve(both(smooth(np.array(points), 4)), 0.03, 0.02 * bag, 0.016, 0.13 * bag)


def _wrinkle_cheeks(canvas, face: Face, place: Layout, level: float) -> None:
    smile, sag = face.expression.smile, face.ageing.sag
    wing, corner = place.nose[4], place.mouth[0]
    fold = np.clip(0.1 + 0.85 * level + 0.45 * smile, 0, 1.3)
    points = [wing + (-0.035, -0.06), wing + (-0.11, 0.07)]
    points += [(corner[0] - 0.10, corner[1] - 0.1), (corner[0] - 0.115, corner[1] + 0.06 * level)]
    canvas.carve(both(smooth(np.array(points), 5)), 0.04, 0.034 * fold, 0.02, 0.2 * fold)
    if sag > 0.15:
        marionette = np.array([(-0.03, 0.05), (-0.055, 0.17), (-0.04, 0.27)])
        jowl = np.array([(-0.16, 0.22), (-0.13, 0.36), (-0.22, 0.44)])
        folds = [*both(smooth(corner + marionette, 4)), *both(smooth(corner + jowl, 4))]
        canvas.carve(folds, 0.038, 0.028 * sag, 0.02, 0.18 * sag)


def light_up(canvas: Canvas, face: Face, place: Layout, depth: np.ndarray) -> np.ndarray:
    """The lit colours, float32 (3, n, n); depth: float32 (n, n), the surface under the relief."""
    per_unit = canvas.per_unit
    window, head = canvas.mask(outline(place), 0.1)
    height = depth + canvas.relief
    height[window] += np.float32(0.3) * head
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=per_unit / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=per_unit / 8)
    norm = cv2.sqrt(across * across + down * down + 1)
    turn = rotation(face.pose).T
    light = np.array(face.light.direction)
    facing = _towards(turn @ light, across, down, norm)
    gloss = np.maximum(_towards(turn @ _halfway(light), across, down, norm), 0)
    for _ in range(4):
        gloss *= gloss
    gloss *= np.float32(0.10)
    cavity = height - blurred(height, 0.07 * per_unit)
    cavity *= 2.2
    cavity += 1
    ambient = np.clip(cavity, 0.7, 1.12, out=cavity) * np.float32(face.light.ambient)
    shade = np.maximum((facing + np.float32(0.22)) / np.float32(1.22), 0)
    shade *= np.float32(face.light.strength)
    shade[window] *= 0.8 + np.float32(0.2) * head
    lit = np.empty_like(canvas.planes)
    tones = zip(lit, canvas.planes, (1.03, 0.97, 0.94), face.light.colour, strict=True)
    for plane, albedo, warm, tone in tones:
        np.multiply(shade, np.float32(tone), out=plane)
        plane += ambient * np.float32(warm)
        plane *= albedo
        plane += gloss
    return lit


def _halfway(light: np.ndarray) -> np.ndarray:
    half = light + (0, 0, 1)
    return half / np.linalg.norm(half)


def _towards(vector: np.ndarray, across, down, norm) -> np.ndarray:
    """Cosine between the surface's normal and `vector`, float32."""
    x, y, z = vector.astype(np.float32)
    return (z - x * across - y * down) / norm
