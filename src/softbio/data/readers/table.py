"""Your own faces: a folder or archive of images and one CSV of labels."""

from pathlib import Path

import pandas as pd

from softbio.data.fetch import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, Split, read_csv, split_images
from softbio.errors import UserError, nearest

KNOWN = ["file", "age", "split", "subject", "gender", "race"]
VALUES = {"split": set(PARTS), "gender": {"female", "male"}}


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Read the CSV: columns file and age (years), and perhaps split, subject, gender, race.

    Without a split column the images are divided as `options.split` says, by subject where every
    image has one. Raises UserError, naming file and row, for what can not be read.
    """
    path = sources.lists["all"]
    frame = read_csv(path, ["file", "age"])
    # an unnamed first column is pandas' own index
    frame = frame.drop(columns=[name for name in frame if name == "" or name.startswith("Unnamed")])
    for column in frame:
        if column not in KNOWN:
            raise UserError(f"{path}: unknown column '{column}', {nearest(column, KNOWN)}")
    frame = frame.reindex(columns=KNOWN).rename(columns={"file": "image"})
    frame = frame.astype(object).where(frame.notna() & (frame != ""), None)
    _check_values(path, frame)
    frame["age"] = frame["age"].astype(int)
    if frame["split"].isna().all():
        known = frame["subject"].notna().all()
        groups = frame["subject"] if known else frame["image"]
        frame["split"] = split_images(groups, Split(**spec.options.get("split", {})))
    return Records(frame[COLUMNS])


def _check_values(path: Path, frame: pd.DataFrame) -> None:
    # row 1 of the file is the header
    for row, record in enumerate(frame.itertuples(index=False), start=2):
        if record.image is None:
            raise UserError(f"{path}, row {row}: no file name")
        if record.age is None or not record.age.isdecimal():
            raise UserError(f"{path}, row {row}: age '{record.age}' is not a whole number of years")
    for column, allowed in VALUES.items():
        given = frame[column].notna()
        wrong = given & ~frame[column].isin(allowed)
        if column == "split" and given.any():
            wrong |= ~given
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise UserError(
                f"{path}, row {row + 2}: {column} '{frame[column].iloc[row]}' is none of "
                f"{', '.join(sorted(allowed))}"
            )
