"""How far a training run is, and what it changes: what a resume file holds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from softbio.engine.device import Conditions


@dataclass(frozen=True)
class Epoch:
    """One line of history.csv. Errors of ages in years; of gender each MAE is the share of wrong
    answers, and `train.write_history` names it so. None where there is nothing to say."""

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
class PartialEpoch:
    """An epoch that has begun.

    generator: the state it began with, from which its order and crops are drawn again; batches:
    how many are done; losses: float32 (batches,), as far as they are known.
    results: what else its steps gave, as far as it is known. Of ages and genders int64 (images,),
        signed errors in ranks; of the privacy trainings float32 (batches, parts), the values of
        `FaceTask.parts`.
    earlier: seconds spent on it before this process.
    """

    generator: Tensor
    losses: Tensor
    results: Tensor
    batches: int = 0
    earlier: float = 0.0
    tick: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Spent on it so far, in all processes."""
        return self.earlier + time.monotonic() - self.tick

    @property
    def not_finite(self) -> tuple[int, float] | None:
        """Number, from 1, and loss of the first batch whose loss is not finite."""
        losses = self.losses.cpu()
        bad = torch.nonzero(~torch.isfinite(losses))
        return (bad[0, 0].item() + 1, losses[bad[0, 0]].item()) if len(bad) else None


@dataclass
class Progress:
    """How far a run is: its history, the epoch under way, the best epoch so far with its weights,
    and after which epochs it was resumed.

    here(): the conditions of this process; earlier: those of the processes before it.
    """

    here: Callable[[], Conditions]
    history: list[Epoch] = field(default_factory=list)
    under_way: PartialEpoch | None = None
    best_epoch: int | None = None
    best_weights: dict[str, Tensor] | None = None
    resumed_at: list[int] = field(default_factory=list)
    earlier: list[Conditions] = field(default_factory=list)

    @property
    def best_mae(self) -> float:
        """Lowest validation MAE so far; infinite before the first."""
        if self.best_epoch is None:
            return float("inf")
        return self.history[self.best_epoch - 1].valid_mae

    def conditions(self) -> list[Conditions]:
        """Those that it was made under, each once; those of this process are the last."""
        now = self.here()
        return [*(each for each in self.earlier if each != now), now]

    def __str__(self) -> str:
        text = f"epoch {len(self.history)}"
        return f"{text} and {self.under_way.batches} batches" if self.under_way else text


@dataclass(frozen=True)
class TrainState:
    """The objects that training changes in place."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator


def not_finite(network: nn.Module) -> str:
    """Name of the first weight or buffer that holds NaN or an infinity; empty where none does.

    Faces that such a network protects are one colour, which would pass for perfect protection.
    """
    floating = ((k, v) for k, v in network.state_dict().items() if v.is_floating_point())
    return next((name for name, value in floating if not value.isfinite().all()), "")
