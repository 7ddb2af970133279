"""Score files: the contract between evaluators, which look at images, and what judges them.

Two kinds, a Parquet file for each evaluator and set of images, with the metadata in its schema; a
third, of age and race, is in `attribute_scores`. A file holds scores as its evaluator gave them,
never decisions: thresholds and signs are applied where the scores are judged.
"""

import json
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.errors import UserError
from softbio.files import atomic
from softbio.metrics.verification import MEASURES, identification_ranks, similarity
from softbio.results.subjects import shown_in

ORIGINAL = "original"
SIDES = ("reference", "probe")
KINDS = ("original-original", "protected-original", "protected-protected")
DIRECTIONS = ("higher", "lower")
GENDER = {"image": pa.string(), "subject": pa.string(), "label": pa.int8(), "score": pa.float64()}
COMPARISON = {
    "reference": pa.string(),
    "probe": pa.string(),
    "reference_subject": pa.string(),
    "probe_subject": pa.string(),
    "mated": pa.bool_(),
    "score": pa.float64(),
    "fold": pa.int16(),
}


@dataclass(frozen=True)
class GenderAbout:
    """Metadata of a file of gender scores.

    protector, mode: what the images went through; ("original", "") is nothing. threshold: the
    evaluator's own, as shipped, on its own scale; direction: whether "higher" or "lower" scores
    mean the positive class (label 1). seen: whether training the protector used the evaluator, None
    where that is not known; title, protector_title: the names as printed; failed: images without a
    score, which are not in the file.
    """

    dataset: str
    evaluator: str
    protector: str
    mode: str
    threshold: float
    direction: str
    positive: str = "male"
    negative: str = "female"
    seed: int | None = None
    seen: bool | None = None
    title: str = ""
    protector_title: str = ""
    failed: int = 0


@dataclass(frozen=True)
class ComparisonAbout:
    """Metadata of a file of comparison scores; as `GenderAbout` where names are the same.

    kind: which sides are protected, the probe or both; measure: "similarity" or "distance"; pairs:
    the name of the pair list ("view2", "all", "gallery"); failed: comparisons without a score.
    """

    dataset: str
    matcher: str
    protector: str
    mode: str
    kind: str
    measure: str
    pairs: str
    seed: int | None = None
    seen: bool | None = None
    title: str = ""
    protector_title: str = ""
    failed: int = 0


@dataclass(frozen=True)
class GenderScores:
    """A gender score file: `frame` has the columns `GENDER`, a row for each image."""

    about: GenderAbout
    frame: pd.DataFrame

    @property
    def sign(self) -> int:
        """1 where higher scores mean the positive class, -1 where lower ones do."""
        return 1 if self.about.direction == "higher" else -1

    @property
    def scores(self) -> np.ndarray:
        """Float (N,), higher for the positive class."""
        return self.sign * self.frame["score"].to_numpy(float)

    @property
    def threshold(self) -> float:
        """The shipped threshold on the scale of `scores`."""
        return self.sign * self.about.threshold

    @property
    def labels(self) -> np.ndarray:
        """Int (N,), 1 for the positive class."""
        return self.frame["label"].to_numpy(int)

    @property
    def subjects(self) -> np.ndarray:
        """Object (N,): the subject of each image; an image of an unknown subject is its own."""
        return shown_in(self.frame)


