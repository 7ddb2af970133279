"""One face -> pixels and landmarks.

The head is painted unposed on a canvas (skin colour and relief), lit there by the turned light,
then warped to the image by the inverse of the projection that also gives the landmarks.
"""

import cv2
import numpy as np

from .canvas import ORIGIN, SIDE, Canvas, axes
from .face import Face, Pose
from .features import paint_ears, paint_features, paint_glasses
from .geometry import Layout, layout, outline, project, surface
from .hair import paint_beard, paint_hair
from .scene import background, paint_body
from .skin import light_up, paint_skin, wrinkle

# At this size threads cost more than they save, and faces are best drawn by several processes.
cv2.setNumThreads(1)

COARSE = 48
DETAIL = 1.5  # canvas pixels a pixel of the image
ROUNDS = 9


def render(face: Face, size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Draw `face`: uint8 (size, size, 3) RGB, and float32 (68, 2) landmarks x, y in its pixels.

    The landmarks follow iBUG: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67. They are
    the points that the features are drawn through, on the same surface and after the same turn.
    (0, 0) is the centre of the upper left pixel.
    """
    place = layout(face)
    shape = surface(face, place)
    rng = np.random.default_rng(face.texture)
    image = background(face, size, rng)
    paint_body(image, face, place.jaw[8, 1], rng)
    canvas = Canvas(2 * round(DETAIL * size / 2))
    paint_head(canvas, face, place, rng)
    depth = shape.grid(*axes(canvas.n // 2))
    fine = cv2.resize(depth, (canvas.n, canvas.n), interpolation=cv2.INTER_CUBIC)
    lit = light_up(canvas, face, canvas.mask(outline(place), 0.1), fine)
    _put_head(image, canvas, lit, depth, face.pose)
    image *= 255
    pixels = np.rint(np.clip(image, 0, 255, out=image), out=image).astype(np.uint8)
    points = place.landmarks
    landmarks = project(points, shape.at(points), face.pose, size)
    return cv2.merge(pixels), landmarks.astype(np.float32)


def paint_head(canvas: Canvas, face: Face, place: Layout, rng: np.random.Generator) -> None:
    """Paint the unlit, unturned head."""
    paint_skin(canvas, face, place, rng)
    window, head = canvas.mask(outline(place))
    canvas.cover(window, head)
    paint_ears(canvas, face)
    paint_features(canvas, face, place, rng)
    wrinkle(canvas, face, place, rng)
    canvas.press()
    paint_beard(canvas, face, place, rng)
    paint_hair(canvas, face, place, rng)
    if face.scene.glasses:
        paint_glasses(canvas, face, place)


def _put_head(image, canvas: Canvas, lit: np.ndarray, depth: np.ndarray, pose: Pose) -> None:
    """Warp the lit canvas into `image`, float32 (3, size, size)."""
    size = image.shape[1]
    at = canvas.pixels(_unproject(depth, pose, size)).astype(np.float32)
    np.clip(lit, 0, 1, out=lit)
    opaque = canvas.alpha * np.float32(255)
    layers = [(plane * opaque).astype(np.uint8) for plane in lit]
    layers = cv2.blur(cv2.merge([*layers, opaque.astype(np.uint8)]), (2, 2), anchor=(0, 0))
    head = cv2.remap(layers, at[..., 0] - 0.5, at[..., 1] - 0.5, cv2.INTER_LINEAR)
    *colours, alpha = cv2.split(head)
    behind = 1 - alpha * np.float32(1 / 255)
    for plane, colour in zip(image, colours, strict=True):
        plane *= behind
        plane += colour * np.float32(1 / 255)


def _unproject(depth: np.ndarray, pose: Pose, size: int) -> np.ndarray:
    """Head coordinates seen at each pixel, (size, size, 2): the projection, inverted by iteration.

    It is solved on a coarse grid, as the surface is smooth. depth: float32, over the canvas.
    """
    side = (np.arange(COARSE) + 0.5) / COARSE
    x, y = np.meshgrid((side - pose.centre[0]) / pose.scale, (side - pose.centre[1]) / pose.scale)
    cosine, sine = np.cos(pose.roll), np.sin(pose.roll)
    x, y = x * cosine + y * sine, y * cosine - x * sine
    x, y = x.astype(np.float32), y.astype(np.float32)
    cos_yaw, sin_yaw = np.float32(np.cos(pose.yaw)), np.float32(np.sin(pose.yaw))
    cos_pitch, sin_pitch = np.float32(np.cos(pose.pitch)), np.float32(np.sin(pose.pitch))
    per_unit = np.float32(len(depth) / SIDE)
    left, top = np.float32(ORIGIN)
    hx, hy = x, y
    for _ in range(ROUNDS):
        at_x, at_y = (hx - left) * per_unit - 0.5, (hy - top) * per_unit - 0.5
        z = cv2.remap(depth, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        hx = (x - sin_yaw * z) / cos_yaw
        hy = (y + sin_pitch * (cos_yaw * z - sin_yaw * hx)) / cos_pitch
    return cv2.resize(np.dstack([hx, hy]), (size, size), interpolation=cv2.INTER_LINEAR)
