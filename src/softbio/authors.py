"""The authors' own predictions: found or fetched, checked, and put into predictions.parquet.

No second implementation judges them: what this writes is the contract that `metrics` reads.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.fetch import RECEIPT, download
from softbio.data.registry import FileSpec
from softbio.errors import UserError, nearest
from softbio.files import atomic, sha256
from softbio.predictions import COLUMNS, GROUPS, About, write_predictions
from softbio.records import Run
from softbio.schema import read_yaml, validate

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/authors.schema.yaml"
# where a file may lie: in a bare folder, or in a clone of the repository in one of its states
PLACES = ("", "coral-cnn", "experiment-logs", "datasets", "datasets/train-test-csv")
REMARKS = ["dataset", "method", "seed", "images", "holds", "remark"]


@dataclass(frozen=True)
class TestList:
    """The test images of a data set in the order of the predictions."""

    ages: tuple[int, int]
    images: int
    file: FileSpec

    @property
    def k(self) -> int:
        """Number of ranks."""
        return self.ages[1] - self.ages[0] + 1


@dataclass(frozen=True)
class Authors:
    """config/authors.yaml; `runs` run -> (what its file holds, the file)."""

    title: str
    homepage: str
    commit: str
    licence: str
    protocol: str
    selection: str
    obtain: str
    datasets: Mapping[str, TestList]
    runs: Mapping[Run, tuple[str, FileSpec]]

    @property
    def files(self) -> Iterator[FileSpec]:
        """All files: the lists, then the predictions."""
        yield from (item.file for item in self.datasets.values())
        yield from (file for _, file in self.runs.values())

    @property
    def judged(self) -> list[Run]:
        """Runs whose files hold predictions."""
        return [run for run, (holds, _) in self.runs.items() if holds == "ranks"]


def load_authors(path: Path | str) -> Authors:
    """Read config/authors.yaml.

    Raises UserError for what the schema refuses, a run that is there twice, an unknown data set,
    and a method that lacks a seed which another one has.
    """
    entries = read_yaml(Path(path))
    validate(entries, SCHEMA, str(path))
    lists = {
        name: TestList(tuple(item["ages"]), item["images"], FileSpec(**item["list"]))
        for name, item in entries.pop("datasets").items()
    }
    backbone, runs = entries.pop("backbone"), {}
    for item in entries.pop("runs"):
        run = Run(item["dataset"], backbone, item["method"], "", item["seed"])
        if run in runs:
            raise UserError(f"{path}: {run.folder} is there twice; keep one of the two files")
        if run.dataset not in lists:
            raise UserError(f"{path}: data set {run.dataset}: {nearest(run.dataset, lists)}")
        runs[run] = (item["holds"], FileSpec(**item["file"]))
    seeds = sorted({run.seed for run in runs})
    for dataset, method in dict.fromkeys((run.dataset, run.method) for run in runs):
        for seed in seeds:
            if Run(dataset, backbone, method, "", seed) not in runs:
                raise UserError(f"{path}: {dataset}, {method} lacks seed {seed}; add its file")
    return Authors(**entries, datasets=lists, runs=runs)


def obtain(authors: Authors, folder: Path | str | None, raw: Path | str) -> dict[str, str]:
    """Find each file in `folder` or `raw`, or fetch it into `raw`; check it; leave sources.json
    there, name -> path, which it returns.

    Raises UserError for a file that can not be had, with what to do, or that is another one.
    """
    raw = Path(raw)
    raw.mkdir(parents=True, exist_ok=True)
    if folder is not None and not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder; correct --config published=FOLDER")
    homes = [raw] if folder is None else [Path(folder) / place for place in PLACES]
    found = {file.name: str(_one(authors, file, homes, raw)) for file in authors.files}
    with atomic(raw / RECEIPT) as part:
        part.write_text(json.dumps(found, indent=1) + "\n")
    return found


def _one(authors: Authors, file: FileSpec, homes: list[Path], raw: Path) -> Path:
    there = [home / file.name for home in homes if (home / file.name).is_file()]
    for path in there:
        if path.stat().st_size == file.bytes and sha256(path) == file.sha256:
            return path.resolve()
    if there:
        raise UserError(
            f"{there[0]}: sha256 {sha256(there[0])} is not the expected {file.sha256}; it is "
            "another version, another run's or damaged, get it again"
        )
    if file.url is None:
        raise UserError(f"the authors' predictions: {file.name} is not there; {authors.obtain}")
    download(file, raw, "the authors' predictions", authors.obtain)
    return (raw / file.name).resolve()


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
    """Whether the numbers are sums of class probabilities over 0.5, which are 0 or 1, and so no
    ranks: at most one of the probabilities that sum to 1 exceeds a half."""
    return bool(ranks.max() <= 1)


def _groups(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    """image, age in the name, gender, race and subject as each data set's list tells them."""
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
    return pd.DataFrame(dict(zip(["image", "age", *GROUPS], columns, strict=True)))


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
    {folder}/remarks.csv: a row a run, why there is none of the others.

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
