"""Histograms of oriented gradients and logistic regression: no network, no gradients to attack.

Dalal, N. and Triggs, B. (2005). Histograms of Oriented Gradients for Human Detection. CVPR.
"""

from pathlib import Path

import numpy as np
from torch import Tensor, from_numpy

from softbio.errors import UserError
from softbio.evaluators.crop import CANVAS, LUMA, crop, parts
from softbio.evaluators.interface import GenderClassifier
from softbio.evaluators.own import FACE, own_spec
from softbio.evaluators.registry import Square
from softbio.files import atomic

NAME = "hog_linear"
SIDE = 64
# blocks of 16 px every 8, cells of 8, nine directions: 7 x 7 x 4 x 9
FEATURES = 1764
# features lie in 0..0.2: a weak penalty
INVERSE_PENALTY = 1.0


def describe(faces: Tensor) -> np.ndarray:
    """Float (N, 3 or 1, 64, 64), 0..255 -> float32 (N, 1764)."""
    # slow to import; OpenCV 5 has no HOG any more
    from skimage.feature import hog

    x = faces.numpy()
    grey = x[:, 0] if x.shape[1] == 1 else np.einsum("nchw,c->nhw", x, LUMA)
    grey = np.rint(grey).clip(0, 255).astype(np.uint8)
    found = [hog(face, 9, (8, 8), (2, 2), block_norm="L2-Hys") for face in grey]
    return np.stack(found).astype(np.float32)


def fit(images: np.ndarray, male: np.ndarray, out: Path | str, frame: Square = CANVAS) -> None:
    """Train on uint8 (N, H, H, 3) or (N, H, H) faces, male bool (N,), and write the weights (.npz).

    Raises UserError where they do not show both genders.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(male)) < 2:
        raise UserError("HOG and logistic regression need faces of both genders")
    faces = [describe(crop(part, FACE, SIDE, frame)) for part in parts(images)]
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, class_weight="balanced")
    model.fit(np.concatenate(faces), np.asarray(male, bool))
    with atomic(out) as part:
        np.savez(part, weights=model.coef_[0], bias=model.intercept_)


def open_hog(path: Path | str) -> GenderClassifier:
    """The classifier in a file of `fit`; raises UserError for anything else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            weights, bias = file["weights"].astype(float), float(file["bias"][0])
        if weights.shape != (FEATURES,):
            raise ValueError(f"{weights.shape} weights")
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError) as error:
        raise UserError(f"{path}: no HOG classifier ({error}); train it again") from None

    def score(x: Tensor) -> Tensor:
        probability = 1 / (1 + np.exp(-(describe(x) @ weights + bias)))
        return from_numpy(probability.astype(np.float32))

    return GenderClassifier(own_spec(NAME, "HOG and logistic regression", SIDE, 1), score)
