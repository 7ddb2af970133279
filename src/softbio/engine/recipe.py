"""What a run is: every choice that its numbers depend on."""

import hashlib
import json
import math
from dataclasses import MISSING, Field, asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin

from softbio.errors import UserError, nearest

Variant = Literal["", "-weighted", "-shuffled"]
# what an error of a recipe begins with, unless the place of its values is known
SOMEWHERE = "recipe"


@dataclass(frozen=True)
class Recipe:
    """One training run.

    variant: "" as it is; "-weighted": importance weights of Eq. 7; "-shuffled": a control whose
        training labels are permuted.
    size: side of the packed images; crop: side of what the network sees (random crop in training,
        centre crop in evaluation), both in pixels.
    precision: "fp32", as published, or "bf16" autocast.
    bias: initial biases of CORAL, "zeros" as published or "descending".
    validation: share of the training images held out to choose the best epoch, where the data set
        has no validation part of its own; 0 as published in the talk.
    channels_last: memory layout; it changes speed, and sums by a rounding error.
    compile: torch.compile of the training step, with the same effects.
    """

    dataset: str
    backbone: str
    method: str
    variant: Variant
    seed: int
    size: int
    crop: int
    epochs: int
    batch: int
    learning_rate: float
    precision: Literal["fp32", "bf16"] = "fp32"
    bias: Literal["zeros", "descending"] = "zeros"
    validation: float = 0.0
    channels_last: bool = True
    compile: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("size", "crop", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise UserError(f"recipe: {name} is {getattr(self, name)}; it must be at least 1")
        if self.crop > self.size:
            raise UserError(f"recipe: crop {self.crop} is larger than size {self.size}; lower it")
        if not 0 <= self.validation < 1:
            raise UserError(f"recipe: validation is {self.validation}; it must be in [0, 1)")
        if not 0 < self.learning_rate < math.inf:
            raise UserError(f"recipe: learning_rate is {self.learning_rate}; it must be above 0")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"recipe: seed is {self.seed}; it must be in [0, 2^32)")

    @property
    def sha256(self) -> str:
        """What a resume file must match."""
        return hash_of(self)


def check_types(recipe: Any) -> None:
    """Raise UserError where the value of a field has another type than its dataclass says, or is
    none of the choices."""
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        kinds = {float: (float, int)}.get(field.type, (field.type,))
        # a bool is an int to isinstance
        if get_origin(field.type) is not Literal and type(value) not in kinds:
            kind = field.type.__name__
            raise UserError(f"recipe: {field.name} is {value!r}; it must be of type {kind}")
        if get_origin(field.type) is Literal and value not in get_args(field.type):
            allowed = ", ".join(repr(choice) for choice in get_args(field.type))
            raise UserError(f"recipe: {field.name} is {value!r}; choose one of {allowed}")


def hash_of(recipe: Any) -> str:
    """Hash of all fields of a recipe."""
    return hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()


def recipe_from(values: dict[str, Any], kind: type = Recipe, where: str = SOMEWHERE) -> Any:
    """Recipe of a kind from plain values (a config's section, run.json).

    where: what errors call the place of the values, such as "config: privacy.san". Raises UserError
    for an unknown or a missing key and for a value that the recipe refuses.
    """
    known = {field.name: field for field in fields(kind)}
    for key in values:
        if key not in known:
            raise UserError(f"{where}: key '{key}' is unknown: {nearest(key, known)}")
    needed = [field.name for field in known.values() if _needed(field)]
    if missing := [name for name in needed if name not in values]:
        raise UserError(f"{where}: lacks {', '.join(map(repr, missing))}; add it")
    try:
        return kind(**values)
    except UserError as error:
        raise UserError(f"{where}: {str(error).removeprefix(f'{SOMEWHERE}: ')}") from None


def _needed(field: Field) -> bool:
    """Whether a field of a recipe has no default."""
    return field.default is MISSING and field.default_factory is MISSING
