"""Score files of age and race: what an evaluator predicts for each image.

Like those of gender in `scores`, except that an image has predicted years or a class instead of a
score and a threshold. The bounds that divide years into groups are in the file.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from softbio.errors import UserError
from softbio.results.scores import check_rows, read_rows, write_rows
from softbio.results.subjects import shown_in

COLUMNS = {
    "image": pa.string(),
    "subject": pa.string(),
    "label": pa.float64(),
    "prediction": pa.float64(),
}


@dataclass(frozen=True)
class AttributeAbout:
    """Metadata of a file; as `scores.GenderAbout` where names are the same.

    attribute: "age" or "race"; values: the names of its groups or classes, in the order of their
    numbers; bounds: of years, the last whole year of each group but the last; empty for classes.
    failed: images without a prediction or without a label, which are not in the file.
    """

    dataset: str
    evaluator: str
    attribute: str
    values: tuple[str, ...]
    protector: str
    mode: str
    bounds: tuple[float, ...] = ()
    seed: int | None = None
    seen: bool | None = None
    title: str = ""
    protector_title: str = ""
    failed: int = 0


@dataclass(frozen=True)
class AttributeScores:
    """A score file of an attribute: `frame` has the columns `COLUMNS`, a row for each image; label and
    prediction are years, or the numbers of classes."""

    about: AttributeAbout
    frame: pd.DataFrame

    @property
    def in_years(self) -> bool:
        """Whether label and prediction are years."""
        return bool(self.about.bounds)

    @property
    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Group or class by label and by prediction, int (N,) each. Predicted years are rounded,
        because labels are whole years."""
        told, predicted = (self.frame[name].to_numpy(float) for name in ("label", "prediction"))
        if not self.in_years:
            return told.astype(int), predicted.astype(int)
        bounds = np.array(self.about.bounds)
        return tuple(np.searchsorted(bounds, np.rint(years)) for years in (told, predicted))

    @property
    def errors(self) -> np.ndarray:
        """Absolute errors float (N,), in years; without meaning for classes."""
        return np.abs(self.frame["prediction"] - self.frame["label"]).to_numpy(float)

    @property
    def subjects(self) -> np.ndarray:
        """Object (N,): the subject of each image; an image of an unknown subject is its own."""
        return shown_in(self.frame)


def _check(about: AttributeAbout, frame: pd.DataFrame) -> None:
    for value in ("label", "prediction"):
        check_rows(frame, COLUMNS, ["image"], value)
    many = len(about.values)
    if many < 2 or (about.bounds and len(about.bounds) != many - 1):
        raise UserError(
            f"scores: {many} values and {len(about.bounds)} bounds of {about.attribute}"
        )
    if not about.bounds and not frame[["label", "prediction"]].isin(range(many)).all(axis=None):
        raise UserError(f"scores: a label or prediction is no number of the {many} values")


def write_attribute(path: Path, scores: AttributeScores) -> None:
    """Write a score file; raises UserError for what `read_attribute` would refuse."""
    _check(scores.about, scores.frame)
    write_rows(path, scores.about, scores.frame, COLUMNS)


def read_attribute(path: Path) -> AttributeScores:
    """Read a file of `write_attribute`; raises UserError, in one line with the path, where an
    entry, a column or a number is missing or makes no sense."""
    about, frame = read_rows(path, AttributeAbout, COLUMNS)
    try:
        _check(about, frame)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return AttributeScores(about, frame)
