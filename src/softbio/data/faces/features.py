"""Eyes, brows, nose, mouth, ears and glasses, painted on the canvas."""

import numpy as np

from .canvas import Canvas
from .curves import MIRROR, both, smooth
from .face import Face
from .geometry import Layout

TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
RING = np.stack([np.cos(TURN), np.sin(TURN)], 1)
EAR = np.array(
    [(0.06, -0.12), (-0.07, -0.2), (-0.14, -0.1), (-0.125, 0.12), (-0.06, 0.3), (0.05, 0.36)]
)
EAR_FOLD = np.array([(-0.02, -0.12), (-0.09, -0.1), (-0.085, 0.08), (-0.03, 0.2)])


def paint_features(canvas: Canvas, face: Face, place: Layout) -> None:
    """Everything between skin and hair."""
    paint_eyes(canvas, face, place)
    paint_brows(canvas, face, place)
    paint_nose(canvas, face, place)
    paint_mouth(canvas, face, place)


def paint_eyes(canvas: Canvas, face: Face, place: Layout) -> None:
    """Both eyes: ball, lids, lashes, crease and, with age, the hood of skin over the corner."""
    ring, makeup, sag = place.eye, face.scene.makeup, face.ageing.sag
    skin = np.array(face.colours.skin)
    upper, lower = smooth(ring[:4], 5), smooth(np.concatenate([ring[3:], ring[:1]]), 5)
    middle, width = ring.mean(0), ring[3, 0] - ring[0, 0]
    for sign in (1, -1):
        window, mask = canvas.mask(np.concatenate([upper, lower]) * (sign, 1))
        canvas.blend(window, mask, _eyeball(canvas, face, middle * (sign, 1), width, window))
    if makeup:
        lid = np.concatenate([upper, upper[::-1] - (0, 0.085)])
        canvas.fill(both(lid), skin * (0.62, 0.5, 0.52), 0.5 * makeup, 0.02)
    lift = 0.05 * (1 - 0.75 * sag) + 0.012
    crease = smooth(ring[:4] - np.array([[0, 0.5], [0, 1], [0, 1], [0, 0.4]]) * lift, 5)
    canvas.carve(both(crease), 0.022, 0.03, 0.01, 0.3)
    if sag > 0.2:
        hood = smooth(ring[0] + np.array([(0.14, -0.11), (-0.02, -0.05), (-0.07, 0.03)]), 4)
        canvas.carve(both(hood), 0.04, 0.03 * sag, 0.016, 0.2 * sag)
    lash = np.array([0.10, 0.07, 0.06]) + 0.12 * (1 - makeup) * skin
    if makeup > 0.3:
        upper = np.concatenate([ring[:1] + np.array([-0.04, -0.022]) * makeup, upper])
    canvas.stroke(both(upper), lash, 0.024 + 0.012 * makeup, 0.9)
    canvas.stroke(both(lower), skin * (0.62, 0.44, 0.40), 0.014, 0.65)


def _eyeball(canvas: Canvas, face: Face, middle, width: float, window) -> list[np.ndarray]:
    """Colour planes of the ball in `window`: white, iris, pupil, lid shadow, highlight."""
    rows, columns = window
    x = (canvas.xs[columns] - middle[0]).astype(np.float32)
    y = (canvas.ys[rows] - middle[1]).astype(np.float32)
    gaze = face.expression.gaze
    radius = 0.098 * (0.5 + 0.5 * width / 0.41)
    dx, dy = x - gaze[0] * width * 0.5, y + 0.012 - gaze[1] * width * 0.3
    far = np.hypot(dx[None], dy[:, None])
    edge = 0.5 / canvas.per_unit
    white = np.array([0.96, 0.94, 0.92]) - np.array([0.02, 0.06, 0.10]) * face.ageing.spots
    corner = 1 - 0.32 * np.abs(x / (0.5 * width)) ** 3
    inner = np.minimum(far / radius, 1)
    glow = 1.25 - 0.75 * inner**3 + 0.35 * np.clip(dy / radius, -1, 1)[:, None]
    side = -1 if face.light.direction[0] < 0 else 1
    spark = np.hypot(dx[None] - side * 0.3 * radius, dy[:, None] + 0.36 * radius)
    in_iris, in_pupil = _disc(far, radius, edge), _disc(far, radius * 0.44, edge)
    in_spark = _disc(spark, 0.24 * radius, edge)
    lid = 1 - 0.42 * np.clip(0.5 - (y + 0.02) / 0.07, 0, 1)[:, None]
    planes = []
    for pale, tone in zip(white, face.colours.iris, strict=True):
        ball = np.broadcast_to(np.float32(pale) * corner, far.shape)
        ball = ball + (np.float32(tone) * glow - ball) * in_iris
        ball += (0.03 - ball) * in_pupil
        ball *= lid
        planes.append(ball + (1.7 - ball) * in_spark)
    return planes


def _disc(far: np.ndarray, radius: float, edge: float) -> np.ndarray:
    return np.clip((radius - far) / (2 * edge) + 0.5, 0, 1)


