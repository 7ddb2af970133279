"""Squares of an aligned face, resized: one linear map an axis, so that gradients go through it.

Coordinates are template units: those of the ArcFace template of 112 x 112
(`data/alignment/template.py`).
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from softbio.evaluators.registry import CANVAS, Square
from softbio.evaluators.registry import FRAME as FRAME

# the luma of JPEG, and of Pillow's "L"
LUMA = (0.299, 0.587, 0.114)
# few at a time: the layers of 224 px of FaceRes then stay in the cache (32: twice the time)
BATCH = 8


def crop(images: Tensor, square: Square, size: int, frame: Square = CANVAS) -> Tensor:
    """Cut a square out of images that show the square `frame`: (N, C, H, H) -> (N, C, size, size).

    Averages areas as OpenCV's INTER_AREA does, and interpolates as it does where `size` is more
    than the square has pixels; outside the frame its border goes on. Differentiable.
    """
    side = images.shape[-1]
    if images.shape[-2] != side:
        raise ValueError(f"images of {images.shape[-2]} x {side} are not square")
    scale = side / (2 * frame.half)

    def weights(centre: float, middle: float) -> Tensor:
        start = (centre - square.half - (middle - frame.half)) * scale
        length = 2 * square.half * scale
        return _axis_on(start, length, side, size, images.device, images.dtype)

    rows, columns = weights(square.cy, frame.cy), weights(square.cx, frame.cx)
    return rows @ images @ columns.T


def parts(faces: np.ndarray) -> Iterator[Tensor]:
    """uint8 (N, H, H, 3) or (N, H, H) in batches, float (n, 3 or 1, H, H)."""
    for start in range(0, len(faces), BATCH):
        # one layout whatever that of the faces, which may be a view of a single channel
        part = torch.from_numpy(np.array(faces[start : start + BATCH], np.float32, order="C"))
        yield part[:, None] if part.ndim == 3 else part.permute(0, 3, 1, 2)


def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Numbers (n,) of the kind and at the place of a tensor. Made once: each copy to a GPU waits
    until it has done all that it was given."""
    return _constant(values, like.device, like.dtype)


@lru_cache(maxsize=64)
def _constant(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    # what is made in inference mode could later stand in no loss
    with torch.inference_mode(False):
        return torch.tensor(values, device=device, dtype=dtype)


@lru_cache(maxsize=64)
def _axis_on(
    start: float, length: float, side: int, size: int, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """`axis` on a device, made once as in `constant`."""
    with torch.inference_mode(False):
        return torch.from_numpy(axis(start, length, side, size)).to(device, dtype)


@lru_cache(maxsize=64)
def axis(start: float, length: float, side: int, size: int) -> np.ndarray:
    """The map of one axis, float32 (size, side): `length` pixels from `start` on to `size`.

    start and length may be fractions, and reach beyond the `side` pixels that there are.
    """
    step = length / size
    edges = np.round(start + step * np.arange(size + 1), 9)
    weights = np.zeros((size, side))
    for row in range(size):
        left, right = edges[row], edges[row + 1]
        for pixel, weight in _overlaps(left, right) if step >= 1 else _linear(row, step, start):
            weights[row, min(max(pixel, 0), side - 1)] += weight
    return weights.astype(np.float32)


def _overlaps(left: float, right: float) -> list[tuple[int, float]]:
    """Pixels between two edges, and the share of each."""
    pixels = range(int(np.floor(left)), int(np.ceil(right)))
    return [(i, (min(right, i + 1) - max(left, i)) / (right - left)) for i in pixels]


def _linear(row: int, step: float, start: float) -> list[tuple[int, float]]:
    """OpenCV's INTER_AREA where it enlarges: a pixel keeps its value but at its far end."""
    first = int(np.floor(row * step + 1e-9))
    share = max((row + 1) - (first + 1) / step, 0.0)
    share -= np.floor(share + 1e-9) if share >= 1 else 0
    # a start between two pixels moves all by that fraction
    whole = int(np.floor(start + 1e-9))
    rest = start - whole
    taken = [(first, (1 - share)), (first + 1, share)]
    return [
        (whole + pixel + extra, weight * part)
        for pixel, weight in taken
        for extra, part in ((0, 1 - rest), (1, rest))
    ]
