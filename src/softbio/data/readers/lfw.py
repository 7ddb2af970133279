"""Labeled Faces in the Wild: the images of View 2, and the gender of each subject; no ages."""

from collections import Counter

import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.pairs import read_view2
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import read_lines


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Each image of the pairs once (Name/Name_0001.jpg), all for testing; the gender under which
    most of a subject's images are listed, None where it is a draw. `options.folds`: only that many
    of the ten folds of pairs, all by default.

    Raises UserError, naming file and line, for what cannot be read.
    """
    pairs = read_view2(sources.lists["pairs"])
    pairs = pairs[pairs["fold"] < spec.options.get("folds", 10)]
    sides = [pairs[[side, f"{side}_subject"]].to_numpy() for side in ("reference", "probe")]
    subjects = {image: subject for side in sides for image, subject in side}
    votes: dict[str, Counter] = {}
    for gender in ("male", "female"):
        for line in read_lines(sources.lists[gender]):
            votes.setdefault(line.strip().rsplit("_", 1)[0], Counter())[gender] += 1
    frame = pd.DataFrame({"image": sorted(subjects), "age": None, "split": "test", "race": None})
    frame["subject"] = frame["image"].map(subjects)
    genders = [_majority(votes.get(subject, Counter())) for subject in frame["subject"]]
    return Records(frame.assign(gender=pd.Series(genders, dtype=object))[COLUMNS])


def _majority(votes: Counter) -> str | None:
    first, *second = votes.most_common(2) or [(None, 0)]
    return None if second and second[0][1] == first[1] else first[0]
