"""Face mixing with a face of the opposite gender: what the talk's curves call Ref. [21]."""

import numpy as np
import torch
from torch import Tensor

from softbio.privacy.morphing import choose_mates, mix
from softbio.privacy.protectors.base import Batch, Protect, Protector, Resources, strength


def share_of(mode: str) -> float:
    """Of the face itself."""
    return strength(mode, "alpha", 0, 1)


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "alpha" and the share of the face itself, in shape and texture.

    Mates are drawn from the part "san", so that no test face is mixed into another one. The
    draws are those of the seed: a benchmark of several makes mixed faces by the first alone, as
    `HidingPlan.conditions` says.
    """
    alpha = share_of(mode)
    candidates = np.flatnonzero(resources.parts == "san")
    genders = resources.faces.gender.cpu().numpy()

    def protect(batch: Batch) -> Tensor:
        rows = batch.rows.numpy()
        mates = choose_mates(genders[rows], candidates, genders[candidates], rows, resources.seed)
        others = resources.faces.batch(torch.from_numpy(mates)).cpu().numpy()[:, 0]
        own = batch.images.cpu().numpy()[:, 0]
        pairs = zip(own, rows, others, mates, strict=True)
        mixed = [
            mix(face, resources.landmarks(row), other, resources.landmarks(mate), alpha).image
            for face, row, other, mate in pairs
        ]
        return torch.from_numpy(np.stack(mixed))[:, None].to(resources.device)

    return protect


PROTECTOR = Protector(
    title="Face mixing",
    citation="Othman, Ross: Privacy of facial soft biometrics: suppressing gender but retaining "
    "identity. ECCV Workshops 2014",
    modes=("alpha0.9", "alpha0.8", "alpha0.7", "alpha0.6", "alpha0.5", "alpha0.3"),
    prepare=prepare,
    check=share_of,
    in_talk=True,
)
