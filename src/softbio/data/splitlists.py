"""Which image belongs to which part: published lists, seeded splits, and their checks."""

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.registry import DatasetSpec
from softbio.errors import UserError

PARTS = ["train", "valid", "test"]


@dataclass(frozen=True)
class Split:
    """Shares of the images to hold out where no split is published, and the shuffle's seed."""

    test: float = 0.2
    valid: float = 0.1
    seed: int = 0


def read_csv(path: Path, required: Collection[str]) -> pd.DataFrame:
    """A CSV file as strings, indexed by the number of the line that each row ends in.

    Blank lines are skipped. Raises UserError where the file or a required column cannot be
    read, where a column is there twice, and for a row of more or fewer fields than the header,
    which pandas would silently shift or fill.
    """
    try:
        # -sig: Excel writes a byte order mark
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            rows = [(reader.line_num, row) for row in reader if any(row)]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error}); save it as one") from None
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file ({error})") from None
    if not rows:
        raise UserError(f"{path}: not a CSV file, it is empty; list the images in it")
    columns = rows.pop(0)[1]
    for column in required:
        if column not in columns:
            raise UserError(
                f"{path}: no column '{column}'; it has {', '.join(columns)} "
                "(columns are separated by commas)"
            )
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise UserError(f"{path}: column '{twice}' is there twice; keep one")
    for line, row in rows:
        if len(row) != len(columns):
            raise UserError(
                f"{path}, row {line}: {len(row)} fields under a header of {len(columns)}; "
                "put a name with a comma in quotes"
            )
    return pd.DataFrame([row for _, row in rows], [line for line, _ in rows], columns, dtype=object)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, blank ones left out; raises UserError where it cannot be read."""
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None


def read_list(path: Path) -> pd.DataFrame:
    """A split list of coral-cnn: columns image (str) and label (int, the rank, not the age)."""
    frame = read_csv(path, ["file", "age"])
    whole = frame["age"].str.fullmatch(r"\d{1,4}")
    if not whole.all():
        row = (~whole).idxmax()
        raise UserError(f"{path}, row {row}: label '{frame['age'][row]}' is not a rank")
    frame = frame.reset_index(drop=True)
    return pd.DataFrame({"image": frame["file"], "label": frame["age"].astype(int)})


def rank_matches(
    spec: DatasetSpec, path: Path, line: int, label: str, image: str, age: int
) -> None:
    """Raise UserError where a list's label is no rank, or not its image's age less the youngest."""
    if not re.fullmatch(r"[0-9]{1,4}", label):
        raise UserError(f"{path}, row {line}: label '{label}' is not a rank")
    if int(label) != age - spec.ages[0]:
        raise UserError(
            f"{path}, row {line}: label {label} of '{image}' is not its age less {spec.ages[0]}; "
            f"check the list and datasets.{spec.name}.ages"
        )


def split_images(groups: Sequence[str], split: Split) -> np.ndarray:
    """Divide images at random so that no group is in two parts.

    groups: the group (subject) of each image, (N,) -> part of each image, object (N,). Whole groups
    are taken until a part has its share of the images. Depends on nothing but its arguments.
    """
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    order = np.random.default_rng(split.seed).permutation(len(names))
    sizes = np.bincount(member, minlength=len(names))[order]
    # a group goes where it starts, as a share of the images; .2 + .1 is a little above .3
    start = (np.cumsum(sizes) - sizes) / max(len(member), 1) + 1e-9
    later = np.where(start < split.test + split.valid, "valid", "train")
    part = np.where(start < split.test, "test", later)
    by_group = np.empty(len(names), dtype=object)
    by_group[order] = part
    return by_group[member]


def check_records(frame: pd.DataFrame, ages: tuple[int, int] | None, where: str) -> None:
    """Check the rows of a reader (columns image, age, split); ages: None where none are known.

    Raises UserError, naming the first image at fault, for an image listed twice or in two parts, an
    age outside the range, and an empty training or test part.
    """
    repeated = frame[frame["image"].duplicated()]
    if len(repeated):
        image = repeated["image"].iloc[0]
        parts = frame.loc[frame["image"] == image, "split"].unique()
        twice = f"in {' and '.join(parts)}" if len(parts) > 1 else f"twice in {parts[0]}"
        raise UserError(
            f"{where}: {len(repeated)} images are listed again, '{image}' {twice}; list each once"
        )
    outside = frame[~frame["age"].between(*ages)] if ages else ()
    if len(outside):
        raise UserError(
            f"{where}: age {outside['age'].iloc[0]} of '{outside['image'].iloc[0]}' is outside "
            f"{ages[0]}-{ages[1]} ({len(outside)} images); leave them out or change ages"
        )
    for part in ("train", "test"):
        if not (frame["split"] == part).any():
            raise UserError(f"{where}: the {part} part is empty; list at least one image in it")


def check_present(images: Sequence[str], found: Collection[str], source: Path) -> None:
    """Raise UserError where the source lacks images that are listed."""
    found = set(found)
    missing = [image for image in images if image not in found]
    if missing:
        raise UserError(
            f"{source}: {len(missing)} of {len(images)} listed images are not in it, the first is "
            f"'{missing[0]}'; get the whole archive, or take them off the lists"
        )
