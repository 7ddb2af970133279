"""From a trained model to predictions on the test images."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from softbio.data.augment import centre_offsets, crop_batch
from softbio.data.packed import load_packed
from softbio.device import choose_device
from softbio.errors import UserError
from softbio.methods import get_method
from softbio.model import forward, load_models
from softbio.predictions import About, prediction_frame, write_predictions
from softbio.recipe import Recipe


@torch.no_grad()
def predict_rows(
    model: nn.Module, recipe: Recipe, images: Tensor, rows: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Ranks int32 (N,) and probabilities float32 (N, K or K-1) of the given rows, centre crop.

    images: uint8 (all, size, size, 3) on the model's device. The model is left in evaluation mode.
    """
    model.eval()
    decode = get_method(recipe.method).decode
    ranks, probabilities = [], []
    for batch in rows.split(recipe.batch):
        top, left = centre_offsets(len(batch), recipe.size, recipe.crop).to(batch.device)
        crops = crop_batch(images, batch, top, left, recipe.crop)
        rank, probability = decode(forward(model, crops, recipe))
        ranks.append(rank)
        probabilities.append(probability)
    return (
        torch.cat(ranks).cpu().numpy().astype(np.int32),
        torch.cat(probabilities).cpu().numpy().astype(np.float32),
    )


def predict(model: Path, packed: Path, out: Path, device: str = "auto") -> None:
    """Predict the test images with each selection in a model file and write predictions.parquet.

    Raises UserError where the test part is empty or the data set is not the model's.
    """
    recipe, ages, models = load_models(model)
    data = load_packed(packed)
    if data.ages != ages or data.images.shape[1] != recipe.size:
        raise UserError(
            f"{packed}: ages {data.ages} at {data.images.shape[1]} px are not what {model} was "
            f"trained on ({ages} at {recipe.size} px); give the data set of the training"
        )
    rows = data.rows("test")
    if not len(rows):
        raise UserError(f"{packed}: the test part is empty; check the data set's split")
    place = choose_device(device)
    images, where = torch.from_numpy(data.images).to(place), torch.from_numpy(rows).to(place)
    frames = [
        prediction_frame(data, rows, name, *predict_rows(net.to(place), recipe, images, where))
        for name, net in models.items()
    ]
    kind = get_method(recipe.method).kind
    about = About(
        *(recipe.dataset, recipe.backbone, recipe.method, recipe.variant, recipe.seed), kind, ages
    )
    write_predictions(out, about, pd.concat(frames, ignore_index=True))
