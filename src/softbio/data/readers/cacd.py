"""CACD: age and celebrity in the file name; the split and the labels in coral-cnn's lists."""

import re

import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, rank_matches, read_csv
from softbio.errors import UserError

NAME = re.compile(r"(?P<age>\d{1,3})_(?P<subject>.+)_\d{4}\.jpg", re.I)


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Read the lists (columns file and age, which is the rank): the subject is the celebrity's
    name, gender and race are unknown.

    `options.protocol`: "talk" (default) also trains on the images of the list `valid`, which come
    first, as in the talk's lists; "journal" keeps them for validation. Raises UserError, naming
    file and row, for a name of another form and where a rank is not its image's age less the
    youngest age.
    """
    talk = spec.options.get("protocol", "talk") == "talk"
    order = ["valid", "train", "test"] if talk else PARTS
    rows = []
    for part in (part for part in order if part in sources.lists):
        path = sources.lists[part]
        split = "train" if talk and part == "valid" else part
        frame = read_csv(path, ["file", "age"])
        for line, image, label in frame[["file", "age"]].itertuples():
            found = NAME.fullmatch(image)
            if found is None:
                raise UserError(
                    f"{path}, row {line}: '{image}' is not named age_name_number; check the list"
                )
            age = int(found["age"])
            rank_matches(spec, path, line, label, image, age)
            rows.append((image, age, split, None, None, found["subject"]))
    return Records(pd.DataFrame(rows, columns=COLUMNS))
