"""Gender prototypes: what a face of either gender looks like on average."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.files import atomic, read_arrays, room
from softbio.privacy.groups import face_groups
from softbio.privacy.parts import gender_of, read_parts
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
    groups = face_groups(packed, inside, choice, of_all=True)
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

    Once, beside the data: a warp takes longer than the network's step on a GPU. Raises UserError
    for a face without landmarks and for a full disk: the file is twice the size of images.npy.
    """
    size, rows = prototypes.size, packed.index.get("landmarks", [None])
    shape = (len(rows), 2, size, size, 3)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    # room last: what a killed writer left is removed before
    with atomic(path) as part, room(path.parent, math.prod(shape)), open(part, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, row in enumerate(rows):
            pair = warp_to(prototypes.of(number), landmarks_px(row, size))
            file.write(np.rint(pair * 255).astype(np.uint8).tobytes())
