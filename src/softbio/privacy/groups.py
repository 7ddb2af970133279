"""Groups of faces by age and by the group that a data set gives, for prototypes and resampling.
Gender divides each of them further."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.privacy import GENDERS

# what a recipe may ask for, and the columns of the index that it divides by
CHOICES = {"gender": (), "age": ("age",), "race": ("race",), "age_race": ("age", "race")}
# those of age and race that the data set gives for every face, with two values at least
TOLD = "told"
UNTOLD = ("", "unknown")
ALL = "all faces"
# a face that is not learnt from may lack a label: it belongs to no group
NONE = -1


@dataclass(frozen=True)
class Groups:
    """names: of the groups; number: int64 (N,), the group of each image of a data set, `NONE` where
    it has no label or no training face has that label."""

    names: tuple[str, ...]
    number: np.ndarray

    def cells(self, gender: np.ndarray) -> np.ndarray:
        """Group and gender as one number, int64 (N,): 2 group + gender, below 0 in no group."""
        return 2 * self.number + gender

    def cell_name(self, cell: int) -> str:
        """ "female, old, group C"."""
        name = self.names[cell // 2]
        return GENDERS[cell % 2] + (f", {name}" if name != ALL else "")


def face_groups(packed: Packed, inside: np.ndarray, choice: str, of_all: bool = False) -> Groups:
    """The groups of all images; inside: bool (N,), the images that are learnt from; of_all: `TOLD`
    divides by labels that all images have, not only those, for a network that learnt from groups
    must not meet faces of none.

    A face is old where its age is above the median of those that are learnt from, or where its age
    group says so. Raises UserError where a label that is asked for is missing for some of the
    images that are learnt from, or the same for all of them.
    """
    asked = CHOICES["age_race"] if choice == TOLD else CHOICES[choice]
    labels = {name: _label(packed.index, name, inside) for name in asked}
    if choice == TOLD:
        labels = {
            name: label
            for name, label in labels.items()
            if not _unfit(label, inside) and not (of_all and None in label)
        }
    for name, label in labels.items():
        if reason := _unfit(label, inside):
            raise UserError(f"groups: {reason} of '{name}'; choose privacy.groups without it")
    if not labels:
        return Groups((ALL,), np.zeros(len(inside), np.int64))
    rows = list(zip(*labels.values(), strict=True))
    names = sorted({row for row, learnt in zip(rows, inside, strict=True) if learnt})
    place = {row: number for number, row in enumerate(names)}
    number = np.array([place.get(row, NONE) for row in rows], np.int64)
    return Groups(tuple(map(", ".join, names)), number)


def _label(index: pd.DataFrame, name: str, inside: np.ndarray) -> np.ndarray:
    """One word an image, object (N,); None where it has none."""
    column = index.get(name, pd.Series(None, index.index, dtype=object))
    if name == "age" and column[inside].isna().any() and "age_group" in index:
        column = index["age_group"]
    elif name == "age" and column[inside].notna().all():
        ages = column.to_numpy(float)
        column = pd.Series(np.where(ages > np.median(ages[inside]), "old", "young"), index.index)
        column = column.where(np.isfinite(ages))
    told = column.notna() & ~column.isin(UNTOLD)
    return column.astype(object).where(told, None).to_numpy()


def _unfit(label: np.ndarray, inside: np.ndarray) -> str:
    """Why nothing can be divided by a label; empty where it can."""
    values = set(label[inside])
    if None in values:
        return "not every training face has a value"
    return "" if len(values) > 1 else "all training faces have one value"
