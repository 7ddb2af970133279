"""The project's own gender evaluators: trained once a population, on clean faces of the part
"evaluators", whose subjects neither a SAN nor an attacker nor the test has.

Faces are grey, as protected ones are, so that clean and protected faces are treated alike. The own
matcher is `train_auxiliary` of a `recipe.own_matcher_recipe`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from softbio.data.packed import Packed, load_packed
from softbio.privacy.faces import as_bytes, grey, in_colour
from softbio.privacy.judging.readers import EPOCHS, fit_hog, train_cnn
from softbio.privacy.parts import gender_of, read_parts
from softbio.privacy.recipe import OWN_PART, OWN_SEED

BATCH = 1024


def grey_bytes(packed: Packed, rows: np.ndarray) -> np.ndarray:
    """Some faces of a packed data set as unprotected ones are written: uint8 (n, S, S, 3), three
    equal channels, read-only."""
    faces = np.empty((len(rows), *packed.images.shape[1:3]), np.uint8)
    for start in range(0, len(rows), BATCH):
        images = torch.from_numpy(packed.images[rows[start : start + BATCH]])
        faces[start : start + BATCH] = as_bytes(grey(images))[..., 0]
    return in_colour(faces)


def evaluator_faces(packed: Path, parts: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What own evaluators learn gender from: images uint8 (n, S, S, 3), male bool (n,), subjects
    object (n,). Raises UserError for files that do not belong together."""
    data = load_packed(packed)
    rows = np.flatnonzero(read_parts(parts, data) == OWN_PART)
    return grey_bytes(data, rows), gender_of(data)[rows] == 1, data.subjects[rows]


def train_own_cnn(
    packed: Path,
    parts: Path,
    folder: Path,
    device: str = "auto",
    dataset: str = "faces",
    epochs: int = EPOCHS,
    **changes: Any,
) -> None:
    """Train the own CNN at 48 px; changes: fields of `recipe.Recipe`.

    parts: parts.csv of `write_parts`. Writes what `readers.train_cnn` does and raises UserError as
    it does.
    """
    images, male, subjects = evaluator_faces(packed, parts)
    train_cnn(images, male, subjects, folder, OWN_SEED, device, dataset, epochs=epochs, **changes)


def fit_own_hog(packed: Path, parts: Path, folder: Path) -> None:
    """Fit HOG and logistic regression; as `readers.fit_hog`."""
    images, male, _ = evaluator_faces(packed, parts)
    fit_hog(images, male, folder)
