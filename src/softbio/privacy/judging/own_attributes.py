"""The project's own readers of age and race: CORAL of this pipeline on the years, and the own CNN's
network on the classes, on the same faces as the own gender evaluators.

Not every population has ages or races. Where the training faces have none, nothing is trained, and
told.json says why: the panel then lists the reader as absent.
"""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from softbio.data.packed import Packed, load_packed
from softbio.errors import UserError
from softbio.evaluators import own
from softbio.evaluators.interface import AgeEstimator, ClassReader
from softbio.files import write_json
from softbio.methods import get_method
from softbio.privacy import Attribute
from softbio.privacy.attributes import LEAST, labels_of, values_of
from softbio.privacy.judging.own_evaluators import grey_bytes
from softbio.privacy.judging.readers import MODEL, batch_of, train_ranks
from softbio.privacy.parts import read_parts
from softbio.privacy.recipe import OWN_PART, OWN_SEED

logger = logging.getLogger(__name__)

TOLD = "told.json"
AGE, RACE = "age", "race"


@dataclass(frozen=True)
class OwnReader:
    """What is trained under a name. attribute: that it reads; changes: fields of the own CNN's
    recipe that are not its own."""

    title: str
    attribute: str
    changes: dict[str, Any]


READERS = {
    # zero biases, as published, would take longer than the whole of this training
    "own_coral": OwnReader(
        "CORAL of this pipeline", AGE, {"method": "coral", "bias": "descending"}
    ),
    "own_race": OwnReader("Own race classifier", RACE, {}),
}


def untold(index: pd.DataFrame, inside: np.ndarray, attribute: str, whose: str) -> str:
    """Why an attribute cannot be learnt or judged; empty where two values of it have enough faces
    inside, bool (N,). whose: the faces, in words."""
    values = values_of(index, inside, attribute)
    if len(values) > 1:
        return ""
    what = "age group" if attribute == AGE else attribute
    return f"{whose} do not show two {what}s, each with {LEAST} faces or more"


def train_reader(
    name: str,
    packed: Path,
    parts: Path,
    folder: Path,
    device: str = "auto",
    dataset: str = "faces",
    epochs: int = 30,
    **changes: Any,
) -> None:
    """Train a reader of `READERS` on the part "evaluators"; changes: fields of `recipe.Recipe`.

    Writes what `readers.train_ranks` does and, last, told.json; that alone, with the reason, where
    those faces do not have the attribute. Raises UserError for files that do not belong
    together.
    """
    data, wanted = load_packed(packed), READERS[name]
    inside = read_parts(parts, data) == OWN_PART
    reason = untold(data.index, inside, wanted.attribute, "the faces that it would learn from")
    if reason:
        logger.warning("%s is not trained: %s", name, reason)
        return write_json(folder / TOLD, {"reason": reason, "values": []})
    values = values_of(data.index, inside, wanted.attribute)
    labels = _labels(data, wanted.attribute, values)
    rows = np.flatnonzero(inside & (labels >= 0))
    ages = (
        (0, len(values) - 1)
        if wanted.attribute == RACE
        else (labels[rows].min(), labels[rows].max())
    )
    known = own.recipe(dataset, OWN_SEED, changes.pop("size", 48), epochs)
    known = replace(known, batch=batch_of(len(rows)), **wanted.changes | changes)
    subjects = None if data.subjects is None else data.subjects[rows]
    images = grey_bytes(data, rows)
    train_ranks(images, labels[rows], tuple(map(int, ages)), subjects, known, folder, device)
    write_json(folder / TOLD, {"reason": "", "values": values})


def _labels(data: Packed, attribute: str, values: tuple[str, ...]) -> np.ndarray:
    """Years, or numbers of classes, int64 (N,); -1 where unknown."""
    if attribute == RACE:
        return labels_of(data.index, Attribute(RACE, values))
    return pd.to_numeric(data.index[AGE], errors="coerce").fillna(-1).to_numpy(np.int64)


def open_reader(folder: Path, name: str) -> AgeEstimator | ClassReader:
    """The reader in a folder of `train_reader`; raises UserError, with the reason, where none was
    trained, and for anything else."""
    path, wanted = folder / TOLD, READERS[name]
    try:
        told = json.loads(path.read_text())
        reason, values = str(told["reason"]), tuple(map(str, told["values"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: no reader was trained ({error!r}); train it again") from None
    if reason:
        raise UserError(reason)
    known, (first, last), output = own.open_output(folder / MODEL)
    decode = get_method(known.method).decode
    if wanted.attribute == RACE and last + 1 != len(values):
        raise UserError(f"{folder}: {last + 1} classes and {len(values)} names; train it again")

    def tell(x: Tensor) -> Tensor:
        return decode(output(x))[0].float() + first

    spec = own.own_spec(name, wanted.title, known.size, 255, wanted.attribute)
    return AgeEstimator(spec, tell) if wanted.attribute == AGE else ClassReader(spec, tell, values)
