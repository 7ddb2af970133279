"""Soft-biometric attributes that a protector may hide or keep: gender, age group and race."""

import numpy as np
import pandas as pd

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.privacy import GENDERS, LETTERS, Attribute
from softbio.privacy.groups import UNTOLD

# years, upper ends of the first two; PrivacyNet's groups, recalled from the paper, unverified
AGE_BOUNDS = (30, 45)
AGE_GROUPS = ("up to 30", "31 to 45", "over 45")
# a class with fewer faces cannot be learnt as a target
LEAST = 20


def labels_of(index: pd.DataFrame, attribute: Attribute) -> np.ndarray:
    """Class of each image of a packed index, int64 (N,); -1 where it is not known or none of the
    attribute's values."""
    places = {value: number for number, value in enumerate(attribute.values)}
    return words_of(index, attribute.name).map(places).fillna(-1).to_numpy(np.int64)


def words_of(index: pd.DataFrame, name: str) -> pd.Series:
    """What a packed index says of an attribute, a word an image, object; None where nothing."""
    if name != "age":
        column = index.get(name, pd.Series(None, index.index, dtype=object)).astype(object)
        return column.where(column.notna() & ~column.isin(UNTOLD), None)
    ages = pd.to_numeric(index.get("age", pd.Series(np.nan, index.index)), errors="coerce")
    places = np.searchsorted(AGE_BOUNDS, ages.to_numpy(float), side="left")
    words = pd.Series(np.array(AGE_GROUPS, object)[np.minimum(places, 2)], index.index)
    return words.where(ages.notna(), None)


def values_of(
    index: pd.DataFrame, inside: np.ndarray, name: str, least: int = LEAST
) -> tuple[str, ...]:
    """The values of an attribute that `least` or more of the faces inside, bool (N,), have, in the
    order of their numbers."""
    counts = words_of(index, name)[inside].value_counts()
    order = {"gender": GENDERS, "age": AGE_GROUPS}.get(name, sorted(counts.index))
    return tuple(value for value in order if counts.get(value, 0) >= least)


def attributes_of(packed: Packed, inside: np.ndarray, least: int = LEAST) -> tuple[Attribute, ...]:
    """The attributes that can be learnt from the faces inside, bool (N,), as `LETTERS` order them.

    A class counts with `least` faces there or more, and an attribute with two such classes. Raises
    UserError where not even gender is left.
    """
    found = []
    for name in LETTERS.values():
        values = values_of(packed.index, inside, name, least)
        if len(values) > 1:
            found.append(Attribute(name, values))
    if "gender" not in [attribute.name for attribute in found]:
        raise UserError(
            f"attributes: fewer than {least} training faces of either gender; give more faces"
        )
    return tuple(found)
