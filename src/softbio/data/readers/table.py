"""Your own faces: a folder or archive of images and one CSV of labels."""

import logging
import re
from pathlib import Path

import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, OPTIONAL, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, Split, read_csv, split_images
from softbio.errors import UserError, nearest

log = logging.getLogger(__name__)

KNOWN = ["file", "age", "split", "subject", "gender", "race", "age_group"]
VALUES = {"split": set(PARTS), "gender": {"female", "male"}, "age_group": {"young", "old"}}


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Read the CSV: columns file and age (years), optionally split, subject, gender, race and
    age_group. In a data set with `ages: null` no image needs an age.

    Without a split column the images are divided as `options.split` says, by subject where every
    image has one. Raises UserError, naming file and row, for what cannot be read.
    """
    path = sources.lists["all"]
    frame = read_csv(path, ["file", "age"] if spec.ages else ["file"])
    # an unnamed first column is pandas' own index
    frame = frame.drop(columns=[name for name in frame if name == "" or name.startswith("Unnamed")])
    for column in frame:
        if column not in KNOWN:
            raise UserError(f"{path}: unknown column '{column}', {nearest(column, KNOWN)}")
    frame = frame.reindex(columns=KNOWN).rename(columns={"file": "image"})
    frame = frame.astype(object).where(frame.notna() & (frame != ""), None)
    _check_values(path, frame, spec.ages is not None)
    ages = [None if age is None else int(age) for age in frame["age"]]
    # with None among them pandas would turn whole numbers into floats
    kind = object if None in ages else int
    frame["age"] = pd.Series(ages, frame.index, dtype=kind)
    if frame["split"].isna().all():
        known = frame["subject"].notna().all()
        groups = frame["subject"] if known else frame["image"]
        if groups.nunique() < 2:
            raise UserError(
                f"{path}: fewer than two {'subjects' if known else 'images'} cannot be divided; "
                "list more, or add a column 'split'"
            )
        if not known and frame["subject"].notna().any():
            log.warning(
                "%s: not every image has a subject, so they are divided by image and one person "
                "can be in two parts",
                path,
            )
        frame["split"] = split_images(groups, Split(**spec.options.get("split", {})))
    return Records(frame[COLUMNS + OPTIONAL].reset_index(drop=True))


def _check_values(path: Path, frame: pd.DataFrame, aged: bool) -> None:
    """aged: every image needs an age."""
    for record in frame.itertuples():
        row = record.Index
        if record.image is None:
            raise UserError(f"{path}, row {row}: no file name")
        if (aged or record.age) and not re.fullmatch(r"\d{1,3}", record.age or ""):
            raise UserError(f"{path}, row {row}: age '{record.age}' is not a whole number of years")
    for column, allowed in VALUES.items():
        given = frame[column].notna()
        wrong = given & ~frame[column].isin(allowed)
        if column == "split" and given.any():
            wrong |= ~given
        if wrong.any():
            row = wrong.idxmax()
            raise UserError(
                f"{path}, row {row}: {column} '{frame[column][row]}' is none of "
                f"{', '.join(sorted(allowed))}"
            )
