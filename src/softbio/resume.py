"""The resume file of a training run: all that the next epoch depends on."""

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from softbio.files import atomic
from softbio.model import weights_of
from softbio.recipe import Recipe

# Raise it when the meaning of a field changes: an older file is then set aside.
FORMAT = 1
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Epoch:
    """One line of history.csv. Errors in years; None where there is nothing to say."""

    epoch: int
    loss: float
    train_mae: float
    train_rmse: float
    valid_mae: float | None
    valid_rmse: float | None
    images_per_second: float
    seconds: float
    learning_rate: float
    bias_inversions: int | None


@dataclass
class Progress:
    """How far a run is: its history, the best epoch so far with its weights, where it resumed."""

    history: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    best_weights: dict[str, Tensor] | None = None
    resumed_at: list[int] = field(default_factory=list)

    @property
    def best_mae(self) -> float:
        """Lowest validation MAE so far; infinite before the first."""
        if self.best_epoch is None:
            return float("inf")
        return self.history[self.best_epoch - 1].valid_mae


@dataclass(frozen=True)
class Moving:
    """The objects that training changes in place."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator


def _identity(recipe: Recipe, device: torch.device, data_sha256: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "recipe": recipe.sha256,
        "device": device.type,
        "data": data_sha256,
        "torch": torch.__version__.split("+")[0],
    }


@dataclass(frozen=True)
class ResumeFile:
    """The resume file of one run, at `path`, beside the run's results but not one of them.

    It is valid for one recipe, data set (sha256 of its index), kind of device and torch version.
    """

    path: Path
    recipe: Recipe
    device: torch.device
    data_sha256: str

    def save(self, moving: Moving, progress: Progress) -> None:
        """Replace the file, atomically."""
        state = {
            "identity": _identity(self.recipe, self.device, self.data_sha256),
            "model": weights_of(moving.model),
            "optimizer": moving.optimizer.state_dict(),
            "generator": moving.generator.get_state(),
            "cpu_random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
            "history": [asdict(epoch) for epoch in progress.history],
            "best_epoch": progress.best_epoch,
            "best_weights": progress.best_weights,
            "resumed_at": progress.resumed_at,
        }
        with atomic(self.path) as part:
            torch.save(state, part)

    def restore(self, moving: Moving) -> Progress:
        """Put the saved state back; fresh progress where there is no usable file.

        A file that is broken or belongs to another run is set aside with a message.
        """
        if not self.path.exists():
            return Progress()
        try:
            # weights_only: a resume file is data, never code
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            if state["identity"] != _identity(self.recipe, self.device, self.data_sha256):
                return self._set_aside("it belongs to another recipe, data set, device or version")
            history = [Epoch(**line) for line in state["history"]]
            progress = Progress(
                history,
                state["best_epoch"],
                state["best_weights"],
                [*state["resumed_at"], len(history)],
            )
        except Exception as error:  # a damaged file can fail in any way; training can start again
            return self._set_aside(str(error).splitlines()[0] if str(error) else repr(error))
        moving.model.load_state_dict(state["model"])
        moving.optimizer.load_state_dict(state["optimizer"])
        moving.generator.set_state(state["generator"])
        torch.set_rng_state(state["cpu_random"])
        if state["cuda_random"]:
            torch.cuda.set_rng_state_all(state["cuda_random"])
        logger.info("resumed after epoch %d", len(history))
        return progress

    def _set_aside(self, reason: str) -> Progress:
        aside = self.path.with_suffix(".rejected")
        self.path.replace(aside)
        logger.warning("resume file not used (%s); kept as %s; training starts anew", reason, aside)
        return Progress()

    def remove(self) -> None:
        """After success."""
        self.path.unlink(missing_ok=True)
