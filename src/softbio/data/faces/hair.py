"""Hair and beard: a mask between hairline and outline, strands along the flow, and a sheen."""

import cv2
import numpy as np

from .canvas import Canvas, blurred, fixed
from .curves import MIRROR, smooth
from .face import Face
from .geometry import Layout

LONG = 0.42  # the length from which hair falls below the ears
SAMPLES = 14


def hair_colour(face: Face) -> np.ndarray:
    """Hair colour after greying, RGB."""
    grey = face.ageing.grey
    silver = np.array([0.76, 0.76, 0.77]) - 0.22 * (1 - grey)
    return np.array(face.colours.hair) * (1 - grey) + silver * grey


def paint_hair(canvas: Canvas, face: Face, place: Layout) -> None:
    """Hair over forehead, temples and sides, with its shadow on the skin."""
    hair, rng = face.hair, np.random.default_rng(face.texture + 4)
    outer, inner = _outer(face, place), _inner(face, place)
    ring = np.concatenate([outer, inner[::-1]])
    window, shadow = canvas.mask(ring + (0, 0.05), 0.06)
    canvas.planes[:, *window] *= 1 - np.float32(0.38 * min(4 * hair.length, 1)) * shadow
    lines = _fall(face, outer, inner, rng) if hair.length > LONG else _rise(face, outer, inner, rng)
    _paint_locks(canvas, face, ring, lines, rng)
    if hair.length > LONG:
        line = np.stack([_along(curve, np.array(0.5 + 0.13 * hair.part)) for curve in (outer, inner)])
        line[0] += 0.45 * (line[1] - line[0])
        canvas.stroke(line, np.array(face.colours.skin) * 0.7, 0.022, 0.55, 0.006)
    if _has_fringe(face):
        _paint_locks(canvas, face, *_fringe(face, place, rng), rng)


def _has_fringe(face: Face) -> bool:
    hair = face.hair
    return hair.fringe > 0 and face.ageing.recession < 0.4 and hair.length > 0.12 and hair.curl < 0.5


def _outer(face: Face, place: Layout) -> np.ndarray:
    """The hair's outside, from the lower left over the crown to the lower right, (n, 2)."""
    hair, bald = face.hair, face.ageing.recession
    puff = min(hair.length / 0.3, 1) * (0.07 + 0.13 * hair.volume + 0.26 * hair.curl**2)
    skull = place.skull
    away = skull - (0, -0.1)
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    top = np.linspace(0.55, 1.15 - 0.9 * bald, len(skull))[:, None]
    left = skull + away * (0.02 + puff * top)
    drop = _drop(face)
    if hair.length > LONG:
        side, wide = left[0, 0], 0.16 * hair.curl + 0.04 + 0.05 * hair.volume
        ends = [(side * 0.95, drop), (side - wide, 0.62 * drop), (side - 0.7 * wide, 0.25 * drop)]
        left = np.concatenate([np.array(ends), left])
    else:
        left = np.concatenate([[(left[0, 0] + 0.03, drop)], left])
    return smooth(np.concatenate([left, left[-2::-1] * MIRROR]), 4)


def _drop(face: Face) -> float:
    """How far down the sides the front hair reaches, head units."""
    length = face.hair.length
    return 0.08 if length < LONG else 0.45 + 1.5 * (length - LONG)


def _inner(face: Face, place: Layout) -> np.ndarray:
    """The hairline, from the lower left over the forehead to the lower right, (n, 2)."""
    recession = face.ageing.recession
    width, top = face.bones.width, place.hairline
    back, drop = 0.5 * recession, _drop(face)
    middle = top - 0.85 * max(recession - 0.4, 0)
    temple = [(-0.94 * width, -0.14), (-0.88 * width, -0.42 - 0.2 * back)]
    temple += [(-0.73 * width, -0.66 - 0.6 * back)]
    side = [(-0.97 * width, drop - 0.01)]
    if face.hair.length > LONG:
        side = [(-0.80 * width, drop), (-0.93 * width, 0.6 * drop), (-0.985 * width, 0.2 * drop)]
    left = np.array([*side, *temple, (-0.4 * width, top - 0.03 - back)])
    return smooth(np.concatenate([left, [(0.0, middle - 0.04)], left[::-1] * MIRROR]), 4)


