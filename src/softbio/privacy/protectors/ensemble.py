"""Several SANs, each against a gender classifier of its own, in the mode OP.

The choice that is best against a given classifier, member by member, is no protection but an upper
bound: it takes the classifier's answers, so tables find it in the scores of the members' modes.
"""

import sys

import numpy as np
import torch
from torch import Tensor

from softbio.errors import UserError
from softbio.privacy.family import member_folder, parsed
from softbio.privacy.models.san import passed
from softbio.privacy.protectors.base import MANY, Batch, Protect, Protector, Resources, number_of

JOINT = ("average", "random")


def networks(mode: str, count: int) -> tuple[str, ...]:
    """All of `count` members, or the one that the mode names."""
    what, diversity = parsed(mode)
    if count < 2:
        raise UserError(f"an ensemble of {count} is none; set privacy.members to 2 or more")
    numbers = range(1, count + 1)
    if what not in JOINT:
        if not what.startswith("member"):
            raise UserError(
                f"mode '{mode}' is unknown; an ensemble has {', '.join(JOINT)} and member1, ..."
            )
        numbers = [number_of(what, "member", count)]
    return tuple(f"{member_folder(diversity, number)}/san" for number in numbers)


def check(mode: str) -> None:
    """Raise UserError for a mode that no ensemble has, whatever its number of members."""
    networks(mode, MANY)


def picks(seed: int, rows: np.ndarray, count: int) -> np.ndarray:
    """A member of `count` for each face, int64 (B,), drawn by the seed and the face's row alone."""
    return np.array([np.random.default_rng([seed, row]).integers(count) for row in rows], np.int64)


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "member" and its number, "average" of all members' faces, or "random": one member a
    face; then "-e1" or "-e2" for an ensemble of that diversity."""
    what, _ = parsed(mode)
    joint = what in JOINT
    count = len(resources.members) if joint else 1
    # a mode that there is not, or an ensemble of one
    networks(mode, count if joint else sys.maxsize)
    members, source = resources.series(count), resources.needed("source")

    def protect(batch: Batch) -> Tensor:
        prototypes = source.modes(batch.rows, batch.gender)
        faces = torch.stack([passed([each], batch.images, prototypes) for each in members])
        if what == "random":
            chosen = torch.from_numpy(picks(resources.seed, batch.rows.numpy(), len(members)))
            return faces[chosen.to(faces.device), torch.arange(len(chosen), device=faces.device)]
        return faces.mean(0)

    return protect


PROTECTOR = Protector(
    title="Ensemble SAN",
    citation="Mirjalili, Raschka, Ross: Gender privacy: an ensemble of semi adversarial networks "
    "for confounding arbitrary gender classifiers. BTAS 2018 (arXiv:1807.11936)",
    modes=("member1", "average", "random"),
    prepare=prepare,
    needs=("members",),
    in_talk=True,
    networks=networks,
    check=check,
)
