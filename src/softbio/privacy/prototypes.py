"""Gender prototypes: what a face of either gender looks like on average."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.files import atomic, read_arrays
from softbio.privacy.groups import face_groups
from softbio.privacy.models.san import Modes
from softbio.privacy.parts import gender_of, read_parts
from softbio.privacy.recipe import SanRecipe
from softbio.privacy.warp import landmarks_px, maps, warped, with_border

CHUNK = 1024


@dataclass(frozen=True)
class Prototypes:
    """Means of the training faces, in the order female, male.

    means: float32 (2, S, S, 3) RGB in 0..1; landmarks: float64 (2, 68, 2) pixels, the means of
    theirs, NaN where the data set has none; shares: (2,) of the faces, which sum to 1.
    """

    means: np.ndarray
    landmarks: np.ndarray
    shares: np.ndarray

    @property
    def size(self) -> int:
        """Side in pixels."""
        return self.means.shape[1]

    def of(self, row: int) -> "Prototypes":
        """Those of one face: the same for all."""
        return self


@dataclass(frozen=True)
class GroupPrototypes:
    """Prototypes of each group, as the talk's Figure 4 shows them: a face has those of its own.

    every: one for each of `names`, then those of all faces, for a face in no group; group: int64
    (N,), of each image of the data set, -1 for none; choice: what the recipe asked for.
    """

    every: tuple[Prototypes, ...]
    names: tuple[str, ...]
    group: np.ndarray
    choice: str

    @property
    def size(self) -> int:
        """Side in pixels."""
        return self.every[0].size

    @property
    def shares(self) -> np.ndarray:
        """Of both genders within the groups' mean, (2,)."""
        return np.mean([each.shares for each in self.every[:-1]], axis=0)

    @property
    def means(self) -> np.ndarray:
        """float32 (groups + 1, 2, S, S, 3)."""
        return np.stack([each.means for each in self.every])

    def of(self, row: int) -> Prototypes:
        """Those of the face in a row."""
        return self.every[self.group[row]]


def mean_faces(packed: Packed, rows: np.ndarray, gender: np.ndarray) -> Prototypes:
    """Prototypes of the faces in `rows` (int), whose gender is int (len(rows),).

    Raises UserError where a gender is absent.
    """
    sides = [rows[gender == value] for value in (0, 1)]
    if not all(map(len, sides)):
        raise UserError("prototypes: the training part holds one gender only; give it both")
    return Prototypes(
        np.stack([_mean(packed.images, side) for side in sides]),
        np.stack([_mean_landmarks(packed, side) for side in sides]),
        np.array([len(side) / len(rows) for side in sides]),
    )


def group_faces(packed: Packed, inside: np.ndarray, choice: str) -> GroupPrototypes:
    """Prototypes of the groups of a choice of `recipe.Grouping`, of the faces that are inside, bool
    (N,). Raises UserError as `face_groups`, and for a group without a face of either gender."""
    groups = face_groups(packed, inside, choice, np.ones(len(inside), bool))
    gender = gender_of(packed)
    found = []
    for number in range(len(groups.names)):
        rows = np.flatnonzero(inside & (groups.number == number))
        for own in (0, 1):
            if own not in gender[rows]:
                name = groups.cell_name(2 * number + own)
                raise UserError(
                    f"prototypes: no training face is '{name}', so it has no prototype; choose "
                    "fewer privacy.groups"
                )
        found.append(mean_faces(packed, rows, gender[rows]))
    learnt = np.flatnonzero(inside)
    found.append(mean_faces(packed, learnt, gender[learnt]))
    return GroupPrototypes(tuple(found), groups.names, groups.number, choice)


def make_prototypes(packed: Packed, parts: Path, path: Path, groups: str = "gender") -> None:
    """prototypes.npz of the part "san" by a file of `write_parts`; groups: as a recipe names them,
    "gender" for none beside."""
    inside = read_parts(parts, packed) == "san"
    if groups == "gender":
        rows = np.flatnonzero(inside)
        write_prototypes(mean_faces(packed, rows, gender_of(packed)[rows]), path)
    else:
        write_prototypes(group_faces(packed, inside, groups), path)


