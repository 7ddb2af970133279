"""All run folders of one configuration as frames: what tables, figures and the report read.

Nothing here touches a model: metrics.json, history.csv, run.json and predictions.parquet are the
only inputs.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.registry import Card, Citation, FoundFile, Reconciled
from softbio.errors import UserError
from softbio.files import atomic
from softbio.results.labels import in_order
from softbio.results.names import Names, names_in
from softbio.results.predictions import read_predictions
from softbio.results.run import Run

SELECTIONS = {"last": "last epoch", "best": "best validation epoch"}
KEY = ["dataset", "backbone", "method", "variant", "seed"]


def by_method(runs: list[Run]) -> dict[str, list[Run]]:
    """Runs of each method, in their order."""
    return {m: [r for r in runs if r.method == m] for m in dict.fromkeys(r.method for r in runs)}


def as_published(frame: pd.DataFrame, dataset: str, backbone: str) -> pd.DataFrame:
    """Rows of a frame of `Records` judged as in the talk: without weights, last epoch, the method's
    own decoding."""
    return frame[
        (frame["dataset"] == dataset)
        & (frame["backbone"] == backbone)
        & (frame["variant"] == "")
        & (frame["selection"] == "last")
        & (frame["decoding"] == "published")
    ]


@dataclass(frozen=True)
class Predictions:
    """predictions.parquet at one selection: `frame` without the probabilities, one row for each image;
    probabilities (n, K-1) where kind is exceedance, (n, K) class, (n, 0) point; first_age = age
    of rank 0; k: number of ranks."""

    frame: pd.DataFrame
    probabilities: np.ndarray
    kind: str
    first_age: int
    k: int


@dataclass(frozen=True)
class Records:
    """What the run folders hold.

    runs: long, KEY + selection, decoding, metric, value; cs: KEY + selection, decoding, theta,
    value; by_age: KEY + selection, decoding, age, n, mae, bias; groups: KEY + selection, decoding,
    by, group, n, mae, bias; histories: KEY + the columns of history.csv; provenance: KEY + the
    fields of run.json, those of the recipe as "recipe.<field>"; folders: the folder of each run;
    names: how the methods are printed.
    """

    runs: pd.DataFrame
    cs: pd.DataFrame
    by_age: pd.DataFrame
    groups: pd.DataFrame
    histories: pd.DataFrame
    provenance: pd.DataFrame
    folders: dict[Run, Path]
    names: Names = field(default_factory=Names)

    @property
    def datasets(self) -> list[str]:
        """Data sets of the runs, in order."""
        return in_order([run.dataset for run in self.folders])

    def title(self, method: str) -> str:
        """The printed name of a method."""
        return self.names.title(method)

    def label(self, run: Run) -> str:
        """The printed name of a run's method and variant."""
        return self.names.title(run.method, run.variant)

    def backbones(self, dataset: str) -> list[str]:
        """Trained backbones of a data set."""
        return in_order(
            [r.backbone for r in self.folders if r.dataset == dataset and r.backbone != "control"]
        )

    def select(self, dataset: str, backbone: str, variant: str = "") -> list[Run]:
        """Runs of one backbone and variant: methods in published order, seeds ascending."""
        found = [
            run
            for run in self.folders
            if (run.dataset, run.backbone, run.variant) == (dataset, backbone, variant)
        ]
        order = in_order([run.method for run in found])
        return sorted(found, key=lambda run: (order.index(run.method), run.seed))

    @cached_property
    def _values(self) -> dict[tuple, float]:
        columns = [*KEY, "selection", "decoding", "metric", "value"]
        rows = self.runs[columns].itertuples(index=False, name=None)
        return {(Run(*row[:5]), *row[5:8]): row[8] for row in rows}

    def values(
        self, runs: list[Run], metric: str, selection: str = "last", decoding: str = "published"
    ) -> np.ndarray:
        """One number a run, float (len(runs),); NaN where a run has none."""
        found = [self._values.get((run, selection, decoding, metric), np.nan) for run in runs]
        return np.array(found, float)

    def predictions(self, run: Run, selection: str = "last") -> Predictions:
        """Read a run's predictions at "last" or "best"; empty where there is no such selection."""
        return _predictions(self.folders[run] / "predictions.parquet", selection)


