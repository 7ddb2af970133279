"""CelebA: 40 attributes and an identity an image; no ages."""

from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, Split, read_lines, split_images
from softbio.errors import UserError


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Read the lists: gender is the attribute Male, the age group is Young, the subject is the
    identity.

    The split is the published one where `partition` is listed, else by subject as `options.split`
    says. `options.images`: only that many from the start of the list of attributes, all by default.
    Raises UserError, naming file and line, for what cannot be read, and for an image that only one
    of the lists has.
    """
    path = sources.lists["attributes"]
    attributes = read_attributes(path)
    attributes = attributes.head(spec.options.get("images", len(attributes)))
    male = attributes["Male"]
    subject = _named(sources.lists["identity"], male.index, "identity")
    if "partition" in sources.lists:
        part = _named(sources.lists["partition"], male.index, "part")
        unknown = part[~part.isin(["0", "1", "2"])]
        if len(unknown):
            raise UserError(
                f"{sources.lists['partition']}: part '{unknown.iloc[0]}' of '{unknown.index[0]}' "
                "is none of 0, 1, 2"
            )
        split = part.astype(int).map(dict(enumerate(PARTS))).to_numpy(object)
    else:
        split = split_images(subject.to_list(), Split(**spec.options.get("split", {})))
    frame = pd.DataFrame({"image": male.index, "age": None, "split": split})
    frame["gender"] = np.where(male, "male", "female")
    frame = frame.assign(race=None, subject=subject.to_numpy(object))[COLUMNS]
    if "Young" in attributes:
        frame["age_group"] = np.where(attributes["Young"], "young", "old").astype(object)
    return Records(frame)


def read_attributes(path: Path) -> pd.DataFrame:
    """list_attr_celeba.txt: bool, a row an image (the index), a column an attribute.

    Raises UserError, naming the line, for a file of another form.
    """
    lines = read_lines(path)
    names = lines[1].split() if len(lines) > 1 else []
    if len(lines) < 3 or not lines[0].strip().isdigit() or "Male" not in names:
        raise UserError(f"{path}: not a list of attributes: a number, their names, the images")
    images, rows = [], []
    for number, line in enumerate(lines[2:], start=3):
        image, *values = line.split()
        if len(values) != len(names) or not set(values) <= {"1", "-1"}:
            raise UserError(f"{path}, line {number}: not an image and {len(names)} of 1 and -1")
        images.append(image)
        rows.append([value == "1" for value in values])
    index = pd.Index(images, name="image")
    if len(images) != int(lines[0]) or index.has_duplicates:
        raise UserError(
            f"{path}: line 1 announces {lines[0].strip()} images, {len(set(images))} are listed"
        )
    return pd.DataFrame(rows, index, names, dtype=bool)


def _named(path: Path, images: pd.Index, what: str) -> pd.Series:
    """The words of a list, whose lines are an image and a word, in the order of `images`; it may
    have a header."""
    found = {}
    for number, line in enumerate(read_lines(path), start=1):
        words = line.split()
        if number == 1 and words[0] == "image":
            continue
        if len(words) != 2 or words[0] in found:
            raise UserError(f"{path}, line {number}: not an image and its {what}, or there twice")
        found[words[0]] = words[1]
    lacking = [image for image in images if image not in found]
    if lacking:
        raise UserError(f"{path}: no {what} of {len(lacking)} images, first '{lacking[0]}'")
    return pd.Series([found[image] for image in images], images, dtype=object)
