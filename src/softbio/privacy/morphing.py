"""Face mixing: two faces brought to a shape between theirs and blended.

Othman, Ross: Privacy of facial soft biometrics: suppressing gender but retaining identity. ECCV
Workshops 2014; here with 68 landmarks and the 8 border points.
"""

from typing import NamedTuple

import numpy as np

from softbio.errors import UserError
from softbio.privacy.warp import maps, warped, with_border


class Mixed(NamedTuple):
    """image: float32 (S, S) or (S, S, C); landmarks: float64 (68, 2), where they are in it."""

    image: np.ndarray
    landmarks: np.ndarray


def mix(
    face: np.ndarray,
    landmarks: np.ndarray,
    mate: np.ndarray,
    mate_landmarks: np.ndarray,
    alpha: float,
) -> Mixed:
    """alpha of a face and 1 - alpha of its mate, in shape and in texture.

    Images float32 (S, S) or (S, S, C), landmarks (68, 2) pixels. alpha 1 gives the face itself,
    alpha 0 the mate. Raises UserError for an alpha outside 0..1.
    """
    if not 0 <= alpha <= 1:
        raise UserError(f"alpha is {alpha}; it must be in [0, 1]")
    size = face.shape[0]
    own, other = with_border(landmarks, size), with_border(mate_landmarks, size)
    between = alpha * own + (1 - alpha) * other
    # a texture of no weight is not warped
    parts = [
        np.float32(weight) * warped(image.astype(np.float32), maps(points, between, size))
        for image, points, weight in ((face, own, alpha), (mate, other, 1 - alpha))
        if weight > 0
    ]
    return Mixed(sum(parts[1:], parts[0]), between[: len(landmarks)])


def choose_mates(
    gender: np.ndarray,
    candidates: np.ndarray,
    candidate_gender: np.ndarray,
    rows: np.ndarray,
    seed: int,
) -> np.ndarray:
    """A candidate of the opposite gender for each face, drawn by the seed and the face's row alone.

    gender int (B,); candidates int (C,) row numbers with their gender (C,); rows int (B,).
    Gives row numbers (B,). Raises UserError where a gender has no candidate.
    """
    pools = [candidates[candidate_gender == 1 - own] for own in (0, 1)]
    for own in np.unique(gender):
        if not len(pools[own]):
            raise UserError("face mixing: no candidate of the opposite gender; widen its part")
    draws = [np.random.default_rng([seed, row]).random() for row in rows]
    return np.array(
        [pools[own][int(draw * len(pools[own]))] for own, draw in zip(gender, draws, strict=True)]
    )