def paint_brows(canvas: Canvas, face: Face, place: Layout) -> None:
    """Brows as a soft band with hairs on it."""
    rng = np.random.default_rng(face.texture + 2)
    weight, grey = face.bones.brow_weight, face.ageing.grey
    hair = np.array(face.colours.hair) * (1 - 0.5 * grey) + 0.28 * grey
    colour = 0.8 * hair + 0.08 * np.array(face.colours.skin)
    thick = np.array([0.012, 0.034, 0.046, 0.05, 0.038]) * np.clip(weight, 0.45, 1.7)
    middle, half = smooth(place.brow, 5), smooth(np.stack([thick, thick], 1), 5)[:, :1]
    band = np.concatenate([middle - half * (0, 1), (middle + half * (0, 0.8))[::-1]])
    canvas.fill(both(band), colour, 0.62, 0.013)
    at = rng.integers(0, len(middle) - 1, 52)
    root = middle[at] + half[at] * np.stack([np.zeros(52), rng.uniform(-0.4, 1.0, 52)], 1)
    reach = np.stack([rng.uniform(-0.08, -0.03, 52), rng.uniform(-0.025, 0.005, 52)], 1)
    hairs = np.stack([root, root + reach], 1)
    hairs[::2] *= MIRROR
    canvas.stroke(hairs, colour * 0.75, 0.013, 0.4)


def paint_nose(canvas: Canvas, face: Face, place: Layout) -> None:
    """Nostrils and the edges of the wings; the relief and its light do the rest."""
    skin, nose = np.array(face.colours.skin), place.nose
    wing = nose[8, 0]
    nostril = nose[7] + RING[::2] * (0.052 * face.bones.nose_width, 0.02) + (0.01, -0.012)
    canvas.fill(both(nostril), skin * (0.32, 0.22, 0.20), 0.85, 0.009)
    edge = smooth(nose[8] + np.array([(-0.035, -0.15), (0.02, -0.06), (-0.02, 0.025)]), 5)
    canvas.carve(both(edge), 0.024, 0.03, 0.012, 0.2)
    ball = nose[8] + RING[::2] * (0.3 * wing, 0.075) + (-0.3 * wing, -0.055)
    canvas.raise_(both(ball), 0.05, 0.03)
    under = np.array([nose[5], nose[6] + (0, 0.008), nose[7]])
    canvas.stroke(smooth(under, 5), skin * (0.5, 0.38, 0.35), 0.02, 0.5, 0.012)


def paint_mouth(canvas: Canvas, face: Face, place: Layout) -> None:
    """Lips with their own relief, the line between them, teeth where the mouth is open."""
    points, lips = place.mouth, np.array(face.colours.lips)
    lips += (np.array(face.scene.lipstick) - lips) * 0.85 * face.scene.makeup
    lips += (np.array(face.colours.skin) * 0.85 - lips) * 0.35 * face.ageing.thin_lips
    inner_top = smooth(points[12:17], 5)
    inner_low = smooth(np.concatenate([points[16:20], points[12:13]]), 5)
    outer_top = smooth(points[0:7], 5)
    outer_low = smooth(np.concatenate([points[6:12], points[:1]]), 5)
    upper = np.concatenate([outer_top, inner_top[::-1]])
    lower = np.concatenate([outer_low, inner_low[::-1]])
    canvas.raise_(np.concatenate([outer_top, outer_low]), 0.035, 0.025)
    canvas.fill(upper, lips * 0.86, 0.9, 0.008)
    canvas.fill(lower, lips, 0.88, 0.012)
    low = points[9]
    shine = low + RING * (0.12, 0.018) - (0, 0.55 * (low[1] - points[18, 1]))
    canvas.fill(shine, np.minimum(lips * 1.25 + 0.08, 1), 0.35 + 0.2 * face.scene.makeup, 0.014)
    if points[18, 1] - points[14, 1] > 0.012:
        hole = np.concatenate([inner_top, inner_low])
        canvas.fill(hole, (0.20, 0.06, 0.06))
        window, mask = canvas.mask(hole)
        drop = canvas.ys[window[0]][:, None] - (points[14, 1] + 0.075)
        band = mask * np.clip(0.5 - drop * canvas.per_unit / 2, 0, 1).astype(np.float32)
        canvas.blend(window, band, np.array([0.95, 0.92, 0.87]) - 0.1 * face.ageing.spots, 0.93)
    line = lips * 0.42
    canvas.stroke(np.vstack([points[:1], inner_top, points[6:7]]), line, 0.018, 0.75, 0.006)
    corners = np.stack([points[0] + RING[::3] * 0.02, points[6] + RING[::3] * 0.02])
    canvas.fill(corners, line, 0.4, 0.016)


def paint_ears(canvas: Canvas, face: Face, place: Layout) -> None:
    """Both ears, to be painted before the features; hair may cover them later."""
    skin, big = np.array(face.colours.skin), face.bones.ears
    root = np.array([-face.bones.width, 0.06])
    ears = both(smooth(EAR, 5, closed=True) * big + root)
    window, mask = canvas.mask(ears)
    canvas.cover(window, mask)
    canvas.fill(ears, skin * (0.93, 0.82, 0.80), 0.8, 0.02)
    canvas.carve(both(smooth(EAR_FOLD, 5) * big + root), 0.03, 0.03, 0.012, 0.3)


def paint_glasses(canvas: Canvas, face: Face, place: Layout) -> None:
    """A frame round both eyes and a faint reflection."""
    eye = place.eye.mean(0)
    power = 1.0 if face.scene.glasses == 1 else 0.56
    lens = eye + np.sign(RING) * np.abs(RING) ** power * (0.305, 0.235) + (0, 0.035)
    frame = np.array(face.scene.frame)
    canvas.fill(both(lens), (1.0, 1.0, 1.0), 0.07)
    arm = np.array([(eye[0] - 0.3, -0.02), (-1.05, -0.06)])
    bridge = np.array([(eye[0] + 0.3, 0.02), (0, -0.02), (-eye[0] - 0.3, 0.02)])
    rims = both(np.concatenate([lens, lens[:1]]))
    canvas.stroke([*rims, *both(arm), smooth(bridge, 4)], frame, 0.036, 0.95)
