"""Hair and beard: a mask between hairline and outline, strands along the flow, and a sheen."""

import cv2
import numpy as np

from .canvas import Canvas, blurred
from .curves import MIRROR, along, moved, smooth
from .face import Face
from .geometry import Layout

LONG = 0.42  # the length from which hair falls below the ears
STRANDS = 110
RUN = np.linspace(0, 1, 9)  # along a strand


def hair_colour(face: Face) -> np.ndarray:
    """Hair colour after greying, RGB."""
    grey = face.ageing.grey
    silver = np.array([0.76, 0.76, 0.77]) - 0.22 * (1 - grey)
    return np.array(face.colours.hair) * (1 - grey) + silver * grey


def paint_hair(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """Hair over forehead, temples and sides, with its shadow on the skin."""
    hair = face.hair
    outer, inner = _outer(face, place), _inner(face, place)
    ring = np.concatenate([outer, inner[::-1]])
    window, shadow = canvas.mask(moved(ring, 0, 0.05), 0.06)
    shadow = 1 - np.float32(0.38 * min(4 * hair.length, 1)) * shadow
    for plane in canvas.planes:
        plane[window] *= shadow
    long = hair.length > LONG
    lines = _fall(face, outer, inner, rng) if long else _rise(face, outer, inner, rng)
    _paint_locks(canvas, face, ring, lines, rng)
    if long:
        part = _parting(face)
        line = np.stack([along(outer, part), along(inner, part)])
        line[0] += 0.45 * (line[1] - line[0])
        canvas.stroke(line, np.array(face.colours.skin) * 0.7, 0.022, 0.55, 0.006)
    if _has_fringe(face):
        _paint_locks(canvas, face, *_fringe(face, place, rng), rng)


def _parting(face: Face) -> np.ndarray:
    """Where the parting lies along hairline and outline, 0..1."""
    return np.array(0.5 + 0.13 * face.hair.part)


def _has_fringe(face: Face) -> bool:
    hair = face.hair
    straight = hair.length > 0.12 and hair.curl < 0.5
    return straight and hair.fringe > 0 and face.ageing.recession < 0.4


def _outer(face: Face, place: Layout) -> np.ndarray:
    """The hair's outside, from the lower left over the crown to the lower right, (n, 2)."""
    hair, bald = face.hair, face.ageing.recession
    puff = min(hair.length / 0.3, 1) * (0.07 + 0.13 * hair.volume + 0.26 * hair.curl**2)
    skull = place.skull
    away = moved(skull, 0, 0.1)
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
    line = np.concatenate([left, [(0.0, middle - 0.04)], left[::-1] * MIRROR])
    if face.hair.length > LONG and recession < 0.4:
        # Parted hair falls over the temples and opens towards the parting.
        over = 0.9 - 0.1 * face.hair.volume
        above = (line[:, 1] < -0.2) & (line[:, 0] != 0)
        line[above, 0] *= over
        line[above, 1] += 0.06
        line[line[:, 0] == 0, 0] = 0.6 * face.hair.part
    return smooth(line, 4)


def _rise(face: Face, outer: np.ndarray, inner: np.ndarray, rng) -> np.ndarray:
    """Short hair: strands from the hairline back over the head, swept away from the parting."""
    start, begin, reach = rng.random((3, STRANDS, 1))
    rim = np.minimum(0.6 * begin - 0.05 + RUN * (0.3 + 0.3 * reach), 1.04)[..., None]
    side = 1 if face.hair.part >= 0 else -1
    places = start + 0.16 * side * np.sin(np.pi * start) * RUN
    lines = along(inner, places) * (1 - rim) + along(outer, places) * rim
    return _wave(face, lines, rng)


def _fall(face: Face, outer: np.ndarray, inner: np.ndarray, rng) -> np.ndarray:
    """Long hair: strands from the parting down both sides, between hairline and outline."""
    side, begin, reach, rim = rng.random((4, STRANDS, 1))
    part = _parting(face)
    begin = np.maximum(0.5 * begin - 0.25, 0)
    run = begin + (0.8 + 0.2 * reach - begin) * RUN
    right = side < 0.5 - 0.2 * face.hair.part
    places = np.where(right, part + (1 - part) * run, part * (1 - run))
    # Half of the strands start higher on the parting than they end and so cross the others.
    fan = 0.4 * (np.arange(STRANDS) % 2)[:, None]
    rim = (1.03 * rim + fan * (1 - rim) * (1 - run) ** 2)[..., None]
    lines = along(inner, places) * (1 - rim) + along(outer, places) * rim
    return _wave(face, lines, rng)


def _wave(face: Face, lines: np.ndarray, rng) -> np.ndarray:
    """Curl the strands, more towards their tips."""
    curl = face.hair.curl
    steps = RUN * (4 + 14 * curl) + 6.3 * rng.random((len(lines), 1))
    size = (0.012 + 0.05 * curl**1.5) * (0.3 + 0.7 * RUN)
    lines[..., 0] += size * np.sin(steps)
    lines[..., 1] += size * 0.6 * np.cos(steps)
    return lines


def _fringe(face: Face, place: Layout, rng) -> tuple[np.ndarray, np.ndarray]:
    """A fringe from the crown over the forehead: its outline and its strands."""
    hair, width = face.hair, face.bones.width
    low = place.brow[2, 1] - 0.06 - 0.3 * (1 - hair.fringe)
    slant = 0.22 * min(max(hair.part * 2, -1), 1)
    x = np.linspace(-0.9, 0.9, 9) * width
    edge = np.stack([x, low - 0.18 * (x / width) ** 2 * (1 - hair.fringe) + slant * x], 1)
    edge[[0, -1], 1] += 0.12
    edge[1:-1, 1] += rng.uniform(-0.03, 0.03, 7)
    crown = place.skull[-1, 1] + 0.12
    x = np.linspace(-0.5, 0.5, 9) * width
    root = np.stack([x + 0.5 * hair.part, crown + 0.35 * (x / width) ** 2], 1)
    edge, root = smooth(edge, 4), smooth(root, 4)
    across, begin, reach = rng.random((3, STRANDS // 2, 1))
    run = (0.5 * begin * (1 - RUN) + RUN * (0.85 + 0.17 * reach))[..., None]
    lines = along(root, across) * (1 - run) + along(edge, across) * run
    lines[..., 1] -= 0.05 * np.sin(np.pi * run[..., 0])
    return np.concatenate([edge, root[::-1]]), _wave(face, lines, rng)


def _paint_locks(canvas: Canvas, face: Face, ring: np.ndarray, lines: np.ndarray, rng) -> None:
    """Fill `ring` and draw `lines` in it, with tips that leave it."""
    hair = face.hair
    window, mask = canvas.mask(ring, 0.014 + 0.03 * (hair.length < 0.1))
    if hair.curl > 0.5:
        _roughen(canvas, face, mask, rng)
    paths = canvas.paths(lines, window)
    tone = np.full(mask.shape, 118, np.uint8)
    for index, grey in enumerate((84, 98, 132, 150, 108, 172)):
        canvas.draw(tone, paths[index::6], 0.02, grey)
    tone = cv2.GaussianBlur(tone, (3, 3), 0.6)
    if hair.length > 0.1:
        tips = np.zeros(mask.shape, np.uint8)
        canvas.draw(tips, paths[::3], 0.014, 200)
        mask = np.maximum(mask, tips * np.float32(1 / 255))
    tone = tone * _sheen(canvas, face, window)
    weight = mask * np.float32(min(0.4 + 5 * hair.length, 1.0))
    canvas.blend(window, weight, [tone * np.float32(c) for c in hair_colour(face)])
    if hair.length > 0.06:
        canvas.cover(window, mask)
    lift = (0.03 + 0.10 * hair.volume) * min(4 * hair.length, 1)
    canvas.relief[window] += (np.float32(0.035) * tone + np.float32(lift - 0.035)) * mask


def _sheen(canvas: Canvas, face: Face, window) -> np.ndarray:
    """Gain (height, width), grey 128 to 1: a bright band round the crown, darker ends."""
    x, y = canvas.xs[window[1]], canvas.ys[window[0]][:, None]
    far = np.sqrt(x * x + (y + np.float32(0.1)) ** 2)
    gain = np.float32(0.36 / 128 * (1 - 0.75 * face.hair.curl))
    band = np.maximum(1 - np.abs(far - np.float32(1.2)) * np.float32(1 / 0.36), 0)
    fade = gain * np.clip(1.2 - 1.5 * y, 0, 1)
    ends = np.float32(1 / 128) * (1 - np.float32(0.25) * np.clip((y - 0.1) / 1.2, 0, 1))
    return ends + fade * band


def _roughen(canvas: Canvas, face: Face, mask: np.ndarray, rng) -> None:
    """Break up the edge of curly hair."""
    cell = max(int(0.07 * canvas.per_unit), 2)
    height, width = mask.shape
    small = rng.random((height // cell + 1, width // cell + 1), np.float32)
    rough = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    wide = blurred(mask, 0.06 * canvas.per_unit)
    edge = cv2.addWeighted(wide, 8, rough, -4 * (face.hair.curl - 0.2), -8 * 0.28)
    np.clip(edge, 0, 1, out=mask)


def paint_beard(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """A beard from sideburn to chin with a moustache, of hairs over a soft shade."""
    strength = face.hair.beard
    if strength <= 0:
        return
    jaw, mouth, nose = place.jaw, place.mouth, place.nose
    cheek = np.array([jaw[1], (-0.8, 0.55), moved(mouth[0], -0.16, -0.14),
                      (-0.17, nose[6, 1] + 0.07)])  # fmt: skip
    upper = smooth(np.concatenate([cheek, cheek[::-1] * MIRROR]), 4)
    lower = moved(jaw[15:0:-1] * (1.02, 1.0), 0, 0.02)
    window, mask = canvas.mask(np.concatenate([upper, lower]), 0.035)
    hole, around = canvas.mask(smooth(mouth[:12], 4, closed=True), 0.012)
    top, left = hole[0].start - window[0].start, hole[1].start - window[1].start
    mask[top : top + around.shape[0], left : left + around.shape[1]] *= 1 - around
    root = rng.uniform((-0.98, 0.2), (0.98, 1.45), (180, 2))
    fall = rng.uniform((-0.03, 0.06), (0.03, 0.13), (180, 2))
    fall[:, 0] += 0.07 * root[:, 0]
    paths = canvas.paths(np.stack([root, root + fall], 1), window)
    tone = np.full(mask.shape, 108, np.uint8)
    for index, grey in enumerate((66, 84, 128, 160)):
        canvas.draw(tone, paths[index::4], 0.016, grey)
    tone = cv2.GaussianBlur(tone, (3, 3), 0.6) * np.float32(1 / 128)
    colours = [tone * np.float32(0.9 * c) for c in hair_colour(face)]
    canvas.blend(window, mask, colours, 0.5 + 0.45 * strength)
    canvas.relief[window] += np.float32(0.03) * (tone + np.float32(strength - 0.85)) * mask
