"""Histograms of oriented gradients and logistic regression: no network, no gradients to attack.

Dalal, N. and Triggs, B. (2005). Histograms of Oriented Gradients for Human Detection. CVPR.
"""

from pathlib import Path

import numpy as np
from torch import Tensor, from_numpy

from softbio.errors import UserError
from softbio.evaluators.crop import CANVAS, LUMA, crop, parts
from softbio.evaluators.interface import GenderClassifier
from softbio.evaluators.logistic import fit_logistic
from softbio.evaluators.own import FACE, own_spec
from softbio.evaluators.registry import Square
from softbio.files import atomic, read_arrays

NAME = "hog_linear"
SIDE = 64
CELL = 8
DIRECTIONS = 9
# 7 x 7 blocks of 2 x 2 cells
FEATURES = 1764
# features lie in 0..0.2: a weak penalty
INVERSE_PENALTY = 1.0


def describe(faces: Tensor) -> np.ndarray:
    """Float (N, 3 or 1, 64, 64), 0..255 -> float32 (N, 1764)."""
    x = faces.numpy().astype(float)
    grey = x[:, 0] if x.shape[1] == 1 else np.einsum("nchw,c->nhw", x, LUMA)
    return hog(np.rint(grey).clip(0, 255)).astype(np.float32)


def hog(grey: np.ndarray) -> np.ndarray:
    """Float (N, H, W) -> (N, features): central differences, hard bins, blocks of 2 x 2 cells,
    normalised, clipped at .2 and normalised again (L2-Hys); what scikit-image gives."""
    down, across = np.zeros_like(grey), np.zeros_like(grey)
    down[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    across[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    bins = (np.rad2deg(np.arctan2(down, across)) % 180 // (180 / DIRECTIONS)).astype(int)
    strength = np.hypot(down, across)
    n, height, width = grey.shape
    into = (n, height // CELL, CELL, width // CELL, CELL)
    cells = np.stack(
        [(strength * (bins == b)).reshape(into).mean((2, 4)) for b in range(DIRECTIONS)], axis=-1
    )
    windows = np.lib.stride_tricks.sliding_window_view(cells, (2, 2), axis=(1, 2))
    blocks = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n, -1, 4 * DIRECTIONS)
    for last in (False, True):
        blocks = blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + 1e-10)
        blocks = blocks if last else blocks.clip(max=0.2)
    return blocks.reshape(n, -1)


def fit(images: np.ndarray, male: np.ndarray, out: Path | str, frame: Square = CANVAS) -> None:
    """Train on uint8 (N, H, H, 3) or (N, H, H) faces, male bool (N,), and write the weights (.npz).

    Raises UserError where they do not show both genders.
    """
    if len(np.unique(male)) < 2:
        raise UserError("HOG and logistic regression need faces of both genders")
    faces = [describe(crop(part, FACE, SIDE, frame)) for part in parts(images)]
    model = fit_logistic(np.concatenate(faces, dtype=np.float64), male, INVERSE_PENALTY)
    with atomic(out) as part:
        # rounded, for the last digits depend on the CPU
        np.savez(
            part,
            weights=model.coef_[0].astype(np.float32),
            bias=model.intercept_.astype(np.float32),
        )


def open_hog(path: Path | str) -> GenderClassifier:
    """The classifier in a file of `fit`; raises UserError for anything else."""
    try:
        file = read_arrays(path)
        weights, bias = file["weights"].astype(float), float(file["bias"][0])
        if weights.shape != (FEATURES,):
            raise ValueError(f"{weights.shape} weights")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(f"{path}: no HOG classifier ({error}); train it again") from None

    def score(x: Tensor) -> Tensor:
        probability = 1 / (1 + np.exp(-(describe(x) @ weights + bias)))
        return from_numpy(probability.astype(np.float32))

    return GenderClassifier(own_spec(NAME, "HOG and logistic regression", SIDE, 1), score)
