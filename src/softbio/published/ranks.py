"""The authors' files of predicted ranks, converted to predictions.parquet.

They are judged by the same code as every run: this writes the files that `metrics` reads.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.files import atomic
from softbio.published.authors import Authors, TestList
from softbio.results.predictions import COLUMNS, About, write_predictions
from softbio.results.run import Run

REMARKS = ["dataset", "method", "seed", "images", "holds", "remark"]


def read_ranks(path: Path | str, images: int, k: int) -> np.ndarray:
    """A file of predictions, one line of comma-separated ranks 0..k-1 in the order of the test
    list, int64 (images,).

    Raises UserError where it is anything else: of another data set or length, for instance.
    """
    path = Path(path)
    # a rank below 100 and its comma; what is larger is not read at all
    if path.stat().st_size > 3 * images + 2:
        raise UserError(f"{path}: too large for the ranks of {images:,} images")
    text = path.read_bytes().strip()
    if not re.fullmatch(rb"\d{1,3}(,\d{1,3})*", text):
        raise UserError(f"{path}: not one line of comma-separated ranks")
    ranks = np.array(text.split(b","), np.int64)
    if len(ranks) != images:
        raise UserError(
            f"{path}: {len(ranks):,} predictions for {images:,} test images; it is of another "
            "data set or cut off"
        )
    if ranks.max() >= k:
        raise UserError(
            f"{path}: rank {ranks.max()} is not one of 0..{k - 1}; it is of another data set"
        )
    return ranks


def are_thresholds(ranks: np.ndarray) -> bool:
    """Whether the numbers are counts of class probabilities above 0.5 instead of ranks. Such counts
    are 0 or 1, because at most one of several probabilities that sum to 1 exceeds a half."""
    return bool(ranks.max() <= 1)


def _groups(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    """image, age in the name, gender, race and subject from the list of each data set."""
    none = pd.Series(None, index=table.index, dtype=object)
    if dataset == "morph2":
        image = table.iloc[:, 0]
        gender = table["Male"].map({"1": "male", "-1": "female"})
        columns = image, image.str.extract(r"(\d\d)\.")[0], gender, table["race"], table["id_num"]
    elif dataset == "afad":
        # the prefix of a file is its owner's number
        owner = table["file"].str.extract(r"^(\d+)-")[0]
        columns = table["path"], table["path"].str.split("/").str[0], table["gender"], none, owner
    else:
        image = table["file"]
        parts = image.str.extract(r"^(\d+)_(.+)_\d+\.")
        columns = image, parts[0], none, none, parts[1]
    found = dict(zip(["image", "age", "gender", "race", "subject"], columns, strict=True))
    return pd.DataFrame(found).assign(age_group=None)


def read_list(path: Path | str, dataset: str, expected: TestList) -> pd.DataFrame:
    """A test list as image, label, gender, race, subject, in its order.

    Raises UserError where it has another length, labels outside the ages, or labels that are not
    the ages in the file names, which is what a list of another data set has.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        labels = pd.to_numeric(table["age"]).astype(np.int64)
        frame = _groups(dataset, table)
        named = pd.to_numeric(frame.pop("age")).to_numpy()
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: not the test list of {dataset} ({error})") from None
    if len(table) != expected.images:
        raise UserError(f"{path}: {len(table):,} images, {dataset} has {expected.images:,}")
    if not (labels.between(0, expected.k - 1).all() and (labels + expected.ages[0] == named).all()):
        raise UserError(f"{path}: labels are not the ages in the file names; not of {dataset}")
    return frame.assign(label=labels)


def convert(authors: Authors, sources: Mapping[str, str], folder: Path | str) -> None:
    """Write {folder}/age/{run}/predictions.parquet of every run that holds predictions, and
    {folder}/remarks.csv: a row for each run, why there is none of the others.

    Raises UserError where a file holds something else than the registry says.
    """
    folder, remarks = Path(folder), []
    for dataset, item in authors.datasets.items():
        images = read_list(sources[item.file.name], dataset, item)
        for run, (holds, file) in authors.runs.items():
            if run.dataset != dataset:
                continue
            ranks = read_ranks(sources[file.name], item.images, item.k)
            seen = "thresholds" if are_thresholds(ranks) else "ranks"
            if seen != holds:
                raise UserError(f"{file.name}: holds {seen}, config/authors.yaml says {holds}")
            if seen == "ranks":
                path = folder / "age" / run.folder / "predictions.parquet"
                _write(path, run, authors.selection, item, images.assign(prediction=ranks))
            remarks.append(_remark(run, ranks, seen))
    with atomic(folder / "remarks.csv") as part:
        pd.DataFrame(remarks, columns=REMARKS).to_csv(part, index=False)


def _remark(run: Run, ranks: np.ndarray, seen: str) -> tuple:
    remark = ""
    if seen == "thresholds":
        values = " and ".join(map(str, np.unique(ranks)))
        remark = f"no ranks: only {values}"
    return run.dataset, run.method, run.seed, len(ranks), seen, remark


def _write(path: Path, run: Run, selection: str, item: TestList, images: pd.DataFrame) -> None:
    about = About(run.dataset, run.backbone, run.method, "", run.seed, "point", item.ages)
    frame = images.assign(selection=selection, probabilities=[[]] * len(images))
    write_predictions(path, about, frame[COLUMNS])
