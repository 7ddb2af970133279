"""Labeled Faces in the Wild: the images of View 2, their pairs, and the gender of each subject."""

from collections import Counter
from pathlib import Path

import pandas as pd

from softbio.data.fetch import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import read_lines
from softbio.errors import UserError


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Each image of the pairs once, all for testing; the gender that most of a subject's images
    are listed under, None where that is open.

    Raises UserError, naming file and line, for what can not be read.
    """
    pairs = read_pairs(sources.lists["pairs"])
    images = sorted({*pairs["a"], *pairs["b"]})
    votes: dict[str, Counter] = {}
    for gender in ("male", "female"):
        for line in read_lines(sources.lists[gender]):
            votes.setdefault(subject_of(line.strip()), Counter())[gender] += 1
    frame = pd.DataFrame({"image": images, "age": None, "split": "test", "race": None})
    frame["subject"] = [subject_of(image) for image in images]
    genders = [_majority(votes.get(subject, Counter())) for subject in frame["subject"]]
    return Records(frame.assign(gender=pd.Series(genders, dtype=object))[COLUMNS])


def read_pairs(path: Path) -> pd.DataFrame:
    """pairs.txt: columns fold (0, 1, ..), a, b (image names), mated (bool).

    Raises UserError, naming the line, for a file of another form.
    """
    lines = read_lines(path)
    head = lines[0].split() if lines else []
    if len(head) != 2 or not all(word.isdigit() for word in head):
        raise UserError(f"{path}: the first line is not the number of folds and of pairs")
    folds, pairs = map(int, head)
    if len(lines) - 1 != folds * pairs * 2:
        raise UserError(
            f"{path}: {len(lines) - 1:,} pairs, where {folds} times {pairs} mated and as many "
            "non-mated ones are announced"
        )
    rows = []
    for number, line in enumerate(lines[1:]):
        words = line.split()
        mated = number // pairs % 2 == 0
        if len(words) != (3 if mated else 4):
            raise UserError(f"{path}, line {number + 2}: not a pair: {line.strip()[:80]!r}")
        a, i, b, j = [*words[:2], words[0], words[2]] if mated else words
        if not (i.isdigit() and j.isdigit()):
            raise UserError(f"{path}, line {number + 2}: '{i}' or '{j}' is not a number")
        rows.append((number // (2 * pairs), _image(a, i), _image(b, j), mated))
    return pd.DataFrame(rows, columns=["fold", "a", "b", "mated"])


def subject_of(image: str) -> str:
    """George_W_Bush_0001.jpg shows George_W_Bush."""
    return image.rsplit("_", 1)[0]


def _image(subject: str, number: str) -> str:
    return f"{subject}_{int(number):04d}.jpg"


def _majority(votes: Counter) -> str | None:
    first, *second = votes.most_common(2) or [(None, 0)]
    return None if second and second[0][1] == first[1] else first[0]
