"""What the trainings of auxiliaries, semi-adversarial networks and PrivacyNet have in common: steps
on rows of a data set and on uniform numbers, whose values are averaged over an epoch."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from softbio.engine.loop import Loop, Task
from softbio.engine.state import PartialEpoch


class FaceTask(Task):
    """A training on the faces of some rows.

    rows: int64 (count,), CPU; parts: names of the values that a step gives, the loss first; draws:
    how many uniform numbers a step may use for each image.
    """

    rows: Tensor
    parts: ClassVar[tuple[str, ...]]
    draws: ClassVar[int] = 3

    @abstractmethod
    def step(self, rows: Tensor, draws: Tensor) -> Tensor:
        """One batch and one step of the optimizer, with float32 (B, draws) in 0..1: the values of
        `parts`, float32, NaN where not computed."""

    @abstractmethod
    def line(self, epoch: int, means: dict[str, float], seconds: float) -> Any:
        """The line of history of an epoch, from the means of `parts`."""

    @property
    def images(self) -> int:
        return len(self.rows)

    def blank(self, device: torch.device) -> Tensor:
        """For the values of each step."""
        return torch.zeros(self.steps, len(self.parts), device=device)

    def batches(self, generator: Generator, done: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows in random order, and their numbers."""
        size, count = self.per_step, self.images
        order = self.rows[torch.randperm(count, generator=generator)]
        draws = torch.rand(count, self.draws, generator=generator)
        parts = (slice(start, start + size) for start in range(done * size, count, size))
        return ((order[part], draws[part]) for part in parts)

    def advance(self, epoch: PartialEpoch, rows: Tensor, draws: Tensor) -> None:
        values = self.step(rows, draws)
        epoch.losses[epoch.batches], epoch.results[epoch.batches] = values[0], values

    def conclude(self, loop: Loop) -> Any:
        epoch = loop.progress.under_way
        means = means_of(epoch.results, self.images, self.per_step)
        values = dict(zip(self.parts, means, strict=True))
        return self.line(len(loop.progress.history) + 1, values, epoch.seconds)

    def told(self, line: Any) -> str:
        values = {name: getattr(line, name, None) for name in self.parts}
        shown = (f"{name} {value:.4g}" for name, value in values.items() if value is not None)
        return f"{self.text}, epoch {line.epoch}: {', '.join(shown)}"


def means_of(values: Tensor, count: int, batch: int) -> list[float]:
    """Means over `count` images of values, float (batches, parts), each of a batch; NaN where one
    of them is."""
    starts = torch.arange(0, count, batch)
    # the last batch is smaller
    sizes = (count - starts).clamp(max=batch).double()
    return ((values.cpu().double() * sizes[:, None]).sum(0) / sizes.sum()).tolist()


def without_nan(line: Any) -> Any:
    """A line of history with None for what an epoch did not compute."""
    absent = {name: None for name, value in asdict(line).items() if value != value}
    return replace(line, **absent)
