"""The registry of evaluators: what each is, where its weights ship, what it sees and gives."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from softbio.errors import UserError, nearest

ROOT = Path(__file__).parents[3]
REGISTRY = ROOT / "config/evaluators.yaml"
SCHEMA = ROOT / "workflow/schemas/evaluators.schema.yaml"
# the entries that photographs are aligned with
DETECTOR, LANDMARKS = "yunet", "landmarks68"


@dataclass(frozen=True)
class WeightFile:
    """A file of a package: its path in the archive and its checksum."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Square:
    """A square of the aligned face, in template units."""

    half: float
    cx: float
    cy: float


# the square that the aligned canvas shows: 28 units more than the template on each side
CANVAS = Square(half=84, cx=56, cy=56)
# what a protected face shows: forehead to chin and the cheeks, and every square that an evaluator
# of the registry looks at
FRAME = Square(half=64, cx=56, cy=64)


@dataclass(frozen=True)
class Input:
    """(pixel - mean) / scale of `size` x `size` pixels 0..255, channels in the order `colour`."""

    size: int
    colour: str
    mean: tuple[float, float, float]
    scale: float


@dataclass(frozen=True)
class Output:
    """What a score is, and its authors' threshold (None: they give none)."""

    meaning: str
    threshold: float | None = None
    column: int | None = None


@dataclass(frozen=True)
class EvaluatorSpec:
    """One entry of the registry; the keys are described in evaluators.schema.yaml."""

    name: str
    title: str
    kind: str
    architecture: str
    ecosystem: str
    package: str
    version: str
    files: Mapping[str, WeightFile]
    licence: str
    provenance: str
    citation: str
    net: str
    trained_on: tuple[str, ...] = ()
    crop: Square | None = None
    input: Input | None = None
    output: Output | None = None

    @property
    def folder(self) -> str:
        """Where its files lie below the folder of evaluators: one folder a package."""
        plain = self.package.removeprefix("@").replace("/", "-")
        return f"{self.ecosystem}/{plain}-{self.version}"

    def paths(self, folder: Path | str) -> dict[str, Path]:
        """Its files below the folder of evaluators, by role."""
        return {role: Path(folder, self.folder, file.name) for role, file in self.files.items()}


def load_evaluators(path: Path | str = REGISTRY) -> dict[str, EvaluatorSpec]:
    """Read config/evaluators.yaml; raises UserError, naming entry and key, for what is wrong."""
    # PyYAML and jsonschema are not on every GPU machine: a spec may come from elsewhere
    from softbio.schema import read_yaml, validate

    entries = read_yaml(Path(path))
    if not isinstance(entries, dict):
        raise UserError(f"{path}: must hold one mapping of evaluators")
    validate(entries, SCHEMA, str(path))
    specs = {name: spec_from({"name": name, **entry}) for name, entry in entries.items()}
    known: dict[tuple[str, str], WeightFile] = {}
    for spec in specs.values():
        for file in spec.files.values():
            if known.setdefault((spec.folder, file.name), file) != file:
                raise UserError(f"{path}: '{spec.name}' has another {file.name}; rename one entry")
    return specs


def spec_from(values: Mapping[str, Any]) -> EvaluatorSpec:
    """The entry of these plain values, such as its own `asdict`."""
    known = dict(values)
    known["files"] = {role: WeightFile(**file) for role, file in known["files"].items()}
    known["trained_on"] = tuple(known.get("trained_on", ()))
    if known.get("input"):
        known["input"] = Input(**{**known["input"], "mean": tuple(known["input"]["mean"])})
    for key, kind in (("crop", Square), ("output", Output)):
        if known.get(key):
            known[key] = kind(**known[key])
    return EvaluatorSpec(**known)


def as_used(spec: EvaluatorSpec) -> dict[str, Any]:
    """The entry as a registry holds it, without the texts about it: a corrected citation changes no
    result, nor does the order in which the files are named."""
    values = {key: value for key, value in asdict(spec).items() if value is not None}
    values["files"] = dict(sorted(values["files"].items()))
    silent = dict.fromkeys(("licence", "provenance", "citation"), "see config/evaluators.yaml")
    del values["name"], values["trained_on"]
    return values | silent


def find_evaluator(specs: Mapping[str, EvaluatorSpec], name: str) -> EvaluatorSpec:
    """The entry of that name; raises UserError with the nearest name where there is none."""
    if name not in specs:
        raise UserError(f"evaluator '{name}' is not in the registry: {nearest(name, specs)}")
    return specs[name]
