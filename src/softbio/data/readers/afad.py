"""AFAD: age and gender by folder; the test images in coral-cnn's list, all others train.

The authors of the split published no training list: it is all other images of these ages.
"""

import re
from pathlib import Path

import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import check_present, rank_matches, read_csv
from softbio.errors import UserError

GENDERS = {"111": "male", "112": "female"}
IMAGE = re.compile(
    r"(?:.*/)?(?P<image>(?P<age>\d{1,3})/(?P<gender>111|112)/(?P<subject>\d+)-\d+\.jpg)", re.I
)


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Images are age/gender/subject-number.jpg at any depth of the archive, sorted by that name;
    the subject is the number of the user whose photo it was.

    Images outside the ages, and files of other names, are skipped. The list `valid`, where there is
    one, is for validation ("journal", `options.protocol`) or, by default, for training ("talk").
    Raises UserError, naming file and row, for a list that contradicts the folders, and
    where listed images are not there.
    """
    images = _images(spec, sources)
    split = dict.fromkeys(images, "train")
    for part, path in sources.lists.items():
        listed = _listed(spec, path)
        check_present(listed, images, path)
        if part == "valid" and spec.options.get("protocol", "talk") == "talk":
            continue
        for image in listed:
            if split[image] not in ("train", part):
                raise UserError(f"{path}: '{image}' is in {split[image]} too; list it once")
            split[image] = part
    rows = [
        (image, int(found["age"]), split[image], GENDERS[found["gender"]], None, found["subject"])
        for image, found in sorted(images.items())
    ]
    return Records(pd.DataFrame(rows, columns=COLUMNS))


def _images(spec: DatasetSpec, sources: Sources) -> dict[str, re.Match]:
    source = sources.open()
    images: dict[str, re.Match] = {}
    for name in source.names():
        found = IMAGE.fullmatch(name)
        if found is None or not spec.ages[0] <= int(found["age"]) <= spec.ages[1]:
            continue
        if found["image"] in images:
            raise UserError(
                f"{source.path}: '{images[found['image']][0]}' and '{name}' are the same image; "
                "keep one of them"
            )
        images[found["image"]] = found
    if not images:
        raise UserError(
            f"{source.path}: no image age/111 or 112/subject-number.jpg in it; take AFAD-Full"
        )
    return images


def _listed(spec: DatasetSpec, path: Path) -> list[str]:
    """The images of a list with the columns file, path, age (the rank), gender."""
    listed = []
    columns = ["path", "age", "gender"]
    for line, image, label, gender in read_csv(path, columns)[columns].itertuples():
        found = IMAGE.fullmatch(image)
        if found is None or gender != GENDERS[found["gender"]]:
            raise UserError(
                f"{path}, row {line}: '{image}' is not age/111 (male) or 112 (female)/"
                f"subject-number.jpg of gender '{gender}'; check the list"
            )
        rank_matches(spec, path, line, label, image, int(found["age"]))
        listed.append(found["image"])
    return listed
