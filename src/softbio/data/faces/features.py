"""Eyes, brows, nose, mouth, ears and glasses, painted on the canvas."""

import numpy as np

from .canvas import Canvas
from .curves import MIRROR, both, moved, smooth
from .face import Face
from .geometry import Layout

TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
RING = np.stack([np.cos(TURN), np.sin(TURN)], 1)
SMALL_RING = RING[::3]
EAR = [(0.06, -0.12), (-0.07, -0.2), (-0.14, -0.1), (-0.125, 0.12), (-0.06, 0.3), (0.05, 0.36)]
EAR = smooth(EAR, 5, closed=True)
EAR_FOLD = smooth([(-0.02, -0.12), (-0.09, -0.1), (-0.085, 0.08), (-0.03, 0.2)], 5)
BROW_HAIRS = 44


def paint_ears(canvas: Canvas, face: Face) -> None:
    """Both ears, to be painted before the features; hair may cover them later."""
    skin, big = np.array(face.colours.skin), face.bones.ears
    ears = both(moved(EAR * big, -face.bones.width, 0.06))
    window, mask = canvas.mask(ears)
    canvas.cover(window, mask)
    canvas.blend(window, mask, skin * (0.93, 0.82, 0.80), 0.7)
    folds = both(moved(EAR_FOLD * big, -face.bones.width, 0.06))
    canvas.etch(canvas.furrows, folds, 0.03, 0.7)


