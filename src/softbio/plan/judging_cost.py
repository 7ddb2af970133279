"""What it costs to protect faces, and to judge and attack the protected ones, as `cost` has it.

Each job is charged for the faces that it touches, those of one or two parts of a population. The
rates are seconds a face on one core, measured at 64 px; with a GPU only the networks that the
project trains are faster, so that they are kept there too.
"""

import math
from collections.abc import Sequence

from softbio.plan.cost import BASE_MB, RATE, SAFETY, START_MINUTES, Cost
from softbio.privacy import PARTS, SHARES

# Of the slower half of the registry's evaluators (FaceRes, SFace: .023 measured on a quiet core).
JUDGING = 0.05
# Of all attackers together (.05 for 752 drawn faces; a matcher of the registry takes .012 more, and
# against a SAN two networks more are trained), on a side of SIDE px.
ATTACKING, SIDE = 0.1, 64
# Of all else that is done to a face: mixing takes .008 at 112 px and .030 at 224 px.
PASSING = 0.05
# Of a pixel: both prototypes are warped to a face in .023 at 224 px, .0061 at 112 and .0022 at 64.
WARPING = 0.023 / 224**2
# Bytes of a face that is learnt from: its HOG features, 1,764 numbers, and embeddings, each a few
# times over.
FEATURES = 40_000
# Bytes a pixel of a face that is scored: protected and unprotected.
SCORED = 2


def parts_of(counts: Sequence[int]) -> dict[str, float]:
    """Images of each part of a population: of two data sets, counts in the order of
    `privacy.plan.members`, the second is judged."""
    if len(counts) == 1:
        return {part: counts[0] * share for part, share in zip(PARTS, SHARES, strict=True)}
    learnt = counts[0] / sum(SHARES[:-1])
    parts = {part: learnt * share for part, share in zip(PARTS[:-1], SHARES[:-1], strict=True)}
    return parts | {PARTS[-1]: counts[1]}


def scoring_cost(faces: float, size: int, evaluators: int, gpu: bool) -> Cost:
    """Cost of `evaluators` of the registry on so many faces of `size` px, all of which they see."""
    return _cost(JUDGING * evaluators * faces, faces * size**2 * SCORED, size, gpu)


def passing_cost(faces: float, size: int, gmac: float, gpu: bool) -> Cost:
    """Cost of passing so many faces through networks, in batches, as who protects or embeds them
    does. gmac: 10^9 multiply-adds for one."""
    seconds = (PASSING + gmac / RATE["gpu" if gpu else "cpu"]) * faces
    return _cost(seconds, 0, size, gpu)


def attacking_cost(faces: float, size: int, modes: int, gpu: bool) -> Cost:
    """Cost of all attackers on one condition. faces: of the parts "attacker" and "test"; modes: of
    the protection, which the attacker has his faces in, 1 where it has none."""
    # what they train sees all pixels; a GPU has time for that
    pixels = 1 if gpu else max(1, (size / SIDE) ** 2)
    # Bytes a pixel. Held all the time: clean, and protected in each mode; beside them what one of
    # the attacks learns from, clean and protected or all modes, or what a transform gives.
    held = 1 + modes + max(2, modes) + 1
    return _cost(ATTACKING * pixels * faces, faces * (held * size**2 + FEATURES), size, gpu)


def hog_cost(faces: float, size: int) -> Cost:
    """Cost of fitting HOG and logistic regression to so many faces, on a CPU."""
    return _cost(JUDGING * faces, faces * (SCORED * size**2 + FEATURES), size, gpu=False)


def warping_cost(faces: float, size: int) -> Cost:
    """Cost of warping both prototypes to so many faces, on a CPU; they are written as they come."""
    return _cost(WARPING * size**2 * faces, 0, size, gpu=False)


def _cost(seconds: float, memory: float, size: int, gpu: bool) -> Cost:
    """seconds: of one core; memory: bytes, beside those of the programs."""
    minutes = START_MINUTES + math.ceil(SAFETY * seconds / 60)
    # a batch's activations of the widest layer, and the evaluators' weights
    base = BASE_MB["gpu" if gpu else "cpu"] + 1500 * (size / 112) ** 2 + 1000
    return Cost(minutes, math.ceil((base + memory / 1e6) / 100) * 100, int(gpu))