@dataclass(frozen=True)
class ComparisonScores:
    """A comparison score file: `frame` has the columns `COMPARISON`, a row for each comparison."""

    about: ComparisonAbout
    frame: pd.DataFrame

    @property
    def scores(self) -> np.ndarray:
        """Similarities float (N,)."""
        return similarity(self.frame["score"].to_numpy(float), self.about.measure)

    @property
    def mated(self) -> np.ndarray:
        """Bool (N,)."""
        return self.frame["mated"].to_numpy(bool)

    @property
    def subjects(self) -> tuple[np.ndarray, np.ndarray]:
        """Of reference and probe, object (N,) each."""
        return tuple(self.frame[f"{side}_subject"].to_numpy(object) for side in SIDES)

    def identification(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Of comparisons with a whole gallery (`pairs.gallery_pairs`): the ranks int (P,) of the
        probes' subjects, those subjects object (P,), and the number of subjects in the gallery.

        Raises UserError where a probe lacks a comparison or its subject a reference.
        """
        probes, (gallery, subjects) = self.frame["probe"].to_numpy(object), self.subjects
        try:
            names, ranks = identification_ranks(self.scores, probes, gallery, subjects)
        except ValueError as error:
            raise UserError(f"{self.about.matcher}, {self.about.protector}: {error}") from None
        of = dict(zip(probes, subjects, strict=True))
        whom = np.array([of[name] for name in names], object)
        return ranks, whom, len(np.unique(gallery.astype(str)))


def _one_of(place: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"scores: {place} '{value}' is none of {', '.join(known)}")


def check_rows(
    frame: pd.DataFrame, columns: dict[str, pa.DataType], key: list[str], value: str = "score"
) -> None:
    """Check what all kinds have: columns, rows, a finite `value` in each, no row twice.

    Raises UserError, which says what is wrong.
    """
    missing = [name for name in columns if name not in frame]
    if missing:
        raise UserError(f"scores: no column '{missing[0]}'; needed: {', '.join(columns)}")
    if frame.empty:
        raise UserError("scores: no row; score at least one image or comparison")
    if frame[key].isna().any(axis=None):
        raise UserError(f"scores: a row does not name its {' and '.join(key)}")
    bad = ~np.isfinite(frame[value].to_numpy(float))
    if bad.any():
        row = " with ".join(frame.loc[bad, key].iloc[0])
        raise UserError(f"scores: {row} has no finite {value}; drop the row and count it as failed")
    if frame.duplicated(key).any():
        row = " with ".join(frame.loc[frame.duplicated(key), key].iloc[0])
        raise UserError(f"scores: {row} occurs twice")


def _check_gender(about: GenderAbout, frame: pd.DataFrame) -> None:
    _one_of("direction", about.direction, DIRECTIONS)
    if not np.isfinite(about.threshold):
        raise UserError("scores: the threshold is not a finite number")
    check_rows(frame, GENDER, ["image"])
    if not frame["label"].isin([0, 1]).all():
        raise UserError(f"scores: a label is neither 0 ({about.negative}) nor 1 ({about.positive})")


def _check_comparisons(about: ComparisonAbout, frame: pd.DataFrame) -> None:
    _one_of("kind", about.kind, KINDS)
    _one_of("measure", about.measure, MEASURES)
    if (about.protector == ORIGINAL) != (about.kind == KINDS[0]):
        raise UserError(f"scores: protector '{about.protector}' cannot be of kind '{about.kind}'")
    check_rows(frame, COMPARISON, list(SIDES))
    same = frame["reference"] == frame["probe"]
    if same.any():
        image = frame.loc[same, "probe"].iloc[0]
        raise UserError(f"scores: {image} is compared with itself; drop the row")
    if frame[[f"{side}_subject" for side in SIDES]].isna().any(axis=None):
        raise UserError("scores: a comparison has no subjects; drop the row")
    wrong = frame["mated"] != (frame["reference_subject"] == frame["probe_subject"])
    if wrong.any():
        row = " with ".join(frame.loc[wrong, list(SIDES)].iloc[0])
        raise UserError(f"scores: {row}: 'mated' contradicts the subjects")


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, tuple) else "" if value is None else str(value)


def write_rows(
    path: Path, about: Any, frame: pd.DataFrame, columns: dict[str, pa.DataType]
) -> None:
    """Write a file of any kind: its columns and its metadata."""
    metadata = {name: _text(value) for name, value in asdict(about).items()}
    schema = pa.schema(list(columns.items()), metadata=metadata)
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    with atomic(path) as part:
        pq.write_table(table.replace_schema_metadata(metadata), part, compression="zstd")


_PARSE = {
    str: str,
    int: int,
    float: float,
    int | None: lambda text: int(text) if text else None,
    bool | None: lambda text: {"True": True, "False": False, "": None}[text],
    tuple[str, ...]: lambda text: tuple(map(str, json.loads(text))),
    tuple[float, ...]: lambda text: tuple(map(float, json.loads(text))),
}


def read_rows(path: Path, kind: Any, columns: dict[str, pa.DataType]) -> tuple[Any, pd.DataFrame]:
    """Metadata, a `kind`, and columns of a file of `write_rows`. Raises UserError, in one line with
    the path, where it is not such a file."""
    try:
        table = pq.read_table(path)
        entries = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        # a file without an entry that has no default raises KeyError
        known = [f for f in fields(kind) if f.name in entries or f.default is MISSING]
        about = kind(**{field.name: _PARSE[field.type](entries[field.name]) for field in known})
        frame = table.select(list(columns)).cast(pa.schema(list(columns.items()))).to_pandas()
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a file of {kind.__name__[:-5]} scores ({reason})") from None
    return about, frame


def write_gender(path: Path, scores: GenderScores) -> None:
    """Write a file of gender scores; raises UserError for what `read_gender` would refuse."""
    _check_gender(scores.about, scores.frame)
    write_rows(path, scores.about, scores.frame, GENDER)


def read_gender(path: Path) -> GenderScores:
    """Read a file of `write_gender`, also one that somebody else made. Raises UserError, in one
    line with the path, where an entry, a column or a score is missing or makes no sense."""
    about, frame = read_rows(path, GenderAbout, GENDER)
    try:
        _check_gender(about, frame)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return GenderScores(about, frame)


def write_comparisons(path: Path, scores: ComparisonScores) -> None:
    """Write a file of comparison scores; raises UserError for what `read_comparisons` would."""
    _check_comparisons(scores.about, scores.frame)
    write_rows(path, scores.about, scores.frame, COMPARISON)


def read_comparisons(path: Path) -> ComparisonScores:
    """Read a file of `write_comparisons`; raises UserError as `read_gender` does, and where an
    image is compared with itself or `mated` contradicts the subjects."""
    about, frame = read_rows(path, ComparisonAbout, COMPARISON)
    try:
        _check_comparisons(about, frame)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return ComparisonScores(about, frame)