def read_json(path: Path) -> dict:
    """A JSON file; UserError where it is absent or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not readable ({error}); delete it and run again") from None


@lru_cache(maxsize=16)
def _predictions(path: Path, selection: str) -> Predictions:
    about, frame = read_predictions(path)
    frame = frame[frame["selection"] == selection].reset_index(drop=True)
    values = frame.pop("probabilities")
    probabilities = np.stack(values.to_list()) if len(values) else np.empty((0, 0))
    return Predictions(frame, probabilities, about.kind, about.ages[0], about.k)


def load_cards(paths: list[Path]) -> dict[str, Card]:
    """card.json files by data set; of several sizes of one data set the first counts."""
    cards: dict[str, Card] = {}
    for path in map(Path, paths):
        values = read_json(path)
        try:
            values["citation"] = Citation(**values["citation"])
            values["files"] = tuple(FoundFile(**file) for file in values["files"])
            if values.get("reconciled"):
                values["reconciled"] = Reconciled(**values["reconciled"])
            card = Card(**values)
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{path}: not a data card ({error}); prepare the data set again"
            ) from None
        cards.setdefault(card.name, card)
    return cards


def _key(metrics: dict) -> Run:
    return Run(*(metrics[name] for name in KEY[:4]), int(metrics["seed"]))


def _tall(metrics: dict) -> dict[str, list[dict]]:
    """The rows that one metrics.json adds to each frame."""
    rows: dict[str, list[dict]] = {"runs": [], "cs": [], "by_age": [], "groups": []}
    for result in metrics["results"]:
        key = {
            **asdict(_key(metrics)),
            "selection": result["selection"],
            "decoding": result["decoding"],
        }
        rows["runs"] += [key | {"metric": m, "value": v} for m, v in result["scalars"].items()]
        rows["cs"] += [key | {"theta": t, "value": v} for t, v in enumerate(result["cs"])]
        rows["by_age"] += [key | row for row in result["by_age"]]
        rows["groups"] += [key | row for row in result["groups"]]
    return rows


COLUMNS = {
    "runs": ["metric", "value"],
    "cs": ["theta", "value"],
    "by_age": ["age", "n", "mae", "bias"],
    "groups": ["by", "group", "n", "mae", "bias"],
}


def _frames(judged: Iterable[dict]) -> dict[str, pd.DataFrame]:
    """The long frames of `Records` from metrics.json files."""
    rows: dict[str, list[dict]] = {name: [] for name in COLUMNS}
    for metrics in judged:
        for name, added in _tall(metrics).items():
            rows[name] += added
    frames = {
        name: pd.DataFrame(rows[name], columns=[*KEY, "selection", "decoding", *columns])
        for name, columns in COLUMNS.items()
    }
    frames["runs"]["value"] = pd.to_numeric(frames["runs"]["value"])  # null -> NaN
    return frames


def collect(metrics: list[Path], out: Path) -> None:
    """metrics.json files -> runs.csv: dataset, backbone, method, variant, seed, selection,
    decoding, metric, value; one row for each number, full precision."""
    runs = _frames(read_json(Path(path)) for path in metrics)["runs"]
    with atomic(out) as part:
        runs.to_csv(part, index=False)


def _history(run: Run, folder: Path) -> pd.DataFrame:
    history = pd.read_csv(folder / "history.csv")
    return pd.concat([pd.DataFrame([asdict(run)] * len(history)), history], axis=1)


def _provenance(run: Run, folder: Path) -> dict:
    record = read_json(folder / "run.json")
    recipe = {f"recipe.{name}": value for name, value in record.pop("recipe").items()}
    known = set(KEY)
    return asdict(run) | {k: v for k, v in record.items() if k not in known} | recipe


def _found(judged: list[tuple[Path, dict]]) -> dict[Run, Path]:
    """The folder of each run, in the order of the tables; judged: folders, each with metrics.json.

    Raises UserError as `load`.
    """
    folders: dict[Run, Path] = {}
    sizes: dict[str, tuple[int, Path]] = {}
    for folder, metrics in judged:
        run = _key(metrics)
        if run in folders:
            raise UserError(f"{folder}: the same run as {folders[run]}; remove one of them")
        if folder.parts[-4:] != Path(run.folder).parts:
            raise UserError(f"{folder}: holds the predictions of {run.folder}; put them there")
        for result in metrics["results"]:
            n, first = sizes.setdefault(run.dataset, (result["n"], folder))
            if result["n"] != n:
                raise UserError(
                    f"{folder}: {result['n']:,} test images, {first} has {n:,}; they are not of "
                    "one test set, predict again"
                )
        folders[run] = folder
    order = {name: in_order([getattr(r, name) for r in folders]) for name in KEY[:4]}

    def place(run: Run) -> tuple:
        return *(order[name].index(getattr(run, name)) for name in KEY[:4]), run.seed

    return {run: folders[run] for run in sorted(folders, key=place)}


def load(run_folders: list[Path]) -> Records:
    """Read run folders (each with metrics.json; trained ones also history.csv and run.json).

    Raises UserError where metrics.json is absent, two folders hold the same run, a folder holds
    another run than its path says, or runs of one data set judged different numbers of images.
    """
    judged = [(folder, read_json(folder / "metrics.json")) for folder in map(Path, run_folders)]
    folders, metrics = _found(judged), dict(judged)
    trained = {run: folder for run, folder in folders.items() if (folder / "run.json").exists()}
    histories = [_history(run, folder) for run, folder in trained.items()]
    provenance = [_provenance(run, folder) for run, folder in trained.items()]
    empty = pd.DataFrame(columns=KEY)
    return Records(
        **_frames(metrics[folder] for folder in folders.values()),
        histories=pd.concat(histories, ignore_index=True) if histories else empty,
        provenance=pd.DataFrame(provenance) if provenance else empty,
        folders=folders,
        names=names_in(metrics.values()),
    )
