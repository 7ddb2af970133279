"""The run folders of gender: what tables, figures and the page read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from softbio.errors import UserError
from softbio.reading.judge import ALL, gender_scores
from softbio.results.labels import in_order
from softbio.results.names import Names, names_in
from softbio.results.predictions import read_predictions
from softbio.results.records import KEY, SELECTIONS, read_json
from softbio.results.run import Run
from softbio.results.scores import GenderScores
from softbio.statistics.means import Interval


@dataclass(frozen=True)
class Reading:
    """One trained run. record: run.json; numbers: a row for each `judge.Number`; folder: of its
    files; names: how its method is printed."""

    run: Run
    record: dict[str, Any]
    numbers: pd.DataFrame
    folder: Path
    names: Names = field(default_factory=Names)

    @property
    def selections(self) -> list[str]:
        """Those it has of "last" and "best"."""
        return [name for name in SELECTIONS if (self.numbers["selection"] == name).any()]

    def interval(self, selection: str, metric: str, by: str = ALL) -> Interval:
        """One number with its interval over subjects, of all test images or of all subjects."""
        row = self._row(selection, metric, by)
        return Interval(row["value"], row["low"], row["high"])

    def around(self, selection: str, metric: str, by: str = ALL) -> Interval:
        """The same with Wilson's interval."""
        row = self._row(selection, metric, by)
        return Interval(row["value"], row["wilson_low"], row["wilson_high"])

    def has(self, by: str) -> bool:
        """Whether there are numbers by this: "subject", or a view of the test images."""
        return bool((self.numbers["by"] == by).any())

    def scores(self, selection: str) -> GenderScores:
        """P(male) of the test images."""
        about, frame = read_predictions(self.folder / "predictions.parquet")
        return gender_scores(about, frame[frame["selection"] == selection].reset_index(drop=True))

    def _row(self, selection: str, metric: str, by: str) -> pd.Series:
        found = self.numbers[
            (self.numbers["selection"] == selection)
            & (self.numbers["metric"] == metric)
            & (self.numbers["by"] == by)
        ]
        return found.iloc[0]


def load_readings(folders: Sequence[Path | str]) -> list[Reading]:
    """Read run folders, each with metrics.json, run.json and predictions.parquet; in the order of
    the tables. Raises UserError for a folder that holds another run than its path says."""
    found = []
    for folder in map(Path, folders):
        metrics = read_json(folder / "metrics.json")
        run = Run(*(metrics[name] for name in KEY[:4]), int(metrics["seed"]))
        if folder.parts[-4:] != Path(run.folder).parts:
            raise UserError(f"{folder}: holds the predictions of {run.folder}; put them there")
        numbers = pd.DataFrame(metrics["numbers"]).astype({"low": float, "high": float})
        record, names = read_json(folder / "run.json"), names_in([metrics])
        found.append(Reading(run, record, numbers, folder, names))
    order = {name: in_order([getattr(each.run, name) for each in found]) for name in KEY[:4]}

    def place(each: Reading) -> tuple:
        return *(order[name].index(getattr(each.run, name)) for name in KEY[:4]), each.run.seed

    return sorted(found, key=place)
