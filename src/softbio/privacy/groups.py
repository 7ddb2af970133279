"""Groups of faces by age and by the group that a data set tells, as prototypes and resampling want
them. Gender divides each of them further."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.privacy import GENDERS

# what a recipe may ask for, and the columns of the index that it divides by
CHOICES = {"gender": (), "age": ("age",), "race": ("race",), "age_race": ("age", "race")}
# those of age and race that the data set tells of every face, in two values at least
TOLD = "told"
UNTOLD = ("", "unknown")
ALL = "all faces"


@dataclass(frozen=True)
class Groups:
    """names: of the groups; number: int64 (N,), the group of each image of a data set."""

    names: tuple[str, ...]
    number: np.ndarray

    def cells(self, gender: np.ndarray) -> np.ndarray:
        """Group and gender as one number, int64 (N,): 2 group + gender."""
        return 2 * self.number + gender

    def cell_name(self, cell: int) -> str:
        """ "female, old, group C"."""
        name = self.names[cell // 2]
        return GENDERS[cell % 2] + (f", {name}" if name != ALL else "")


def groups_of(packed: Packed, inside: np.ndarray, choice: str) -> Groups:
    """The groups of all images; inside: bool (N,), the images that are learnt from.

    A face is old where its age is above the median of those. Raises UserError where a label that is
    asked for is not told, or is the same for all that is learnt from.
    """
    asked = CHOICES["age_race"] if choice == TOLD else CHOICES[choice]
    labels = {name: _label(packed.index, name, inside) for name in asked}
    if choice == TOLD:
        labels = {name: label for name, label in labels.items() if not _unfit(label, inside)}
    for name, label in labels.items():
        if reason := _unfit(label, inside):
            raise UserError(f"groups: {reason} of '{name}'; choose privacy.groups without it")
    if not labels:
        return Groups((ALL,), np.zeros(len(inside), np.int64))
    names = [", ".join(each) for each in zip(*labels.values(), strict=True)]
    found, number = np.unique(np.array(names, object).astype(str), return_inverse=True)
    return Groups(tuple(map(str, found)), number.astype(np.int64))


def _label(index: pd.DataFrame, name: str, inside: np.ndarray) -> np.ndarray | None:
    """One word an image, object (N,); None where it is not told of all."""
    column = index.get(name)
    if column is None or column.isna().any() or column.isin(UNTOLD).any():
        return None
    if name != "age":
        return column.astype(str).to_numpy(object)
    ages = column.to_numpy(float)
    return np.where(ages > np.median(ages[inside]), "old", "young").astype(object)


def _unfit(label: np.ndarray | None, inside: np.ndarray) -> str:
    """Why nothing can be divided by a label; empty where it can."""
    if label is None:
        return "not every face has a value"
    return "" if len(set(label[inside])) > 1 else "all training faces have one value"
