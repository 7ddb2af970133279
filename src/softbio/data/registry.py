"""The registry of data sets: what each is, where its files are, how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from softbio.data.traits import rank_count, trait_of
from softbio.errors import UserError, nearest
from softbio.schema import read_yaml, validate

# what a split other than the published one adds to the data set's name, in paths and tables
REPAIRED = "-repaired"
SCHEMA = Path(__file__).parents[3] / "workflow/schemas/datasets.schema.yaml"
# by their files, for importing them takes a second
READERS = {path.stem for path in Path(__file__).parent.glob("readers/[!_]*.py")}


@dataclass(frozen=True)
class Citation:
    """A reference: the text as printed, its DOI and where it can be read."""

    text: str
    doi: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class FileSpec:
    """A file as its authors offer it; None where they do not say.

    url, mirrors: its addresses in this order, http(s) or "gdrive:" and a file's ID. md5: without a
    SHA-256. in_parts: it comes as NAMEaa, NAMEab, ..; optional: only if `lists` names it.
    """

    name: str
    url: str | None
    sha256: str | None
    bytes: int | None
    mirrors: tuple[str, ...] = ()
    md5: str | None = None
    in_parts: bool = False
    optional: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The url and its mirrors."""
        return (self.url, *self.mirrors) if self.url else self.mirrors


@dataclass(frozen=True)
class Expected:
    """Expected counts of all parts together, and of the test part; None where no source has them.

    holds: False where a config changed the options that these were counted with.
    """

    images: int | None = None
    test: int | None = None
    subjects: int | None = None
    holds: bool = True

    @property
    def parts(self) -> dict[str, int]:
        """Images of the parts train and test, of `all` where no test part is known; a part without
        images is left out. Empty where the images are not known."""
        if self.images is None:
            return {}
        if self.test is None:
            return {"all": self.images}
        parts = {"train": self.images - self.test, "test": self.test}
        return {part: images for part, images in parts.items() if images}


@dataclass(frozen=True)
class Preparation:
    """How an image is prepared before it is packed.

    align: "none", or a crop of `data.alignment.crops`; crop: without it, "none" or "centre", the
    largest square around the centre of the image; max_rejected: the largest share of the listed
    images that may be left out, because they do not decode or show no face.
    """

    align: str = "none"
    crop: str = "none"
    max_rejected: float = 0.01


