"""Classifiers trained here, on other subjects than they judge: a small CNN through the one
training loop, and HOG with logistic regression. They judge drawn faces, which no third-party
evaluator was trained on, and judge beside the third-party ones elsewhere."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softbio.data.augment import centre_offsets
from softbio.data.packed import NEEDED, write_header
from softbio.engine.recipe import Recipe
from softbio.errors import UserError
from softbio.evaluators.crop import CANVAS, crop, parts
from softbio.evaluators.interface import GenderClassifier
from softbio.evaluators.registry import EvaluatorSpec, Input, Output, Square
from softbio.files import atomic

# the whole face and some hair
FACE = Square(half=60, cx=56, cy=62)
CNN = "own_cnn"
AGES = (0, 1)  # rank 1 is male


def recipe(dataset: str, seed: int, size: int = 48, epochs: int = 15) -> Recipe:
    """What the own CNN is: small16, cross-entropy on two classes."""
    return Recipe(
        dataset=dataset,
        backbone="small16",
        method="ce",
        variant="",
        seed=seed,
        size=size,
        crop=size - 4,
        epochs=epochs,
        batch=64,
        learning_rate=1e-3,
    )


def pack_gender(
    images: np.ndarray, index: pd.DataFrame, folder: Path | str, size: int, frame: Square = CANVAS
) -> None:
    """A packed data set whose ranks are female and male, for the training loop.

    images: uint8 (N, H, H, 3) or (N, H, H) that show the square `frame`; index: N rows with image,
    split, gender, race, subject. Rows without gender are left out. Raises UserError where training
    would know only one gender.
    """
    known = index["gender"].isin(["female", "male"]).to_numpy()
    kept = index[known].reset_index(drop=True)
    kept = kept.assign(label=(kept["gender"] == "male").astype(np.int32))
    if kept.loc[kept["split"] == "train", "label"].nunique() < 2:
        raise UserError(f"{folder}: the training part does not show both genders; change the split")
    pack_ranks(images[known], kept, AGES, folder, size, frame)


def pack_ranks(
    images: np.ndarray,
    index: pd.DataFrame,
    ages: tuple[int, int],
    folder: Path | str,
    size: int,
    frame: Square = CANVAS,
) -> None:
    """A packed data set for the training loop.

    images, frame: as `pack_gender`; index: N rows with `NEEDED`, label the rank from 0; ages: the
    first and the last age, or number of a class, that ranks stand for.
    """
    folder = Path(folder)
    with atomic(folder / "images.npy") as path, open(path, "wb") as file:
        write_header(file, len(images), size)
        for part in parts(images):
            file.write(resized(part, size, frame).tobytes())
    with atomic(folder / "index.parquet") as part:
        index[NEEDED].to_parquet(part)
    with atomic(folder / "card.json") as part:
        part.write_text(json.dumps({"ages": ages}) + "\n")


def resized(faces: Tensor, size: int, frame: Square) -> np.ndarray:
    """Float (n, 3 or 1, H, H) -> uint8 (n, size, size, 3) of the square FACE."""
    cut = crop(faces, FACE, size, frame).round().clamp(0, 255).to(torch.uint8)
    return cut.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()


def own_spec(
    name: str,
    title: str,
    size: int,
    scale: float,
    kind: str = "gender",
    *,
    architecture: str | None = None,
    provenance: str = "trained here, on other subjects",
    crop: Square = FACE,
) -> EvaluatorSpec:
    """An entry for what is trained here: size: of its input in pixels; scale: what grey levels are
    divided by; architecture: its name, without one."""
    outputs = {
        "gender": Output("P(male)", 0.5),
        "matcher": Output("cosine"),
        "age": Output("years"),
        "race": Output("class"),
    }
    return EvaluatorSpec(
        name=name,
        title=title,
        kind=kind,
        architecture=architecture or name,
        ecosystem="own",
        package="softbio",
        version="",
        files={},
        licence="MIT, as softbio",
        provenance=provenance,
        citation="softbio",
        net=name,
        crop=crop,
        input=Input(size, "rgb", (0.0, 0.0, 0.0), scale),
        output=outputs[kind],
    )


def open_cnn(model: Path | str) -> GenderClassifier:
    """The classifier in the model.safetensors that `train` made of a `pack_gender` folder.

    Raises UserError for a model of anything else.
    """
    known, ages, output = open_output(model)
    if ages != AGES or known.method != "ce":
        raise UserError(f"{model}: no gender classifier; train one on packed genders")

    def score(x: Tensor) -> Tensor:
        return torch.softmax(output(x), dim=1)[:, 1]

    return GenderClassifier(own_spec(CNN, "Own CNN", known.size, 255), score)


def open_output(
    model: Path | str,
) -> tuple[Recipe, tuple[int, int], Callable[[Tensor], Tensor]]:
    """Recipe and ages of a model.safetensors of `train`, and its last epoch's network: float
    (N, 3, size, size) -> what its method gives for their centres. Raises UserError for no model."""
    from softbio.engine.model import forward, load_models

    known, ages, models = load_models(Path(model))
    network = models["last"].eval()
    top, left = centre_offsets(1, known.size, known.crop)[:, 0].tolist()

    def output(x: Tensor) -> Tensor:
        return forward(network, x[..., top : top + known.crop, left : left + known.crop], known)

    return known, ages, output
