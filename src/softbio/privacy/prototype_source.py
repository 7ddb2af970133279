"""The prototypes that a network is shown: of each face, of its mode, on a device."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from softbio.errors import UserError
from softbio.privacy.faces import moved
from softbio.privacy.models.san import Modes
from softbio.privacy.prototypes import GroupPrototypes, Prototypes, read_prototypes
from softbio.privacy.recipe import SanRecipe


def modes_of(pair: Tensor, gender: Tensor, weights: tuple[float, float]) -> Modes:
    """P_SM, P_NT and P_OP of each face.

    pair: (B, 2, 3, S, S) or (1, 2, 3, S, S), female and male; gender int64 (B,), y = 1 male;
    weights of both in P_NT. P_SM(y) = y P_Male + (1 - y) P_Female, P_OP(y) = P_SM(1 - y).
    """
    y = gender.to(pair.dtype)[:, None, None, None]
    female, male = pair[:, 0], pair[:, 1]
    neutral = (weights[0] * female + weights[1] * male).expand(len(gender), -1, -1, -1)
    return Modes(y * male + (1 - y) * female, neutral, (1 - y) * male + y * female)


def neutral_weights(prototypes: Prototypes | GroupPrototypes, neutral: str) -> tuple[float, float]:
    """Of female and male in P_NT: halves for "mean", the classes' shares for "shares"."""
    return (0.5, 0.5) if neutral == "mean" else tuple(map(float, prototypes.shares))


@dataclass(frozen=True)
class PrototypeSource:
    """The prototypes of any face of a packed data set, on a device.

    pairs: uint8 (N, 2, S, S, 3) warped to each face, float32 (1, 2, S, S, 3) for all of them, or
    (groups + 1, 2, S, S, 3) with `group`, int64 (N,) on the CPU, -1 for the last.
    """

    pairs: Tensor
    weights: tuple[float, float]
    device: torch.device
    group: Tensor | None = None

    @cached_property
    def _shown(self) -> Tensor:
        """The pairs that many faces share, on the device."""
        return self.pairs.to(self.device)

    def modes(self, rows: Tensor, gender: Tensor) -> Modes:
        """Of the faces in `rows` (int64, on the CPU), whose gender is int64 (B,) on the device."""
        if self.group is not None:
            chosen = self._shown[moved(self.group[rows], self.device)]
        elif self.pairs.is_floating_point():
            chosen = self._shown
        else:
            chosen = moved(self.pairs[rows], self.device)
        pair = chosen.permute(0, 1, 4, 2, 3)
        pair = pair if pair.is_floating_point() else pair.float() / 255
        return modes_of(pair, gender, self.weights)


def source_of(
    path: Path, recipe: SanRecipe, prototypes: Path | None, pairs: Path | None, device: torch.device
) -> PrototypeSource:
    """The source for the SAN in a file, by its recipe; raises UserError where its prototypes were
    not given, or those of another kind."""
    if prototypes is None or (recipe.prototype == "warped") != (pairs is not None):
        raise UserError(f"{path}: trained with {recipe.prototype} prototypes; give those")
    known = read_prototypes(prototypes, recipe.groups)
    return prototype_source(known, pairs, recipe.neutral, device)


def prototype_source(
    prototypes: Prototypes | GroupPrototypes,
    pairs: Path | None,
    neutral: str,
    device: torch.device,
) -> PrototypeSource:
    """The source for a recipe; pairs: a file of `write_pairs` where it asks for warped ones."""
    weights = neutral_weights(prototypes, neutral)
    if pairs is None and isinstance(prototypes, GroupPrototypes):
        group = torch.from_numpy(prototypes.group)
        return PrototypeSource(torch.from_numpy(prototypes.means), weights, device, group)
    if pairs is None:
        return PrototypeSource(torch.from_numpy(prototypes.means)[None], weights, device)
    try:
        array = np.load(pairs, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{pairs}: not warped prototypes ({error}); make them again") from None
    return PrototypeSource(torch.from_numpy(array), weights, device)