@dataclass(frozen=True)
class DatasetSpec:
    """One entry of the registry; the keys are described in datasets.schema.yaml."""

    name: str
    title: str
    reader: str
    ages: tuple[int, int] | None  # None: no ages are known, the labels are genders
    citation: Citation = field(default_factory=lambda: Citation("not stated"))
    licence: str = "not stated"
    access: str = "own"
    homepage: str | None = None
    intended_use: str = "not stated"
    obtain: str = ""
    files: tuple[FileSpec, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    prepare: Preparation = Preparation()
    source: Path | None = None
    source_sha256: str | None = None
    expected: Expected = field(default_factory=Expected)
    subjects: bool = True  # False: they are unknown, each image counts as a subject of its own
    known_problems: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Number of ranks; of the two genders where no ages are known."""
        return rank_count(self.ages)

    @property
    def trait(self) -> str:
        """What its labels are: age or gender."""
        return trait_of(self.ages)

    @property
    def upright(self) -> bool:
        """Whether images are turned as their EXIF orientation says: a user's own are; the published
        results are of images as stored."""
        return self.reader == "table"

    @property
    def archives(self) -> tuple[FileSpec, ...]:
        """The authors' image archives: the files that are no lists."""
        return tuple(f for f in self.files if f.name not in self.lists.values())

    @property
    def archive(self) -> FileSpec | None:
        """The first of them, the only one of most."""
        return next(iter(self.archives), None)


@dataclass(frozen=True)
class FoundFile:
    """A source file as it was found; a folder of images has neither checksum nor size."""

    name: str
    sha256: str | None
    bytes: int | None


@dataclass(frozen=True)
class Reconciled:
    """The lists compared with the archive.

    listed: images on the lists; produced: of these, packed; unlisted: images of the archive that
    are on no list; unlisted_produced: of these, with a face, so that they could have been packed;
    None where nothing is aligned.
    """

    listed: int
    produced: int
    unlisted: int
    unlisted_produced: int | None


@dataclass(frozen=True)
class Card:
    """The data card (card.json): where the images come from and what is in them.

    ages: None where none are known; then rank 0 is female and rank 1 male. counts: split -> images;
    labels: split -> images of each rank (K numbers); gender, race: split -> group -> images
    ("unknown" where not labelled; empty where no image is); differences: counts that are not the
    expected ones, both numbers in each; subjects: split -> people, None where unknown;
    missing_ranks: split -> ranks without image; preparation: what was done before packing, and how
    it differs from what was published; reconciled: None where images are drawn.
    Everything but `made` (ISO date) is the same each time.
    """

    name: str
    title: str
    citation: Citation
    licence: str
    access: str
    homepage: str | None
    intended_use: str
    ages: tuple[int, int] | None
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
    differences: tuple[str, ...] = ()
    preparation: tuple[str, ...] = ()
    reconciled: Reconciled | None = None
    # what was packed of each image: `Preparation.align`, or without it `crop`; older cards lack it
    cut: str | None = None


def load_registry(
    path: Path | str, overrides: Mapping[str, Any] | None = None
) -> dict[str, DatasetSpec]:
    """Read config/datasets.yaml; change or extend it key by key with a config's `datasets:`.

    Where a config changes an entry's options but not `expected`, that no longer holds.
    Raises UserError, naming entry and key, for what the schema does not allow and for an
    unknown reader.
    """
    entries = read_yaml(Path(path))
    if not isinstance(entries, dict):
        raise UserError(f"{path}: must hold one mapping of data sets")
    if overrides is not None and not isinstance(overrides, Mapping):
        raise UserError("datasets: must be a mapping of data sets, such as utkface: {source: PATH}")
    outdated = set()
    for name, change in (overrides or {}).items():
        if not isinstance(name, str):
            raise UserError(f"datasets: name {name!r} is not text; put it in quotes")
        if not isinstance(change, Mapping):
            raise UserError(f"datasets.{name}: must be a mapping of keys, such as source: PATH")
        if name not in entries and not {"title", "reader", "ages"} <= change.keys():
            raise UserError(
                f"datasets.{name}: not in {path}, {nearest(name, entries)} "
                "(a data set of your own needs title, reader and ages)"
            )
        old = entries.get(name, {})
        entries[name] = _merge(old, change)
        if "expected" not in change and entries[name].get("options") != old.get("options"):
            outdated.add(name)
    validate(entries, SCHEMA, "datasets")
    specs = {name: _spec(name, entry) for name, entry in entries.items()}
    for name in outdated:
        expected = replace(specs[name].expected, holds=False)
        specs[name] = replace(specs[name], expected=expected)
    return specs


def find(registry: Mapping[str, DatasetSpec], name: str) -> DatasetSpec:
    """The entry of that name; raises UserError with the nearest name where there is none."""
    if name not in registry:
        raise UserError(f"data set '{name}' is not in the registry: {nearest(name, registry)}")
    return registry[name]


def spec_from(values: Mapping[str, Any]) -> DatasetSpec:
    """The entry whose `asdict` has these values."""
    return _spec(values["name"], {key: values[key] for key in values if key != "name"})


def _merge(old: Any, new: Any) -> Any:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {**old, **{key: _merge(old.get(key), value) for key, value in new.items()}}


def _spec(name: str, entry: dict[str, Any]) -> DatasetSpec:
    if entry["reader"] not in READERS:
        raise UserError(
            f"datasets.{name}.reader: no '{entry['reader']}', {nearest(entry['reader'], READERS)}"
        )
    known = dict(entry)
    if entry["reader"] == "drawn":
        # nothing to fetch and nothing to apply for, whatever a user's entry leaves out
        known["access"] = "generated"
    if entry["ages"] is not None:
        youngest, oldest = known["ages"] = tuple(entry["ages"])
        if youngest >= oldest:
            raise UserError(
                f"datasets.{name}.ages: [{youngest}, {oldest}] must run from low to high"
            )
    listed = entry.get("lists", {}).values()
    files = map(_file, entry.get("files", ()))
    known["files"] = tuple(file for file in files if not file.optional or file.name in listed)
    known["expected"] = _expected(name, entry.get("expected", {}))
    known["known_problems"] = tuple(entry.get("known_problems", ()))
    if "citation" in entry:
        known["citation"] = Citation(**entry["citation"])
    if "prepare" in entry:
        known["prepare"] = Preparation(**entry["prepare"])
    if entry.get("source") is not None:
        known["source"] = Path(entry["source"]).expanduser()
    return DatasetSpec(name=name, **known)


def _expected(name: str, values: Mapping[str, Any]) -> Expected:
    expected = Expected(**values)
    if None not in (expected.images, expected.test) and expected.test > expected.images:
        raise UserError(
            f"datasets.{name}.expected: {expected.test:,} test images are more than the "
            f"{expected.images:,} of all parts; correct one, or leave it empty"
        )
    return expected


def _file(values: Mapping[str, Any]) -> FileSpec:
    return FileSpec(**{**values, "mirrors": tuple(values.get("mirrors", ()))})
