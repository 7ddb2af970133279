"""Example faces of a population: a few test subjects of both genders in some conditions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.figures.hiding import Example
from softbio.hiding.curves import chosen, hide_sets
from softbio.hiding.load import NONE, Condition, Hiding
from softbio.results.conditions import by_scorer, scorer_title
from softbio.results.scores import ORIGINAL

EACH, READERS, CONDITIONS = 3, 3, 10


def _readings(hiding: Hiding, condition: Condition) -> dict[str, pd.Series]:
    """Printed name of a classifier -> P(male) by image; only of classifiers with probabilities."""
    found = {}
    protector = ORIGINAL if condition.protector == NONE else condition.protector
    mode = "" if condition.protector == NONE else condition.mode
    for items in by_scorer(hiding.gender).values():
        for item in items:
            about = item.about
            same = (about.protector, about.mode) == (protector, mode)
            if not same or about.seed not in (None, condition.seed):
                continue
            scores = item.scores.frame.set_index("image")["score"]
            if about.direction == "higher" and scores.between(0, 1).all():
                found[scorer_title(about)] = scores
    return found


def _subjects(index: pd.DataFrame) -> list[int]:
    """Rows of the first image of some subjects, females first."""
    test = index[index["part"] == "test"].sort_values(["subject", "image"])
    first = test.drop_duplicates("subject")
    return [
        int(row)
        for gender in ("female", "male")
        for row in first.index[first["gender"] == gender][:EACH]
    ]


def _of_condition(hiding: Hiding, condition: Condition, wanted: Sequence[str]) -> list[Example]:
    folder = condition.folder
    try:
        index = pd.read_parquet(folder / "index.parquet").reset_index(drop=True)
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: no protected faces ({error}); protect them again") from None
    places = {image: row for row, image in enumerate(index["image"])}
    readings = dict(list(_readings(hiding, condition).items())[:READERS])
    found = []
    for image in wanted:
        row = index.iloc[places[image]]
        example = Example(
            image=image,
            subject=row["subject"],
            gender=row["gender"],
            condition=condition.name,
            pixels=np.array(images[places[image]]),
            readings={name: float(s[image]) for name, s in readings.items() if image in s},
        )
        found.append(example)
    return found


def example_faces(hiding: Hiding) -> list[Example]:
    """Faces in the conditions that `chosen` names, at most `CONDITIONS` of them.

    Raises UserError for a condition whose images are gone.
    """
    return _faces(hiding, chosen(hiding)[:CONDITIONS])


def hide_set_faces(hiding: Hiding) -> list[Example]:
    """Faces for every set of attributes that PrivacyNet hides. Raises UserError as
    `example_faces`."""
    return _faces(hiding, hide_sets(hiding))


def _faces(hiding: Hiding, conditions: Sequence[Condition]) -> list[Example]:
    conditions = [each for each in conditions if (each.folder / "images.npy").is_file()]
    if not conditions:
        return []
    index = pd.read_parquet(conditions[0].folder / "index.parquet").reset_index(drop=True)
    wanted = [index["image"].iloc[row] for row in _subjects(index)]
    return [each for c in conditions for each in _of_condition(hiding, c, wanted)]
