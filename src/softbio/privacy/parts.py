"""The four parts of a privacy benchmark: no subject is in two, and no part has two purposes."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.packed import Packed
from softbio.data.splits import assign
from softbio.errors import UserError
from softbio.files import atomic
from softbio.privacy import GENDERS, PARTS, SHARES

logger = logging.getLogger(__name__)


def four_parts(
    subjects: np.ndarray, gender: np.ndarray, shares: tuple[float, ...] = SHARES
) -> np.ndarray:
    """Divide the subjects: name of the part of each image, object (N,), equal for equal inputs.

    subjects object (N,); gender int (N,), 0 female, 1 male, which each part gets its share of as
    far as whole subjects allow. Raises UserError for shares that are none and for what
    `check_parts` finds.
    """
    if len(shares) != len(PARTS) or min(shares) <= 0 or not np.isclose(sum(shares), 1):
        raise UserError(
            f"parts: shares {shares} must be {len(PARTS)} positive numbers that sum to 1"
        )
    groups = np.unique(subjects.astype(str), return_inverse=True)[1]
    parts = np.array(PARTS, object)[assign(gender, groups, np.array(shares))]
    check_parts(parts, subjects, gender)
    return parts


def divided(packed: Packed, gender: np.ndarray) -> np.ndarray:
    """The part of each image, object (N,): of a population of two data sets the second is the test
    part, and the first is divided among the others by their shares. Raises UserError as
    `four_parts` does."""
    datasets = packed.index.get("dataset", pd.Series("", packed.index.index)).to_numpy(object)
    learnt = datasets == datasets[0]
    if learnt.all():
        return four_parts(packed.subjects, gender)
    parts = np.full(len(datasets), PARTS[-1], object)
    groups = np.unique(packed.subjects[learnt].astype(str), return_inverse=True)[1]
    shares = np.array(SHARES[:-1]) / sum(SHARES[:-1])
    parts[learnt] = np.array(PARTS[:-1], object)[assign(gender[learnt], groups, shares)]
    check_parts(parts, packed.subjects, gender)
    return parts


def check_parts(parts: np.ndarray, subjects: np.ndarray, gender: np.ndarray) -> None:
    """Raise UserError for an unknown or empty part, a subject in two, a part of one gender."""
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise UserError(f"parts: '{unknown[0]}' is unknown; known: {', '.join(PARTS)}")
    places = pd.Series(parts).groupby(pd.Series(subjects).astype(str).to_numpy()).unique()
    torn = places[places.map(len) > 1]
    if len(torn):
        raise UserError(
            f"parts: {len(torn)} subjects are in two parts, the first is '{torn.index[0]}' in "
            f"{' and '.join(torn.iloc[0])}; give each subject one"
        )
    for part in PARTS:
        present = np.unique(gender[parts == part])
        if not len(present):
            raise UserError(
                f"parts: part '{part}' is empty: there are too few subjects for "
                f"{len(PARTS)} parts; add more, of both genders"
            )
        if len(present) == 1:
            raise UserError(
                f"parts: part '{part}' holds {GENDERS[present[0]]} faces only; nothing about "
                f"gender can be learnt or measured there: add {GENDERS[1 - present[0]]} subjects"
            )


def gender_of(packed: Packed) -> np.ndarray:
    """Gender of each image, int64 (N,): 0 female, 1 male.

    Raises UserError where one is neither.
    """
    column = packed.index["gender"]
    if not column.isin(GENDERS).all():
        bad = packed.index.loc[~column.isin(GENDERS), "image"].iloc[0]
        raise UserError(f"gender of '{bad}' is missing; protection needs female or male for each")
    return (column == GENDERS[1]).to_numpy(np.int64)


def write_parts(packed: Packed, path: Path) -> None:
    """parts.csv: the part of each image of a packed data set, with its subject and gender.

    Raises UserError where subjects or genders are missing, and for what `check_parts` finds.
    """
    if packed.subjects is None:
        raise UserError("the data set has no subjects, so none can be kept apart")
    gender = gender_of(packed)
    parts = divided(packed, gender)
    columns = {"image": packed.index["image"], "subject": packed.subjects, "part": parts}
    frame = pd.DataFrame(columns).assign(gender=np.array(GENDERS)[gender])
    for part, rows in frame.groupby("part"):
        counts = (rows["gender"].value_counts().get(name, 0) for name in GENDERS)
        logger.info("part %s: %d images, %d female, %d male", part, len(rows), *counts)
    with atomic(path) as written:
        frame.to_csv(written, index=False)


def read_parts(path: Path, packed: Packed) -> np.ndarray:
    """The part of each image, object (N,), from a file of `write_parts` or one of your own.

    Raises UserError where it does not fit the data set, and for what `check_parts` finds.
    """
    try:
        # a person may be called NA
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame = frame.set_index("image")[["subject", "part", "gender"]]
        frame = frame.reindex(packed.index["image"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: not a list of images and parts ({error})") from None
    if frame["part"].isna().any():
        raise UserError(
            f"{path}: image '{frame.index[frame['part'].isna()][0]}' has no part; add it"
        )
    found = frame["part"].to_numpy(object)
    if packed.subjects is None:
        raise UserError("the data set has no subjects, so none can be kept apart")
    gender = gender_of(packed)
    _check_told(frame, packed.subjects, gender, path)
    try:
        check_parts(found, packed.subjects, gender)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return found


def _check_told(frame: pd.DataFrame, subjects: np.ndarray, gender: np.ndarray, path: Path) -> None:
    """Raise UserError where a file has other subjects or genders than the data set: the report
    counts people by it."""
    told = {"subject": subjects.astype(str), "gender": np.array(GENDERS)[gender]}
    for name, values in told.items():
        other = frame[name].to_numpy(object) != values
        if other.any():
            raise UserError(
                f"{path}: {name} of '{frame.index[other][0]}' is not the data set's; this file "
                "chooses parts alone"
            )
