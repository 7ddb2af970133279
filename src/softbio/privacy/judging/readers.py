"""Readers: small classifiers that decide between two answers for a protected or clean face.

The same two serve as the project's own gender evaluators, trained on clean faces, and as what an
attacker trains on faces of any kind, to read gender or to separate protected from clean. Images
are uint8 (N, S, S, 3) that show the square `evaluators.crop.FRAME`; answers are bool (N,), and a
reader's scores are P(True), float32 (N,), by `reader.scores(images, FRAME)`.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softbio.engine.recipe import Recipe
from softbio.engine.train import train
from softbio.errors import UserError
from softbio.evaluators import hog_linear, own
from softbio.evaluators.crop import FRAME
from softbio.evaluators.interface import GenderClassifier

MODEL, WEIGHTS = "model.safetensors", "weights.npz"
# nothing in training depends on it
UNTOLD = "unknown"
FEW = 2000
# passes of the own CNN over its faces; an attacker's makes no fewer
EPOCHS = 30


def check_readable(images: np.ndarray, positive: np.ndarray) -> None:
    """Raise UserError for images and answers that do not belong together, and where all answers
    are one, so that nothing can be learnt."""
    if images.dtype != np.uint8 or images.shape != (len(positive), *images.shape[1:2] * 2, 3):
        raise UserError(
            f"readers: images {images.dtype}{images.shape} for {len(positive)} answers; they must "
            "be uint8 (N, side, side, 3), an answer an image"
        )
    if len(np.unique(positive)) < 2:
        raise UserError(
            f"readers: all {len(positive)} training images have one answer, so nothing can be "
            "learnt from them; give images of both"
        )


def train_cnn(
    images: np.ndarray,
    positive: np.ndarray,
    subjects: np.ndarray | None,
    folder: Path,
    seed: int = 0,
    device: str = "auto",
    dataset: str = "faces",
    **changes: Any,
) -> GenderClassifier:
    """Train the own CNN on all of the images, through the one training loop: model.safetensors,
    history.csv and run.json in `folder`; gives the reader, as `open_cnn` does.

    positive: bool (N,), the answers; subjects: object (N,) or None. changes: fields
    of `recipe.Recipe`, where not those of `own.recipe`; a crop follows the size. Can be killed and
    goes on. Raises UserError for what `check_readable` and the recipe refuse.
    """
    check_readable(images, positive)
    size = {"size": changes.pop("size")} if "size" in changes else {}
    known = own.recipe(dataset, seed, **size)
    known = replace(known, **{"batch": batch_of(len(images))} | changes)
    train_ranks(images, np.asarray(positive, int), own.AGES, subjects, known, folder, device)
    return open_cnn(folder)


def train_ranks(
    images: np.ndarray,
    labels: np.ndarray,
    ages: tuple[int, int],
    subjects: np.ndarray | None,
    known: Recipe,
    folder: Path,
    device: str = "auto",
) -> None:
    """Train by a recipe on all of the images, through the one training loop: model.safetensors,
    history.csv and run.json in `folder`.

    labels: int (N,), ages or numbers of classes within ages, the first and the last.
    """
    index = pd.DataFrame(
        {
            "image": [f"{row:07d}" for row in range(len(images))],
            "label": (np.asarray(labels) - ages[0]).astype(np.int32),
            "split": "train",
            "gender": UNTOLD,
            "race": UNTOLD,
            "subject": None if subjects is None else subjects,
        }
    )
    packed = folder / "packed"
    own.pack_ranks(images, index, ages, packed, known.size, FRAME)
    train(known, packed, folder, device)
    # not needed again, and as large as the images
    shutil.rmtree(packed)


def batch_of(count: int) -> int:
    """Small where an epoch would otherwise be a few steps, and such that no single image is left
    for the last one: batch norm needs two."""
    batch = 16 if count < FEW else 64
    while count > 1 and count % batch == 1:
        batch += 1
    return batch


def open_cnn(folder: Path) -> GenderClassifier:
    """The reader in a folder of `train_cnn`; raises UserError for anything else."""
    return own.open_cnn(folder / MODEL)


def fit_hog(images: np.ndarray, positive: np.ndarray, folder: Path) -> GenderClassifier:
    """HOG and logistic regression on all of the images: weights.npz in `folder`; gives the reader,
    as `open_hog` does. Nothing in it is random. Raises UserError as `train_cnn` does."""
    check_readable(images, positive)
    hog_linear.fit(images, positive, folder / WEIGHTS, FRAME)
    return open_hog(folder)


def open_hog(folder: Path) -> GenderClassifier:
    """The reader in a folder of `fit_hog`; raises UserError for anything else."""
    return hog_linear.open_hog(folder / WEIGHTS)
