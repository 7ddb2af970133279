"""MUCT: subject, lighting, camera, gender and glasses in the file name, 76 landmarks in a list."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.fetching.archives import open_images
from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import Split, split_images
from softbio.errors import UserError

LANDMARKS = 76
FILE = "muct76-opencv.csv"
HEADER = ["name", "tag", *(f"{axis}{i:02d}" for i in range(LANDMARKS) for axis in "xy")]
# "ir000qa-fn" is the mirror image of "i000qa-fn": there is no file of it
NAME = re.compile(
    r"i(?P<mirrored>r?)(?P<subject>\d{3})(?P<lighting>[a-z])(?P<camera>[a-e])"
    r"-(?P<gender>[mf])(?P<glasses>[ng])"
)
GENDERS = {"m": "male", "f": "female"}


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """The images of the landmark list (muct76-opencv.csv, or the archive it came in) that the
    cameras `options.cameras` took, all five by default; ages and races are unknown.

    All are for testing; with `options.split` they are divided by subject. Raises UserError, naming
    file and line, for what cannot be read.
    """
    cameras = set(spec.options.get("cameras", "abcde"))
    rows = []
    for image in read_landmarks(sources.lists["landmarks"])[0]:
        found = NAME.fullmatch(image)
        if found["camera"] in cameras:
            gender = GENDERS[found["gender"]]
            rows.append((f"{image}.jpg", None, "test", gender, None, found["subject"]))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    if "split" in spec.options:
        frame["split"] = split_images(frame["subject"], Split(**spec.options["split"]))
    return Records(frame)


def read_landmarks(path: Path) -> tuple[list[str], np.ndarray]:
    """The names of the images without suffix, mirrored ones left out, and their landmarks, float64
    (N, 76, 2): x, y in pixels from the left and top, NaN where the face hides the point (0, 0 in
    the list; only cameras b and c have such points).

    Raises UserError, naming the line, for a file of another form.
    """
    images, points = [], []
    for number, line in _lines(path):
        name, _, *values = line.split(",")
        found = NAME.fullmatch(name)
        try:
            row = np.array(values, float)
        except ValueError:
            row = np.empty(0)
        if found is None or len(row) != 2 * LANDMARKS or not np.isfinite(row).all():
            raise UserError(
                f"{path}, line {number}: not an image such as i000qa-fn, a tag and "
                f"{2 * LANDMARKS} numbers; get it again"
            )
        if not found["mirrored"]:
            images.append(name)
            points.append(row)
    if not images or len(set(images)) < len(images):
        raise UserError(f"{path}: no image in it, or one twice; get it again")
    landmarks = np.array(points).reshape(-1, LANDMARKS, 2)
    landmarks[(landmarks == 0).all(axis=2)] = np.nan
    return images, landmarks


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines below the header of the list, a file or in an archive."""
    try:
        if path.suffix == ".csv":
            content = path.read_bytes()
        else:
            source = open_images(path)
            names = [name for name in source.names() if name.split("/")[-1] == FILE]
            content = dict(source.read(names)).get(names[0], b"") if names else b""
        lines = content.decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    if not lines or lines[0].split(",") != HEADER:
        raise UserError(f"{path}: no {FILE} with the columns name, tag, x00, y00, .. y75 in it")
    return ((number, line) for number, line in enumerate(lines[1:], start=2) if line.strip())