def _along(curve: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Points of `curve` (n, 2) at shares `places` 0..1 of its index -> places.shape + (2,)."""
    at = np.clip(places, 0, 1) * (len(curve) - 1)
    index = np.arange(len(curve))
    return np.stack([np.interp(at, index, curve[:, i]) for i in (0, 1)], -1)


def _rise(face: Face, outer: np.ndarray, inner: np.ndarray, rng) -> np.ndarray:
    """Short hair: strands from the hairline back over the head, swept away from the parting."""
    count = 150
    start = rng.uniform(0, 1, (count, 1))
    run = np.linspace(0, 1, SAMPLES)[None]
    deep = rng.uniform(-0.05, 0.55, (count, 1)) + run * rng.uniform(0.3, 0.6, (count, 1))
    sweep = 0.16 * np.sign(face.hair.part + 1e-6) * np.sin(np.pi * start)
    across = start + sweep * run
    rim = np.minimum(deep, 1.04)[..., None]
    lines = _along(inner, across) * (1 - rim) + _along(outer, across) * rim
    return _wave(face, lines, rng)


def _fall(face: Face, outer: np.ndarray, inner: np.ndarray, rng) -> np.ndarray:
    """Long hair: strands from the parting down both sides, between hairline and outline."""
    count = 150
    right = rng.random(count) < 0.5 - 0.2 * face.hair.part
    part = 0.5 + 0.13 * face.hair.part
    run = np.linspace(0, 1, SAMPLES)[None] * rng.uniform(0.8, 1.0, (count, 1))
    begin = rng.uniform(0, 0.3, (count, 1)) * (rng.random((count, 1)) < 0.4)
    run = begin + (1 - begin) * run
    places = np.where(right[:, None], part + (1 - part) * run, part * (1 - run))
    rim = rng.beta(0.9, 0.9, (count, 1)) * 1.03
    fan = 0.4 * rng.integers(0, 2, (count, 1))
    rim = (rim + fan * (1 - rim) * (1 - run) ** 2)[..., None]
    lines = _along(inner, places) * (1 - rim) + _along(outer, places) * rim
    return _wave(face, lines, rng)


def _wave(face: Face, lines: np.ndarray, rng) -> np.ndarray:
    """Curl the strands, more towards their tips."""
    curl, count = face.hair.curl, len(lines)
    steps = np.linspace(0, 4 + 14 * curl, lines.shape[1]) + rng.uniform(0, 6.3, (count, 1))
    size = (0.012 + 0.05 * curl**1.5) * np.linspace(0.3, 1, lines.shape[1])
    lines[..., 0] += size * np.sin(steps)
    lines[..., 1] += size * 0.6 * np.cos(steps)
    return lines


def _fringe(face: Face, place: Layout, rng) -> tuple[np.ndarray, np.ndarray]:
    """A fringe from the crown over the forehead: its outline and its strands."""
    hair, width, count = face.hair, face.bones.width, 70
    low = place.brow[2, 1] - 0.06 - 0.3 * (1 - hair.fringe)
    slant = 0.22 * np.clip(hair.part * 2, -1, 1)
    x = np.linspace(-0.9, 0.9, 9) * width
    edge = np.stack([x, low - 0.18 * (x / width) ** 2 * (1 - hair.fringe) + slant * x], 1)
    edge[[0, -1], 1] += (0.12, 0.12)
    edge[1:-1, 1] += rng.uniform(-0.03, 0.03, 7)
    crown = place.skull[-1, 1] + 0.12
    x_top = np.linspace(-0.5, 0.5, 9) * width
    root = np.stack([x_top + 0.5 * hair.part, crown + 0.35 * (x_top / width) ** 2], 1)
    ring = np.concatenate([smooth(edge, 4), smooth(root, 4)[::-1]])
    across = rng.uniform(0, 1, (count, 1)) + np.zeros((1, SAMPLES))
    run = np.linspace(0, 1, SAMPLES)[None, :, None]
    run = rng.uniform(0, 0.5, (count, 1, 1)) * (1 - run) + run * rng.uniform(0.85, 1.02, (count, 1, 1))
    bulge = np.array([0, -0.05]) * np.sin(np.pi * run)
    lines = _along(root, across) * (1 - run) + _along(edge, across) * run + bulge
    return ring, _wave(face, lines, rng)


def _paint_locks(canvas: Canvas, face: Face, ring: np.ndarray, lines: np.ndarray, rng) -> None:
    """Fill `ring` and draw `lines` in it, with tips that leave it."""
    hair, colour = face.hair, hair_colour(face)
    solid = min(0.4 + 5 * hair.length, 1.0)
    window, mask = canvas.mask(ring, 0.014 + 0.03 * (hair.length < 0.1))
    if hair.curl > 0.5:
        _roughen(canvas, face, window, mask)
    low = np.array([window[1].start, window[0].start])
    paths = fixed(canvas.pixels(lines) - low)
    tone = np.full(mask.shape, 118, np.uint8)
    for index, grey in enumerate((84, 98, 132, 150, 108, 172)):
        canvas.draw(tone, list(paths[index::6]), 0.02, grey)
    tone = cv2.GaussianBlur(tone, (3, 3), 0.6)
    if hair.length > 0.1:
        tips = np.zeros(mask.shape, np.uint8)
        canvas.draw(tips, list(paths[::3]), 0.014, 200)
        mask = np.maximum(mask, tips * np.float32(1 / 255))
    tone = tone * np.float32(1 / 128) * _sheen(canvas, face, window)
    weight = mask * np.float32(solid)
    canvas.blend(window, weight, [tone * np.float32(c) for c in colour])
    if hair.length > 0.06:
        canvas.cover(window, mask)
    lift = (0.03 + 0.10 * hair.volume) * min(4 * hair.length, 1)
    canvas.relief[window] += (np.float32(lift) + 0.035 * (tone - 1)) * mask


def _sheen(canvas: Canvas, face: Face, window) -> np.ndarray:
    """A bright band round the crown, dark towards the roots below the ears, (height, width)."""
    x, y = canvas.xs[window[1]][None], canvas.ys[window[0]][:, None]
    far = np.hypot(x * 0.95, y + 0.1)
    gain = np.float32(0.36 * (1 - 0.75 * face.hair.curl))
    band = np.exp(-(((far - 1.2) / 0.2) ** 2))
    return 1.0 + gain * band * np.clip(1.2 - 1.5 * y, 0, 1) - 0.25 * np.clip((y - 0.1) / 1.2, 0, 1)


def _roughen(canvas: Canvas, face: Face, window, mask: np.ndarray) -> None:
    """Break up the edge of curly hair."""
    rng = np.random.default_rng(face.texture + 3)
    cell = max(int(0.07 * canvas.per_unit), 2)
    height, width = mask.shape
    small = rng.uniform(0, 1, (height // cell + 1, width // cell + 1)).astype(np.float32)
    rough = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    wide = blurred(mask, 0.06 * canvas.per_unit)
    edge = (wide - 0.28 - 0.5 * rough * (face.hair.curl - 0.2)) * 8
    np.clip(edge, 0, 1, out=mask)


def paint_beard(canvas: Canvas, face: Face, place: Layout) -> None:
    """A beard from sideburn to chin with a moustache, of hairs over a soft shade."""
    strength = face.hair.beard
    if strength <= 0:
        return
    rng = np.random.default_rng(face.texture + 5)
    jaw, mouth, nose = place.jaw, place.mouth, place.nose
    colour = hair_colour(face) * 0.9
    cheek = np.array([jaw[1], (-0.8, 0.55), (mouth[0, 0] - 0.16, mouth[0, 1] - 0.14),
                      (-0.17, nose[6, 1] + 0.07)])  # fmt: skip
    upper = smooth(np.concatenate([cheek, cheek[::-1] * MIRROR]), 4)
    beard = np.concatenate([upper, jaw[15:0:-1] * (1.02, 1.0) + (0, 0.02)])
    window, mask = canvas.mask(beard, 0.035)
    hole, around = canvas.mask(smooth(mouth[:12], 4, closed=True), 0.012)
    keep = np.zeros((canvas.n, canvas.n), np.float32)
    keep[window] = mask
    keep[hole] *= 1 - around
    mask = keep[window]
    count = 210
    root = np.stack([rng.uniform(-0.98, 0.98, count), rng.uniform(0.2, 1.45, count)], 1)
    fall = np.stack(
        [0.07 * root[:, 0] + rng.normal(0, 0.02, count), rng.uniform(0.06, 0.13, count)], 1
    )
    low = np.array([window[1].start, window[0].start])
    paths = fixed(canvas.pixels(np.stack([root, root + fall], 1)) - low)
    tone = np.full(mask.shape, 108, np.uint8)
    for index, grey in enumerate((66, 84, 128, 160)):
        canvas.draw(tone, list(paths[index::4]), 0.016, grey)
    tone = cv2.GaussianBlur(tone, (3, 3), 0.6) * np.float32(1 / 128)
    canvas.blend(window, mask, [tone * np.float32(c) for c in colour], 0.5 + 0.45 * strength)
    canvas.relief[window] += (0.03 * strength + 0.03 * (tone - 0.85)) * mask
