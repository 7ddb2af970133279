"""The steps of learning ranks, ages or genders, whatever the method and the backbone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from softbio.data.augment import Crops, random_offsets
from softbio.engine.loop import Loop, Task
from softbio.engine.model import forward, weights_of
from softbio.engine.predict import predict_rows
from softbio.engine.recipe import Recipe
from softbio.engine.state import Epoch, PartialEpoch, TrainState
from softbio.engine.training import TrainingData
from softbio.methods.base import Method


@dataclass(frozen=True)
class RankTask(Task):
    """A recipe at work. trait: what the labels are, age or gender; network: the model as full
    batches see it, compiled where the recipe asks."""

    recipe: Recipe
    method: Method
    trait: str
    data: TrainingData
    moving: TrainState
    network: nn.Module

    remedy = "lower learning_rate, or use precision fp32"

    @property
    def text(self) -> str:
        recipe = self.recipe
        return f"{recipe.backbone} {recipe.method}{recipe.variant} seed {recipe.seed}"

    @property
    def images(self) -> int:
        return len(self.data.train)

    @property
    def per_step(self) -> int:
        return self.recipe.batch

    def blank(self, device: torch.device) -> Tensor:
        """For the signed error in ranks of each image, as the network stood when it saw it."""
        return torch.zeros(self.images, dtype=torch.int64, device=device)

    def batches(self, generator: Generator, done: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The training images in random order, each randomly cropped, and their labels."""
        recipe, data, count = self.recipe, self.data, self.images
        order = data.train[torch.randperm(count, generator=generator)]
        crops = Crops(order, random_offsets(count, recipe.size, recipe.crop, generator))
        labels = data.labels[order.to(data.labels.device)]
        seen = done * recipe.batch
        images = data.feed.batches(crops.after(seen), recipe.crop, recipe.batch)
        # validation leaves it in another mode
        self.moving.model.train()
        # of no labels split gives one empty part
        return zip(images, labels[seen:].split(recipe.batch), strict=False)

    def advance(self, epoch: PartialEpoch, inputs: Tensor, labels: Tensor) -> None:
        start = epoch.batches * self.recipe.batch
        part = slice(start, start + len(labels))
        epoch.losses[epoch.batches], epoch.results[part] = step(self, inputs, labels)

    def conclude(self, loop: "Loop[RankTask]") -> Epoch:
        """Validates, and keeps the weights of the best epoch."""
        progress, epoch = loop.progress, loop.progress.under_way
        trained, number = epoch.seconds, len(progress.history) + 1
        train_mae, train_rmse = errors_of(epoch.results)
        valid_mae, valid_rmse = validate(loop)
        line = Epoch(
            epoch=number,
            loss=epoch.losses.cpu().mean().item(),
            train_mae=train_mae,
            train_rmse=train_rmse,
            valid_mae=valid_mae,
            valid_rmse=valid_rmse,
            images_per_second=self.images / trained,
            seconds=epoch.seconds,
            learning_rate=self.moving.optimizer.param_groups[0]["lr"],
            bias_inversions=self.method.diagnostics(self.moving.model.head).get("bias_inversions"),
        )
        if valid_mae is not None and valid_mae < progress.best_mae:
            progress.best_epoch, progress.best_weights = number, weights_of(self.moving.model)
        return line

    def told(self, line: Epoch) -> str:
        if self.trait == "gender":
            name, train = "wrong answers", f"{line.train_mae:.2%}"
            valid = "" if line.valid_mae is None else f"{line.valid_mae:.2%}"
        else:
            name, train = "MAE/RMSE", f"{line.train_mae:.2f}/{line.train_rmse:.2f}"
            valid = "" if line.valid_mae is None else f"{line.valid_mae:.2f}/{line.valid_rmse:.2f}"
        return (
            f"epoch {line.epoch}/{self.recipe.epochs}: loss {line.loss:.4f}, {name} train {train}"
            f"{valid and f', valid {valid}'}, {line.images_per_second:.0f} images/s"
        )

    def finished(self, history: list[Epoch]) -> bool:
        return len(history) >= self.recipe.epochs


def step(task: RankTask, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """One batch forward and backward, one step of the optimizer: loss and signed errors (B,)."""
    # what compilation costs would not come back in the epoch's last, smaller batch
    network = task.network if len(inputs) == task.recipe.batch else task.moving.model
    output = forward(network, inputs, task.recipe)
    loss = task.method.loss(output, labels, task.data.importance)
    task.moving.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    task.moving.optimizer.step()
    return loss.detach(), task.method.decode(output.detach())[0] - labels


def validate(loop: Loop[RankTask]) -> tuple[float, float] | tuple[None, None]:
    """MAE and RMSE on the validation images; None where there are none. A signal ends it between
    two batches, with the trained epoch saved."""
    data, recipe, model = loop.task.data, loop.task.recipe, loop.moving.model
    if not len(data.valid):
        return None, None
    ranks, _ = predict_rows(model, recipe, data.feed, data.valid, loop.pause_if_asked)
    return errors_of(ranks - data.labels.cpu().numpy()[data.valid.numpy()])


def errors_of(errors: np.ndarray | Tensor) -> tuple[float, float]:
    """MAE and RMSE of signed errors (N,), of ages in years; of gender the MAE is the share of wrong
    answers."""
    errors = np.asarray(errors.cpu() if isinstance(errors, Tensor) else errors, np.float64)
    return float(np.abs(errors).mean()), float(np.sqrt(np.square(errors).mean()))
