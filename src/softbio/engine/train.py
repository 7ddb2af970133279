"""The one training loop: every method, backbone and label goes through it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from softbio.data.augment import Crops, random_offsets
from softbio.data.packed import Packed, content_sha256, load_packed
from softbio.engine.device import Conditions, Determinism, choose_device, here
from softbio.engine.model import (
    build_model,
    compiled,
    forward,
    needs_two_images,
    save_models,
    weights_of,
)
from softbio.engine.predict import predict_rows
from softbio.engine.provenance import Stopwatch, write_run
from softbio.engine.recipe import Recipe
from softbio.engine.resume import ResumeFile
from softbio.engine.state import Epoch, PartialEpoch, Progress, TrainState
from softbio.engine.stopping import Stop, stoppable
from softbio.engine.training import TrainingData, training_data
from softbio.errors import UserError
from softbio.files import atomic, sha256
from softbio.methods import get_method
from softbio.methods.base import Method
from softbio.progress import bar

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """A run at work. trait: what the labels are, age or gender; network: the model as full batches
    see it, compiled where the recipe asks."""

    recipe: Recipe
    method: Method
    trait: str
    data: TrainingData
    moving: TrainState
    network: nn.Module
    resume: ResumeFile
    progress: Progress
    stop: Stop

    def check_finite(self, number: int) -> None:
        """Raise UserError where a loss of the epoch under way, the `number`-th, is not finite."""
        remedy = "lower learning_rate, or use precision fp32"
        self.resume.check_losses(self.progress.under_way, number, remedy)

    def pause_if_asked(self) -> None:
        """After a signal: save the state, also in the middle of an epoch, and leave."""
        self.resume.pause_if_asked(self.stop, self.moving, self.progress, self.check_finite)


def begin_epoch(run: Training) -> PartialEpoch:
    """Nothing done yet; the results have their place on the device."""
    count, device = len(run.data.train), run.data.labels.device
    batches = -(-count // run.recipe.batch)
    return PartialEpoch(
        run.moving.generator.get_state(),
        torch.zeros(batches, device=device),
        torch.zeros(count, dtype=torch.int64, device=device),
    )


def train_epoch(run: Training) -> PartialEpoch:
    """One pass over the training images in random order, each randomly cropped.

    Goes on with the epoch under way where there is one. Gives the loss of each batch and the
    signed error in ranks of each image as the network stood when it saw it; nothing is read back
    from the device on the way. `next_epoch` checks the losses, validates and saves.
    """
    recipe, data, generator = run.recipe, run.data, run.moving.generator
    epoch = run.progress.under_way = run.progress.under_way or begin_epoch(run)
    epoch.losses = epoch.losses.to(data.labels.device)
    epoch.results = epoch.results.to(data.labels.device)
    # drawn again after an interruption, from the state that the epoch began with
    generator.set_state(epoch.generator)
    count, batch = len(data.train), recipe.batch
    order = data.train[torch.randperm(count, generator=generator)]
    crops = Crops(order, random_offsets(count, recipe.size, recipe.crop, generator))
    labels = data.labels[order.to(data.labels.device)]
    images = data.feed.batches(crops.after(epoch.batches * batch), recipe.crop, batch)
    name = f"{recipe.backbone} {recipe.method}{recipe.variant} seed {recipe.seed}"
    text = f"{name} epoch {len(run.progress.history) + 1}"
    run.moving.model.train()
    for inputs in bar(images, text, len(epoch.losses), epoch.batches):
        part = slice(epoch.batches * batch, (epoch.batches + 1) * batch)
        epoch.losses[epoch.batches], epoch.results[part] = step(run, inputs, labels[part])
        epoch.batches += 1
        run.pause_if_asked()
    return epoch


def step(run: Training, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """One batch forward and backward, one step of the optimizer: loss and signed errors (B,)."""
    # what compilation costs would not come back in the epoch's last, smaller batch
    network = run.network if len(inputs) == run.recipe.batch else run.moving.model
    output = forward(network, inputs, run.recipe)
    loss = run.method.loss(output, labels, run.data.importance)
    run.moving.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    run.moving.optimizer.step()
    return loss.detach(), run.method.decode(output.detach())[0] - labels


def errors_of(errors: np.ndarray | Tensor) -> tuple[float, float]:
    """MAE and RMSE of signed errors (N,), of ages in years; of gender the MAE is the share of wrong
    answers."""
    errors = np.asarray(errors.cpu() if isinstance(errors, Tensor) else errors, np.float64)
    return float(np.abs(errors).mean()), float(np.sqrt(np.square(errors).mean()))


def validate(run: Training) -> tuple[float, float] | tuple[None, None]:
    """MAE and RMSE on the validation images; None where there are none."""
    valid = run.data.valid
    if not len(valid):
        return None, None
    ranks, _ = predict_rows(run.moving.model, run.recipe, run.data.feed, valid, run.pause_if_asked)
    return errors_of(ranks - run.data.labels.cpu().numpy()[valid.numpy()])


def next_epoch(run: Training) -> None:
    """Train and validate one epoch, add it to the run's progress and save the resume file."""
    progress, moving = run.progress, run.moving
    under_way, number = train_epoch(run), len(progress.history) + 1
    losses = under_way.losses.cpu()
    trained = under_way.seconds
    run.check_finite(number)
    train_mae, train_rmse = errors_of(under_way.results)
    valid_mae, valid_rmse = validate(run)
    line = Epoch(
        epoch=number,
        loss=losses.mean().item(),
        train_mae=train_mae,
        train_rmse=train_rmse,
        valid_mae=valid_mae,
        valid_rmse=valid_rmse,
        images_per_second=len(run.data.train) / trained,
        seconds=under_way.seconds,
        learning_rate=moving.optimizer.param_groups[0]["lr"],
        bias_inversions=run.method.diagnostics(moving.model.head).get("bias_inversions"),
    )
    if valid_mae is not None and valid_mae < progress.best_mae:
        progress.best_epoch, progress.best_weights = number, weights_of(moving.model)
    progress.history.append(line)
    progress.under_way = None
    # a GPU may be through the next epoch before a large state is on disk
    run.resume.save(moving, progress, wait=run.resume.device.type == "cpu")
    log_epoch(line, run.recipe.epochs, run.trait)
    run.pause_if_asked()