def paint_features(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """Everything between skin and hair."""
    _paint_eyes(canvas, face, place)
    _paint_brows(canvas, face, place, rng)
    _paint_nose(canvas, face, place)
    _paint_mouth(canvas, face, place)


def _paint_eyes(canvas: Canvas, face: Face, place: Layout) -> None:
    """Balls, lids, lashes, creases and, with age, the hood of skin over the outer corner."""
    ring, makeup, sag = place.eye, face.scene.makeup, face.ageing.sag
    skin = np.array(face.colours.skin)
    upper, lower = smooth(ring[:4], 5), smooth(ring[[3, 4, 5, 0]], 5)
    window, mask = canvas.mask(both(np.concatenate([upper, lower])))
    canvas.blend(window, mask, _eyeballs(canvas, face, ring, window))
    if makeup:
        lid = np.concatenate([upper, moved(upper[::-1], 0, -0.085)])
        canvas.fill(both(lid), skin * (0.62, 0.5, 0.52), 0.5 * makeup, 0.02)
    lift = 0.05 * (1 - 0.75 * sag) + 0.012
    crease = smooth(ring[:4] - np.array([[0, 0.5], [0, 1], [0, 1], [0, 0.4]]) * lift, 5)
    canvas.etch(canvas.furrows, both(crease), 0.022, 0.8)
    if sag > 0.2:
        hood = smooth(ring[0] + np.array([(0.14, -0.11), (-0.02, -0.05), (-0.07, 0.03)]), 4)
        canvas.etch(canvas.furrows, both(hood), 0.035, 0.7 * sag)
    if makeup > 0.3:
        upper = np.concatenate([ring[:1] + np.array([-0.04, -0.022]) * makeup, upper])
    canvas.etch(canvas.ink, both(lower), 0.014, 0.55)
    canvas.etch(canvas.ink, both(upper), 0.024 + 0.012 * makeup, 0.9)


def _eyeballs(canvas: Canvas, face: Face, ring: np.ndarray, window) -> list[np.ndarray]:
    """Colour planes of both balls in `window`: white, iris, pupil, lid shadow, highlight."""
    middle, width = ring.mean(0), ring[3, 0] - ring[0, 0]
    x, y = canvas.xs[window[1]], canvas.ys[window[0]][:, None]
    x = np.where(x < 0, x - np.float32(middle[0]), x + np.float32(middle[0]))[None]
    y = y - np.float32(middle[1])
    gaze_x, gaze_y = np.float32(face.expression.gaze) * np.float32(width)
    radius = np.float32(0.098 * (0.5 + 0.5 * width / 0.41))
    dx, dy = x - 0.5 * gaze_x, y + np.float32(0.012) - 0.3 * gaze_y
    far = np.sqrt(dx * dx + dy * dy) / radius
    side = -1 if face.light.direction[0] < 0 else 1
    spark_x, spark_y = dx / radius - np.float32(0.3 * side), dy / radius + np.float32(0.36)
    sharp = radius * np.float32(canvas.per_unit)
    in_iris, in_pupil = _disc(far, 1.0, sharp), _disc(far, 0.44, sharp)
    in_spark = _disc(np.sqrt(spark_x * spark_x + spark_y * spark_y), 0.24, sharp)
    glow = 1.25 - 0.75 * np.minimum(far, 1) ** 2 + 0.35 * np.clip(dy / radius, -1, 1)
    white = (0.96 - 0.02 * face.ageing.spots, 0.94 - 0.06 * face.ageing.spots,
             0.92 - 0.1 * face.ageing.spots)  # fmt: skip
    corner = 1 - np.float32(0.3 / (0.25 * width * width)) * x * x
    lid = 1 - np.float32(0.42) * np.clip(0.5 - (y + np.float32(0.02)) / np.float32(0.07), 0, 1)
    kept = (1 - in_pupil) * lid * (1 - in_spark)
    pale, deep = kept * (1 - in_iris) * corner, kept * in_iris * glow
    shine = np.float32(1.7) * in_spark + np.float32(0.03) * in_pupil * lid
    return [
        np.float32(light) * pale + np.float32(tone) * deep + shine
        for light, tone in zip(white, face.colours.iris, strict=True)
    ]


def _disc(far: np.ndarray, radius: float, sharp: np.float32) -> np.ndarray:
    return np.clip((np.float32(radius) - far) * sharp + np.float32(0.5), 0, 1)


def _paint_brows(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """Brows as a soft band with hairs on it."""
    weight, grey = face.bones.brow_weight, face.ageing.grey
    hair = np.array(face.colours.hair) * (1 - 0.5 * grey) + 0.28 * grey
    colour = 0.72 * hair + 0.06 * np.array(face.colours.skin)
    thick = np.array([0.012, 0.034, 0.046, 0.05, 0.038]) * min(max(weight, 0.45), 1.7)
    middle, half = smooth(place.brow, 5), smooth(np.stack([thick, thick], 1), 5)[:, :1]
    band = np.concatenate([middle - half * (0, 1), (middle + half * (0, 0.8))[::-1]])
    at = rng.integers(0, len(middle) - 1, BROW_HAIRS)
    height, run, rise = rng.random((3, BROW_HAIRS))
    root = middle[at]
    root[:, 1] += half[at, 0] * (1.4 * height - 0.4)
    reach = np.stack([-0.03 - 0.05 * run, 0.005 - 0.03 * rise], 1)
    hairs = np.stack([root, root + reach], 1)
    hairs[::2] *= MIRROR
    canvas.hatch(both(band), 0.60, hairs, 0.013, 0.85, colour)


def _paint_nose(canvas: Canvas, face: Face, place: Layout) -> None:
    """Nostrils and the edges of the wings; the relief and its light do the rest."""
    nose = place.nose
    wing = nose[8]
    nostril = moved(SMALL_RING * (0.052 * face.bones.nose_width, 0.02), 0.01, -0.012) + nose[7]
    canvas.stamp(canvas.ink, both(nostril), 0.85)
    edge = smooth(wing + np.array([(-0.035, -0.15), (0.02, -0.06), (-0.02, 0.025)]), 5)
    canvas.etch(canvas.furrows, both(edge), 0.024, 0.6)
    ball = moved(SMALL_RING * (0.3 * wing[0], 0.075), -0.3 * wing[0], -0.055) + wing
    canvas.raise_(both(ball), 0.05, 0.03)
    under = smooth([nose[5], moved(nose[6], 0, 0.008), nose[7]], 5)
    canvas.etch(canvas.ink, under, 0.02, 0.4)


def _paint_mouth(canvas: Canvas, face: Face, place: Layout) -> None:
    """Lips with their own relief, the line between them, teeth where the mouth is open."""
    points, lips = place.mouth, np.array(face.colours.lips)
    lips += (np.array(face.scene.lipstick) - lips) * 0.85 * face.scene.makeup
    lips += (np.array(face.colours.skin) * 0.85 - lips) * 0.35 * face.ageing.thin_lips
    inner_top, inner_low = smooth(points[12:17], 5), smooth(points[[16, 17, 18, 19, 12]], 5)
    outer_top, outer_low = smooth(points[:7], 5), smooth(points[[*range(6, 12), 0]], 5)
    canvas.raise_(np.concatenate([outer_top, outer_low]), 0.035, 0.025)
    canvas.fill(np.concatenate([outer_top, inner_top[::-1]]), lips * 0.86, 0.9, 0.008)
    canvas.fill(np.concatenate([outer_low, inner_low[::-1]]), lips, 0.88, 0.012)
    thick = points[9, 1] - points[18, 1]
    shine = SMALL_RING * (0.12, 0.018) + np.array([0, points[9, 1] - 0.55 * thick])
    glossy = np.minimum(lips * 1.25 + 0.08, 1)
    canvas.fill(shine, glossy, 0.35 + 0.2 * face.scene.makeup, 0.014)
    if points[18, 1] - points[14, 1] > 0.012:
        _paint_teeth(canvas, face, points, np.concatenate([inner_top, inner_low]))
    canvas.etch(canvas.ink, np.vstack([points[:1], inner_top, points[6:7]]), 0.018, 0.6)
    corners = both(points[0] + SMALL_RING * 0.016)
    canvas.stamp(canvas.ink, corners, 0.35)


def _paint_teeth(canvas: Canvas, face: Face, points: np.ndarray, hole: np.ndarray) -> None:
    window, mask = canvas.mask(hole)
    canvas.blend(window, mask, (0.20, 0.06, 0.06))
    drop = canvas.ys[window[0]][:, None] - np.float32(points[14, 1] + 0.075)
    mask *= np.clip(0.5 - drop * np.float32(canvas.per_unit / 2), 0, 1)
    canvas.blend(window, mask, np.array([0.95, 0.92, 0.87]) - 0.1 * face.ageing.spots, 0.93)


def paint_glasses(canvas: Canvas, face: Face, place: Layout) -> None:
    """A frame round both eyes and a faint reflection."""
    eye = place.eye.mean(0)
    power = 1.0 if face.scene.glasses == 1 else 0.56
    lens = np.sign(RING) * np.abs(RING) ** power * (0.305, 0.235)
    lens = moved(lens, eye[0], eye[1] + 0.035)
    canvas.fill(both(lens), (1.0, 1.0, 1.0), 0.07)
    arm = [(eye[0] - 0.3, -0.02), (-1.05, -0.06)]
    bridge = smooth([(eye[0] + 0.3, 0.02), (0, -0.02), (-eye[0] - 0.3, 0.02)], 4)
    rims = both(np.concatenate([lens, lens[:1]]))
    canvas.stroke([*rims, *both(arm), bridge], face.scene.frame, 0.036, 0.95)
