"""Whose faces were protected: the population's card and parts, and how its SANs were trained."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from softbio.errors import UserError
from softbio.results.labels import label
from softbio.results.records import read_json

# access and reader of faces that no camera has seen
GENERATED = ("generated", "drawn")
UNKNOWN = "not stated"


@dataclass(frozen=True)
class Source:
    """A data set that faces come from, as its registry entry describes it."""

    name: str
    title: str
    licence: str = UNKNOWN
    access: str = UNKNOWN
    reader: str = UNKNOWN
    citation: str = UNKNOWN
    url: str | None = None
    intended_use: str = UNKNOWN
    subjects: bool = True
    known_problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Population:
    """Faces and their division. parts: frame with image, subject, part, gender, a row a face;
    left_out: reason -> images that are not among them; size: their side in pixels, None where the
    card does not say."""

    name: str
    title: str
    sources: tuple[Source, ...]
    parts: pd.DataFrame
    left_out: Mapping[str, int] = field(default_factory=dict)
    size: int | None = None

    @property
    def without_subjects(self) -> str:
        """What follows where a data set has no subject labels, in a sentence; empty if all have."""
        names = [label(each.name) for each in self.sources if not each.subjects]
        if not names:
            return ""
        return (
            f"{' and '.join(names)} has no subject labels: each image counts as one, so a person "
            "may be in two parts, and no mated comparison can be made."
        )

    @property
    def apart(self) -> str:
        """What is known of people in two parts, in a sentence or two."""
        if len(self.sources) < 2:
            return self.without_subjects or "No subject is in two parts."
        within = self.without_subjects or "Within each data set no subject is in two parts."
        return f"{within} Whether the data sets share people is not known."

    @property
    def drawn(self) -> bool:
        """Whether no person is shown, so that faces may stand in a report."""
        return all((each.access, each.reader) == GENERATED for each in self.sources)


def _source(values: Mapping[str, Any]) -> Source:
    citation = values.get("citation") or {}
    citation = {"text": citation} if isinstance(citation, str) else citation
    known = {
        key: values[key]
        for key in ("licence", "access", "reader", "intended_use", "subjects")
        if values.get(key) not in (None, "")
    }
    return Source(
        values["name"],
        values.get("title") or label(values["name"]),
        citation=citation.get("text", UNKNOWN),
        url=citation.get("url") or values.get("homepage"),
        known_problems=tuple(values.get("known_problems") or ()),
        **known,
    )


def _title(sources: Sequence[Source]) -> str:
    """ "CelebA to LFW", or the title of the one data set."""
    short = [label(each.name) if label(each.name) != each.name else each.title for each in sources]
    return " to ".join(short) if len(short) > 1 else sources[0].title


def read_population(name: str, card: Path | str, parts: Path | str) -> Population:
    """card: card.json of a population's faces (`privacy.population.PopulationCard`); parts:
    parts.csv of `write_parts`.

    Raises UserError for files that are not these.
    """
    card, values = Path(card), read_json(Path(card))
    try:
        sources = tuple(_source(entry) for entry in values["datasets"].values())
        left_out: Counter[str] = Counter()
        for entry in values["left_out"]:
            # of two data sets the reason says which
            where = f"{label(entry['dataset'])}: " if len(sources) > 1 else ""
            left_out[where + entry["reason"]] += int(entry["images"])
        title, size = _title(sources), values["size"]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{card}: not a population's card ({error}); make it again") from None
    try:
        frame = pd.read_csv(parts, dtype=str)[["image", "subject", "part", "gender"]]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{parts}: not a list of images and parts ({error})") from None
    return Population(name, title, sources, frame, dict(left_out), size)


@dataclass(frozen=True)
class Training:
    """How one SAN and its judges were trained.

    pretrained: PSNR in dB at the end of pre-training, NaN without; error_sm, error_op: share of the
    training faces whose gender the auxiliary classifier missed in the last epoch; gender_error,
    matcher_error: of the auxiliaries in theirs; seconds: of all three, NaN where not recorded.
    """

    seed: int
    recipe: Mapping[str, Any]
    parameters: int
    epochs: int
    seconds: float
    device: str
    hardware: str
    pretrained: float
    error_sm: float
    error_op: float
    gender_error: float = float("nan")
    matcher_error: float = float("nan")


def _last(history: pd.DataFrame, column: str) -> float:
    """The last value of a column that has any, else NaN."""
    values = pd.to_numeric(history[column], errors="coerce") if column in history else pd.Series()
    values = values.dropna()
    return float(values.iloc[-1]) if len(values) else float("nan")


def _auxiliary(folder: Path) -> tuple[float, float]:
    """Error of the last epoch and seconds of training; NaN and 0 where there is no such network."""
    if not (folder / "history.csv").is_file():
        return float("nan"), 0.0
    history = pd.read_csv(folder / "history.csv")
    return _last(history, "error"), float(history["seconds"].sum())


def read_training(folder: Path | str) -> Training:
    """folder: .../seed{s}/networks/san with run.json and history.csv, its judges beside it.

    Raises UserError where one is missing or is not what `write_results` wrote.
    """
    folder = Path(folder)
    run = read_json(folder / "run.json")
    try:
        history = pd.read_csv(folder / "history.csv")
        first = history[history["stage"] == "pretraining"]
        judges = {kind: _auxiliary(folder.parent / kind) for kind in ("gender", "matcher")}
        seconds = float(run["training_seconds"]) + sum(each[1] for each in judges.values())
        return Training(
            int(run["recipe"]["seed"]),
            run["recipe"],
            int(run["parameters"]),
            int(run["epochs"]),
            seconds,
            str(run.get("device", "")),
            str(run.get("hardware", "")),
            _last(first, "psnr"),
            *(_last(history, name) for name in ("error_sm", "error_op")),
            *(judges[kind][0] for kind in ("gender", "matcher")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder}: not a SAN's training ({error}); train it again") from None
