"""The registry of data sets: what each is, where its files are, how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from softbio.errors import UserError, nearest

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/datasets.schema.yaml"


@dataclass(frozen=True)
class Citation:
    """A reference: the text as printed, its DOI and where it can be read."""

    text: str
    doi: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class FileSpec:
    """A file as its authors offer it; None where they do not say."""

    name: str
    url: str | None
    sha256: str | None
    bytes: int | None


@dataclass(frozen=True)
class DatasetSpec:
    """One entry of the registry; the keys are described in datasets.schema.yaml."""

    name: str
    title: str
    reader: str
    ages: tuple[int, int]
    citation: Citation = field(default_factory=lambda: Citation("not stated"))
    licence: str = "not stated"
    access: str = "own"
    homepage: str | None = None
    intended_use: str = "not stated"
    obtain: str = ""
    files: tuple[FileSpec, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None
    source_sha256: str | None = None
    known_problems: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Number of ranks."""
        return self.ages[1] - self.ages[0] + 1

    @property
    def archive(self) -> FileSpec | None:
        """The authors' image archive: the file that is no list."""
        return next((f for f in self.files if f.name not in self.lists.values()), None)


@dataclass(frozen=True)
class FoundFile:
    """A source file as it was found; a folder of images has neither checksum nor size."""

    name: str
    sha256: str | None
    bytes: int | None


@dataclass(frozen=True)
class Card:
    """The data card (card.json): where the images come from and what is in them.

    counts: split -> images; labels: split -> images of each rank (K numbers); gender, race:
    split -> group -> images ("unknown" where not labelled; empty where no image is);
    subjects: split -> people, None where unknown; missing_ranks: split -> ranks without image.
    Everything but `made` (ISO date) is the same each time.
    """

    name: str
    title: str
    citation: Citation
    licence: str
    access: str
    homepage: str | None
    intended_use: str
    ages: tuple[int, int]
    k: int
    size: int
    counts: dict[str, int]
    labels: dict[str, list[int]]
    gender: dict[str, dict[str, int]]
    race: dict[str, dict[str, int]]
    subjects: dict[str, int | None]
    missing_ranks: dict[str, list[int]]
    rejected: int
    files: tuple[FoundFile, ...]
    known_problems: tuple[str, ...]
    made: str
    softbio: str


def load_registry(
    path: Path | str, overrides: Mapping[str, Any] | None = None
) -> dict[str, DatasetSpec]:
    """Read config/datasets.yaml; change or extend it key by key with a config's `datasets:`.

    Raises UserError, naming entry and key, for what the schema does not allow.
    """
    entries = _read(Path(path))
    for name, change in (overrides or {}).items():
        if not isinstance(change, Mapping):
            raise UserError(f"datasets.{name}: must be a mapping of keys, such as source: PATH")
        if name not in entries and not {"title", "reader", "ages"} <= change.keys():
            raise UserError(
                f"datasets.{name}: not in {path}, {nearest(name, entries)} "
                "(a data set of your own needs title, reader and ages)"
            )
        entries[name] = _merge(entries.get(name, {}), change)
    _validate(entries, path)
    return {name: _spec(name, entry) for name, entry in entries.items()}


def find(registry: Mapping[str, DatasetSpec], name: str) -> DatasetSpec:
    """The entry of that name; raises UserError with the nearest name where there is none."""
    if name not in registry:
        raise UserError(f"data set '{name}' is not in the registry: {nearest(name, registry)}")
    return registry[name]


def _read(path: Path) -> dict[str, Any]:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: can not be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries, dict):
        raise UserError(f"{path}: must hold one mapping of data sets")
    return entries


def _merge(old: Any, new: Any) -> Any:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {**old, **{key: _merge(old.get(key), value) for key, value in new.items()}}


def _validate(entries: dict[str, Any], path: Path | str) -> None:
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(entries)
    )
    if error is not None:
        raise UserError(f"{path}: {_explain(error)}")


def _explain(error: jsonschema.ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        key = next(key for key in error.instance if key not in known)
        remedy = nearest(key, known) if known else "this reader has no options"
        return f"{where}: unknown key '{key}', {remedy}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{where}: key '{missing}' is missing"
    if error.validator == "pattern" and not where:
        return f"data set '{error.instance}': a name is lower-case letters, digits and underscores"
    return f"{where}: {error.message}"


def _spec(name: str, entry: dict[str, Any]) -> DatasetSpec:
    youngest, oldest = entry["ages"]
    if youngest >= oldest:
        raise UserError(f"datasets.{name}.ages: [{youngest}, {oldest}] must run from low to high")
    known = dict(entry)
    known["ages"] = (youngest, oldest)
    known["files"] = tuple(FileSpec(**file) for file in entry.get("files", ()))
    known["known_problems"] = tuple(entry.get("known_problems", ()))
    if "citation" in entry:
        known["citation"] = Citation(**entry["citation"])
    if entry.get("source") is not None:
        known["source"] = Path(entry["source"]).expanduser()
    return DatasetSpec(name=name, **known)
