"""MORPH-2: subject, picture, gender and age in the file name; the split and the rest in coral-cnn's
lists."""

import re
from pathlib import Path

import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import rank_matches, read_csv
from softbio.errors import UserError

# the older pictures have one digit of the picture's number, the later ones two
NAME = re.compile(
    r"(?P<subject>\d{5,7})_(?P<picture>\d{1,2})(?P<gender>[MF])(?P<age>\d{2})\.jpg", re.I
)
GENDERS = {"M": "male", "F": "female"}
SIGNS = {"1": "male", "-1": "female"}
# "I" is left as it is: no page of its authors that could be found explains it
RACES = {"A": "Asian", "B": "Black", "H": "Hispanic", "O": "Other", "W": "White"}
NEEDED = ["", "id_num", "race", "Male", "age"]


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Read the lists (the name of the image in a column without name, and id_num, picture_num,
    race, Male, facial_hair, age, glasses, quality; `age` is the rank).

    The first `options.valid_rows` images of the training list are for validation, none by default.
    Raises UserError, naming file and row, for a name of another form and where list and name
    differ in subject, gender or age.
    """
    rows = []
    for split, path in sources.lists.items():
        frame = read_csv(path, NEEDED)
        held = spec.options.get("valid_rows", 0) if split == "train" else 0
        if held and held >= len(frame):
            raise UserError(
                f"datasets.{spec.name}.options.valid_rows: {held} rows for validation leave none "
                f"of the {len(frame)} in {path} to train with; name fewer"
            )
        listed = zip(frame.index, frame.to_dict("records"), strict=True)
        for number, (line, row) in enumerate(listed):
            part = "valid" if number < held else split
            rows.append(_row(spec, path, line, row, part))
    return Records(pd.DataFrame(rows, columns=COLUMNS))


def _row(spec: DatasetSpec, path: Path, line: int, row: dict, part: str) -> tuple:
    found = NAME.fullmatch(row[""])
    if found is None:
        raise UserError(
            f"{path}, row {line}: '{row['']}' is not named subject_picture, M or F, age; "
            "check the list"
        )
    age, gender = int(found["age"]), GENDERS[found["gender"].upper()]
    rank_matches(spec, path, line, row["age"], row[""], age)
    for column, listed, named in (
        ("id_num", row["id_num"].lstrip("0"), found["subject"].lstrip("0")),
        ("Male", SIGNS.get(row["Male"]), gender),
    ):
        if listed != named:
            raise UserError(
                f"{path}, row {line}: {column} '{row[column]}' is not what '{row['']}' says; "
                "check the list"
            )
    race = RACES.get(row["race"], row["race"] or None)
    return row[""], age, part, gender, race, found["subject"]
