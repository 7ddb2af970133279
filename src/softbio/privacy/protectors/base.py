"""What a protector is: a function from grey faces to grey faces, with its modes and citation."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from softbio.errors import UserError
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.san import San
from softbio.privacy.prototype_source import PrototypeSource
from softbio.privacy.warp import landmarks_px


@dataclass(frozen=True)
class Batch:
    """Faces to protect, and what a protector may know of them.

    images: float32 (B, 1, S, S) in 0..1 on the device; gender: int64 (B,) there, 1 male; rows:
    int64 (B,), CPU, their places in the data set.
    """

    images: Tensor
    gender: Tensor
    rows: Tensor


@dataclass(frozen=True)
class Resources:
    """What protectors work with; None where a run was given none.

    parts: object (N,), the part of each image; seed: of all that is drawn; members: the networks
    that `Protector.networks` names for the mode, in that order; generator: a `PrivacyNet`.
    """

    faces: GreyFaces
    parts: np.ndarray
    seed: int = 0
    classifier: nn.Module | None = None
    san: San | None = None
    source: PrototypeSource | None = None
    members: tuple[San, ...] = ()
    generator: nn.Module | None = None

    @property
    def device(self) -> torch.device:
        return self.faces.device

    def landmarks(self, row: int) -> np.ndarray:
        """Of one face, float64 (68, 2) pixels; raises UserError where it has none."""
        index = self.faces.packed.index
        row = index["landmarks"].iloc[row] if "landmarks" in index else None
        return landmarks_px(row, self.faces.size)

    def needed(self, name: str) -> nn.Module | PrototypeSource:
        """classifier, san, source or generator; raises UserError where it was not given."""
        if getattr(self, name) is None:
            raise UserError(f"this protector needs a {name}; give it one")
        return getattr(self, name)

    def series(self, count: int) -> tuple[San, ...]:
        """The members; raises UserError unless there are so many."""
        if len(self.members) != count:
            given = len(self.members)
            raise UserError(f"this mode needs {count} networks, and {given} are given; train them")
        return self.members


Protect = Callable[[Batch], Tensor]
# a mode, and how many members a run has -> networks, as folders below those of a seed
Networks = Callable[[str, int], tuple[str, ...]]


# more networks than anybody trains: a mode's name is checked before their number is known
MANY = 1000


def number_of(mode: str, name: str, most: int) -> int:
    """The whole number behind a mode's name: number_of("stage2", "stage", 5) is 2.

    Raises UserError unless it is there and from 1 to `most`.
    """
    digits = mode.removeprefix(name)
    if not (mode.startswith(name) and digits.isdecimal() and digits[0] != "0"):
        raise UserError(f"mode '{mode}' must be '{name}' and a number from 1")
    if int(digits) > most:
        raise UserError(f"mode '{mode}': there are {most} members; raise privacy.members")
    return int(digits)


@dataclass(frozen=True)
class Protector:
    """One way of protection.

    title: as tables print it; citation: where it was published; modes: those that are compared.
    prepare(mode, resources): the function, float32 (B, 1, S, S) in 0..1 from a `Batch`; equal for
        equal inputs. Raises UserError for a mode that it does not have.
    check(mode): raises the same for a mode's name alone, before any network is trained; None where
        `prepare` alone can tell.
    needs: what it takes of "classifier" (the auxiliary one), "san" and "members" (either with its
        prototypes) and "generator" (PrivacyNet); networks: of "members", or of
        "generator", those that a mode takes.
    knows_gender: whether it gets the true gender of the face, which then may show in its output.
    in_talk: whether the talk shows it.
    """

    title: str
    citation: str
    modes: tuple[str, ...]
    prepare: Callable[[str, Resources], Protect]
    needs: tuple[str, ...] = ()
    knows_gender: bool = True
    in_talk: bool = False
    check: Callable[[str], object] | None = None
    networks: Networks | None = None


def strength(mode: str, name: str, least: float = 0.0, most: float = math.inf) -> float:
    """The number behind a mode's name: strength("sigma2", "sigma") is 2.

    Raises UserError unless it is there and in [least, most].
    """
    try:
        value = float(mode.removeprefix(name)) if mode.startswith(name) else math.nan
    except ValueError:
        value = math.nan
    if not least <= value <= most or math.isinf(value):
        limits = f"from {least:g}" + (f" to {most:g}" if most < math.inf else "")
        raise UserError(f"mode '{mode}' must be '{name}' and a number {limits}")
    return value
