"""What an attacker trains: the readers on grey faces, uint8 (N, S, S), and answers of his own."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from softbio.engine.stopping import Stopped
from softbio.evaluators.crop import FRAME
from softbio.evaluators.interface import GenderClassifier
from softbio.privacy.faces import in_colour
from softbio.privacy.judging.readers import EPOCHS, batch_of, fit_hog, train_cnn

logger = logging.getLogger(__name__)
# Steps at least, beside the passes of the own CNN: few faces are not to make a weak attacker.
STEPS = 240


def learn_cnn(
    faces: np.ndarray,
    answers: np.ndarray,
    seed: int,
    device: str = "auto",
    versions: int = 1,
    **changes: Any,
) -> GenderClassifier:
    """The own CNN trained on answers, bool (N,).

    versions: how many of the faces show the same picture; its passes are divided among them.
    changes: fields of `recipe.Recipe`. Raises Stopped after a signal; nothing is kept.
    """
    with TemporaryDirectory(prefix="softbio-") as folder:
        epochs, batch = schedule(len(faces), versions)
        known = {"device": device, "epochs": epochs, "batch": batch} | changes
        try:
            return train_cnn(in_colour(faces), answers, None, Path(folder), seed, **known)
        except Stopped:
            # the engine has just named a file in this folder to go on from
            logger.warning("an attack keeps no state: the same command begins it anew")
            raise


def schedule(count: int, versions: int) -> tuple[int, int]:
    """Epochs and batch: the own CNN's, that many passes of each picture, in `STEPS` steps or
    more."""
    batch = batch_of(count)
    return max(-(-EPOCHS // versions), -(-STEPS // -(-count // batch))), batch


def learn_hog(faces: np.ndarray, answers: np.ndarray) -> GenderClassifier:
    """HOG and logistic regression fitted to the same."""
    with TemporaryDirectory(prefix="softbio-") as folder:
        return fit_hog(in_colour(faces), answers, Path(folder))


def read(reader: GenderClassifier, faces: np.ndarray) -> np.ndarray:
    """A reader's scores, float32 (N,)."""
    return reader.scores(faces, FRAME)
