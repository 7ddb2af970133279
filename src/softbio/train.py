"""The one training loop: every method, backbone and label goes through it."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softbio.data.augment import crop_batch, random_offsets
from softbio.data.packed import Packed, load_packed
from softbio.data.splits import hold_out
from softbio.device import choose_device
from softbio.errors import UserError
from softbio.files import atomic, sha256
from softbio.importance import importance_weights
from softbio.methods import get_method
from softbio.methods.base import Method
from softbio.model import build_model, forward, save_models, weights_of
from softbio.predict import predict_rows
from softbio.progress import bar
from softbio.provenance import Stopwatch, write_run
from softbio.recipe import Recipe
from softbio.resume import Epoch, Moving, Progress, ResumeFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """What a run sees, on its device.

    images uint8 (all, size, size, 3); train, valid: row numbers int64; labels int64 (all,), those
    of training permuted in the shuffled control; importance float32 (K-1,).
    """

    images: Tensor
    labels: Tensor
    train: Tensor
    valid: Tensor
    importance: Tensor


def training_data(packed: Packed, recipe: Recipe, device: torch.device) -> TrainingData:
    """Choose the training and validation rows, labels and weights that a recipe asks for.

    Raises UserError for an empty training part and for weights that the method can not use.
    """
    labels = packed.labels
    train, valid = packed.rows("train"), packed.rows("valid")
    if not len(train):
        raise UserError(f"data set '{recipe.dataset}': the training part is empty; check its split")
    if not len(valid) and recipe.validation:
        subjects = None if packed.subjects is None else packed.subjects[train]
        held = hold_out(labels[train], subjects, recipe.validation)
        train, valid = train[~held], train[held]
    missing = sorted(set(range(packed.k)) - set(labels[train]))
    if missing:
        ages = ", ".join(str(packed.ages[0] + rank) for rank in missing)
        logger.warning("no training image of age %s: those ranks can not be learnt", ages)
    importance = np.ones(packed.k - 1)
    if recipe.variant == "-weighted":
        if not get_method(recipe.method).takes_importance:
            raise UserError(
                f"method '{recipe.method}' has no binary tasks to weight; "
                "drop the variant 'weighted' for it"
            )
        importance = importance_weights(labels[train], packed.k)
    if recipe.variant == "-shuffled":
        labels = labels.copy()
        labels[train] = np.random.default_rng(recipe.seed).permutation(labels[train])
    return TrainingData(
        torch.from_numpy(packed.images).to(device),
        torch.from_numpy(labels).to(device),
        torch.from_numpy(train).to(device),
        torch.from_numpy(valid).to(device),
        torch.from_numpy(importance).float().to(device),
    )


def train_epoch(
    moving: Moving, recipe: Recipe, method: Method, data: TrainingData, epoch: int
) -> tuple[Tensor, Tensor]:
    """One pass (number `epoch`) over the training images in random order, each randomly cropped.

    Returns the loss of each batch and the signed error in years of each image as the network
    stood when it saw it. Nothing is read back from the device before the end.
    """
    moving.model.train()
    device, count = data.images.device, len(data.train)
    order = data.train[torch.randperm(count, generator=moving.generator).to(device)]
    offsets = random_offsets(count, recipe.size, recipe.crop, moving.generator).to(device)
    losses, errors = [], []
    text = f"{recipe.backbone} {recipe.method}{recipe.variant} seed {recipe.seed} epoch {epoch}"
    for start in bar(range(0, count, recipe.batch), text):
        rows = order[start : start + recipe.batch]
        top, left = offsets[:, start : start + recipe.batch]
        labels = data.labels[rows]
        crops = crop_batch(data.images, rows, top, left, recipe.crop)
        output = forward(moving.model, crops, recipe)
        loss = method.loss(output, labels, data.importance)
        moving.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        moving.optimizer.step()
        losses.append(loss.detach())
        errors.append(method.decode(output.detach())[0] - labels)
    return torch.stack(losses), torch.cat(errors)


def check_finite(losses: Tensor, epoch: int, resume: ResumeFile) -> None:
    """Raise UserError naming the first batch (from 1) whose loss is not finite."""
    bad = torch.nonzero(~torch.isfinite(losses))
    if len(bad):
        kept = f"the state after epoch {epoch - 1} is kept in {resume.path}; " if epoch > 1 else ""
        raise UserError(
            f"loss is {losses[bad[0, 0]].item()} in epoch {epoch}, batch {bad[0, 0].item() + 1}: "
            f"{kept}lower learning_rate, or use precision fp32"
        )


def errors_of(errors: np.ndarray | Tensor) -> tuple[float, float]:
    """MAE and RMSE of signed errors (N,), in years."""
    errors = np.asarray(errors.cpu() if isinstance(errors, Tensor) else errors, np.float64)
    return float(np.abs(errors).mean()), float(np.sqrt(np.square(errors).mean()))


def next_epoch(
    moving: Moving, recipe: Recipe, data: TrainingData, progress: Progress, resume: ResumeFile
) -> None:
    """Train and validate one epoch, add it to `progress` and save the resume file."""
    method, epoch, started = get_method(recipe.method), len(progress.history) + 1, time.monotonic()
    losses, errors = train_epoch(moving, recipe, method, data, epoch)
    losses = losses.cpu()
    trained = time.monotonic() - started
    check_finite(losses, epoch, resume)
    valid_mae = valid_rmse = None
    if len(data.valid):
        ranks, _ = predict_rows(moving.model, recipe, data.images, data.valid)
        valid_mae, valid_rmse = errors_of(ranks - data.labels[data.valid].cpu().numpy())
    train_mae, train_rmse = errors_of(errors)
    line = Epoch(
        epoch=epoch,
        loss=losses.mean().item(),
        train_mae=train_mae,
        train_rmse=train_rmse,
        valid_mae=valid_mae,
        valid_rmse=valid_rmse,
        images_per_second=len(data.train) / trained,
        seconds=time.monotonic() - started,
        learning_rate=moving.optimizer.param_groups[0]["lr"],
        bias_inversions=method.diagnostics(moving.model.head).get("bias_inversions"),
    )
    if valid_mae is not None and valid_mae < progress.best_mae:
        progress.best_epoch, progress.best_weights = epoch, weights_of(moving.model)
    progress.history.append(line)
    resume.save(moving, progress)
    log_epoch(line, recipe.epochs)


def log_epoch(line: Epoch, epochs: int) -> None:
    """One line of the log."""
    valid = "" if line.valid_mae is None else f", valid {line.valid_mae:.2f}/{line.valid_rmse:.2f}"
    logger.info(
        "epoch %d/%d: loss %.4f, MAE/RMSE train %.2f/%.2f%s, %.0f images/s",
        *(line.epoch, epochs, line.loss, line.train_mae, line.train_rmse, valid),
        line.images_per_second,
    )


def write_history(path: Path, history: list[Epoch]) -> None:
    """history.csv: a line an epoch, full precision."""
    frame = pd.DataFrame(history).astype({"bias_inversions": "Int64"})
    with atomic(path) as part:
        frame.to_csv(part, index=False)


def train(recipe: Recipe, packed: Path, folder: Path, device: str = "auto") -> None:
    """Train one recipe on a packed data set; write model.safetensors, history.csv and run.json.

    The model file holds the last epoch and, where there are validation images, the epoch of the
    lowest validation MAE. A run that was killed goes on after its last finished epoch when called
    again. Raises UserError for a recipe that does not fit the data and for a loss that is not
    finite.
    """
    watch, place, data = Stopwatch(), choose_device(device), load_packed(packed)
    if data.images.shape[1] != recipe.size:
        side = data.images.shape[1]
        raise UserError(f"{packed}: images of {side} px; the recipe's size is {recipe.size} px")
    # seeded just before the model is built, as the authors' scripts do
    torch.manual_seed(recipe.seed)
    model = build_model(recipe, data.k).to(place)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    moving = Moving(model, optimizer, torch.Generator().manual_seed(recipe.seed))
    seen = training_data(data, recipe, place)
    index_sha256 = sha256(Path(packed) / "index.parquet")
    resume = ResumeFile(folder / "resume.pt", recipe, place, index_sha256)
    progress = resume.restore(moving)
    while len(progress.history) < recipe.epochs:
        next_epoch(moving, recipe, seen, progress, resume)
    weights = {"last": weights_of(model)}
    if progress.best_weights is not None:
        weights["best"] = progress.best_weights
    save_models(folder / "model.safetensors", recipe, data.ages, weights)
    write_history(folder / "history.csv", progress.history)
    counts = (len(seen.train), len(seen.valid), len(data.rows("test")))
    write_run(folder / "run.json", recipe, model, progress, watch, place, counts, index_sha256)
    resume.remove()