def _mean(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Exact: whole numbers are summed."""
    total = np.zeros(images.shape[1:], np.int64)
    for start in range(0, len(rows), CHUNK):
        total += images[rows[start : start + CHUNK]].sum(0, dtype=np.int64)
    return (total / (255 * len(rows))).astype(np.float32)


def _mean_landmarks(packed: Packed, rows: np.ndarray) -> np.ndarray:
    column = packed.index.get("landmarks")
    if column is None or column.iloc[rows].isna().any():
        return np.full((68, 2), np.nan)
    size = packed.images.shape[1]
    return np.mean([landmarks_px(row, size) for row in column.iloc[rows]], axis=0)


def warp_to(prototypes: Prototypes, landmarks: np.ndarray) -> np.ndarray:
    """Both prototypes brought to one face's landmarks (68, 2): float32 (2, S, S, 3).

    The released data hold such a pair for every face. Raises UserError where the prototypes have no
    landmarks.
    """
    if not np.isfinite(prototypes.landmarks).all():
        raise UserError("prototypes: the data set has no landmarks to warp to; choose 'global'")
    size = prototypes.size
    target = with_border(landmarks, size)
    pairs = zip(prototypes.means, prototypes.landmarks, strict=True)
    return np.stack(
        [warped(mean, maps(with_border(own, size), target, size)) for mean, own in pairs]
    )


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

    def modes(self, rows: Tensor, gender: Tensor) -> Modes:
        """Of the faces in `rows` (int64, on the CPU), whose gender is int64 (B,) on the device."""
        if self.group is not None:
            chosen = self.pairs[self.group[rows]]
        else:
            chosen = self.pairs if self.pairs.is_floating_point() else self.pairs[rows]
        pair = chosen.to(self.device).permute(0, 1, 4, 2, 3)
        pair = pair if pair.is_floating_point() else pair.float() / 255
        return modes_of(pair, gender, self.weights)


def write_prototypes(prototypes: Prototypes | GroupPrototypes, path: Path) -> None:
    """prototypes.npz."""
    every, values = (prototypes,), {}
    if isinstance(prototypes, GroupPrototypes):
        every = prototypes.every
        values = {"names": np.array(prototypes.names), "group": prototypes.group}
        values["choice"] = np.array(prototypes.choice)
    names = ("means", "landmarks", "shares")
    values |= {name: np.stack([getattr(each, name) for each in every]) for name in names}
    if not isinstance(prototypes, GroupPrototypes):
        values = {name: value[0] for name, value in values.items()}
    with atomic(path) as part:
        np.savez(part, **values)


def read_prototypes(path: Path, groups: str | None = "gender") -> Prototypes | GroupPrototypes:
    """From a file of `write_prototypes`; raises UserError where it is none, or one of other groups
    than the recipe's; groups None: of any."""
    try:
        file = read_arrays(path)
        values = [file[name] for name in ("means", "landmarks", "shares")]
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not prototypes ({error}); make them again") from None
    choice = str(file.get("choice", "gender"))
    names, group = (file.get(name) for name in ("names", "group"))
    if groups not in (None, choice):
        raise UserError(f"{path}: prototypes by {choice}; the recipe's groups are '{groups}'")
    if group is None:
        return Prototypes(*values)
    every = tuple(Prototypes(*each) for each in zip(*values, strict=True))
    return GroupPrototypes(every, tuple(map(str, names)), group, choice)


def write_pairs(prototypes: Prototypes | GroupPrototypes, packed: Packed, path: Path) -> None:
    """warped.npy: uint8 (N, 2, S, S, 3), both prototypes warped to each face of a data set.

    Once, beside the data: a warp takes longer than the network's step on a GPU.
    """
    size, rows = prototypes.size, packed.index.get("landmarks", [None])
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), 2, size, size, 3)}
    with atomic(path) as part, open(part, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, row in enumerate(rows):
            pair = warp_to(prototypes.of(number), landmarks_px(row, size))
            file.write(np.rint(pair * 255).astype(np.uint8).tobytes())


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