def log_epoch(line: Epoch, epochs: int, trait: str) -> None:
    """One line of the log."""
    if trait == "gender":
        name, train = "wrong answers", f"{line.train_mae:.2%}"
        valid = "" if line.valid_mae is None else f"{line.valid_mae:.2%}"
    else:
        name, train = "MAE/RMSE", f"{line.train_mae:.2f}/{line.train_rmse:.2f}"
        valid = "" if line.valid_mae is None else f"{line.valid_mae:.2f}/{line.valid_rmse:.2f}"
    logger.info(
        "epoch %d/%d: loss %.4f, %s train %s%s, %.0f images/s",
        line.epoch,
        epochs,
        line.loss,
        name,
        train,
        valid and f", valid {valid}",
        line.images_per_second,
    )


def write_history(path: Path, history: list[Epoch], trait: str) -> None:
    """history.csv: a line an epoch, full precision.

    Of gender the columns train_error and valid_error, the share of wrong answers, take the place of
    MAE and RMSE; the latter would be no more than the root of that share.
    """
    frame = pd.DataFrame(history).astype({"bias_inversions": "Int64"})
    if trait == "gender":
        frame = frame.drop(columns=["train_rmse", "valid_rmse"])
        frame = frame.rename(columns={"train_mae": "train_error", "valid_mae": "valid_error"})
    with atomic(path) as part:
        frame.to_csv(part, index=False)


def check_last_batch(model: nn.Module, recipe: Recipe, count: int) -> None:
    """Raise UserError where one of `count` images is left for the last batch of an epoch, and the
    network cannot learn from a single one."""
    alone = recipe.batch == 1 or count % recipe.batch == 1
    if alone and needs_two_images(model, recipe.crop):
        raise UserError(
            f"batch {recipe.batch} leaves one image of {count} for the last batch, too few for "
            "batch norm; choose another batch"
        )


def start(
    recipe: Recipe, data: Packed, resume: ResumeFile, stop: Stop, now: Callable[[], Conditions]
) -> Training:
    """Build a run, or put back together one that was interrupted. now: as `resume.restore` has it.

    Raises UserError for a recipe that does not fit the data.
    """
    # seeded just before the model is built, as the authors' scripts do
    torch.manual_seed(recipe.seed)
    model = build_model(recipe, data.k).to(resume.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    moving = TrainState(model, optimizer, torch.Generator().manual_seed(recipe.seed))
    seen = training_data(data, recipe, resume.device)
    check_last_batch(model, recipe, len(seen.train))
    progress = resume.restore(moving, now)
    network = compiled(model, recipe)
    method = get_method(recipe.method)
    return Training(recipe, method, data.trait, seen, moving, network, resume, progress, stop)


def train(recipe: Recipe, packed: Path, folder: Path, device: str = "auto") -> None:
    """Train one recipe on a packed data set; write model.safetensors, history.csv and run.json.

    The model file holds the last epoch and, where there are validation images, the epoch of the
    lowest validation MAE, of gender the fewest wrong answers. A run that was killed goes on after
    its last finished epoch when called again; SIGTERM and SIGINT end it after the batch under way,
    from which it goes on. Raises UserError for a recipe that does not fit the data, for a loss that
    is not finite and for a full disk, Stopped after a signal.
    """
    watch, place, data = Stopwatch(), choose_device(device), load_packed(packed)
    if data.images.shape[1] != recipe.size:
        side = data.images.shape[1]
        raise UserError(f"{packed}: images of {side} px; the recipe's size is {recipe.size} px")
    index_sha256 = sha256(Path(packed) / "index.parquet")
    content = content_sha256(packed, data.ages)
    resume = ResumeFile(folder / "resume.pt", recipe, place, content)
    with Determinism() as determinism, stoppable(resume.kept) as stop:
        run = start(recipe, data, resume, stop, here(place, watch.git, determinism))
        while len(run.progress.history) < recipe.epochs:
            next_epoch(run)
    model, progress = run.moving.model, run.progress
    weights = {"last": weights_of(model)}
    if progress.best_weights is not None:
        weights["best"] = progress.best_weights
    save_models(folder / "model.safetensors", recipe, data.ages, weights)
    write_history(folder / "history.csv", progress.history, data.trait)
    write_run(
        folder / "run.json",
        recipe,
        model,
        progress,
        watch=watch,
        device=place,
        counts=(len(run.data.train), len(run.data.valid), len(data.rows("test"))),
        cut=data.cut,
        data_sha256=index_sha256,
    )
    resume.remove()
