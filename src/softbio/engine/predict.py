"""From a trained model to predictions on the test images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from softbio.data.augment import Crops, centre_offsets
from softbio.data.feed import Feed, make_feed
from softbio.data.packed import load_packed
from softbio.engine.device import choose_device
from softbio.engine.model import forward, load_models
from softbio.engine.recipe import Recipe
from softbio.errors import UserError
from softbio.methods import get_method
from softbio.results.predictions import About, prediction_frame, write_predictions


@torch.no_grad()
def predict_rows(
    model: nn.Module,
    recipe: Recipe,
    feed: Feed,
    rows: Tensor,
    between: Callable[[], None] = lambda: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Ranks int32 (N,) and probabilities float32 (N, K, K-1 or 0) of the given rows, centre crop.

    feed: the images, on the model's device; rows int64 (N,), on the CPU; between: called before
    each batch. The model is left in evaluation mode.
    """
    model.eval()
    decode = get_method(recipe.method).decode
    ranks, probabilities = [], []
    crops = Crops(rows, centre_offsets(len(rows), recipe.size, recipe.crop))
    for images in feed.batches(crops, recipe.crop, recipe.batch):
        between()
        rank, probability = decode(forward(model, images, recipe))
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
    feed, where = make_feed(data.images, place), torch.from_numpy(rows)
    frames = [
        prediction_frame(data, rows, name, *predict_rows(net.to(place), recipe, feed, where))
        for name, net in models.items()
    ]
    method = get_method(recipe.method)
    about = About(
        dataset=recipe.dataset,
        backbone=recipe.backbone,
        method=recipe.method,
        variant=recipe.variant,
        seed=recipe.seed,
        kind=method.kind,
        ages=ages,
        title=method.title,
        in_talk=method.in_talk,
    )
    write_predictions(out, about, pd.concat(frames, ignore_index=True))
