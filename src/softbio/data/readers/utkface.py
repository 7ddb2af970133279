"""UTKFace: age_gender_race_time in the file name; the split and the labels in coral-cnn's lists."""

import re

import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import read_list
from softbio.errors import UserError

GENDERS = ["male", "female"]
RACES = ["White", "Black", "Asian", "Indian", "Others"]
# a few names lack the race; the time, which follows, has 17 digits
NAME = re.compile(r"(?P<age>\d{1,3})_(?P<gender>[01])_(?:(?P<race>[0-4])_)?\d{10,}\D.*")


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Read the lists and the names (codes as stated on the authors' page).

    Raises UserError for a name of another form, and where a list's label is not its image's age
    less the youngest age.
    """
    rows = []
    for split, path in sources.lists.items():
        for image, label in read_list(path).itertuples(index=False):
            found = NAME.fullmatch(image)
            if found is None:
                raise UserError(
                    f"{path}: '{image}' is not named age_gender_race_time; check the list"
                )
            age = int(found["age"])
            if label != age - spec.ages[0]:
                raise UserError(
                    f"{path}: label {label} of '{image}' is not its age less {spec.ages[0]}; "
                    f"check the list and datasets.{spec.name}.ages"
                )
            race = RACES[int(found["race"])] if found["race"] else None
            rows.append((image, age, split, GENDERS[int(found["gender"])], race, None))
    return Records(pd.DataFrame(rows, columns=COLUMNS))
