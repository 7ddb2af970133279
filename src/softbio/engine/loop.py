"""The one training loop: ages, genders and the networks that hide gender all go through it.

It can be killed at any moment and goes on bit for bit: the order and all random numbers of an epoch
are drawn from the state that it began with.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Generator, Tensor

from softbio.engine.resume import ResumeFile
from softbio.engine.state import PartialEpoch, Progress, TrainState, not_finite
from softbio.engine.stopping import Stop
from softbio.errors import UserError
from softbio.progress import bar

logger = logging.getLogger(__name__)


class Task(ABC):
    """What is trained: the batches of its epochs, its steps and its lines of history.

    remedy: against a loss or a weight that is not finite.
    """

    remedy: ClassVar[str] = "lower the learning rate"

    @property
    @abstractmethod
    def text(self) -> str:
        """What it is, for the log and in errors."""

    @property
    @abstractmethod
    def images(self) -> int:
        """How many an epoch has."""

    @property
    @abstractmethod
    def per_step(self) -> int:
        """Images of a step; the last one of an epoch may have fewer."""

    @property
    def steps(self) -> int:
        """How many an epoch has."""
        return -(-self.images // self.per_step)

    def enter(self, history: list) -> None:  # noqa: B027
        """Called once before all, also where an epoch goes on that was interrupted."""

    def begin(self, history: list) -> None:  # noqa: B027
        """Called before an epoch's first step."""

    @abstractmethod
    def blank(self, device: torch.device) -> Tensor:
        """Zeros on the device, where the results of an epoch's steps go beside their losses."""

    @abstractmethod
    def batches(self, generator: Generator, done: int) -> Iterable[tuple]:
        """What the steps of an epoch take after `done` of them. All random numbers of the epoch are
        drawn from the generator before the first."""

    @abstractmethod
    def advance(self, epoch: PartialEpoch, *batch: Any) -> None:
        """One step, number `epoch.batches` from 0, of the optimizer: its loss and its results go to
        their places in the epoch. Nothing is read back from the device, lest it wait."""

    @abstractmethod
    def conclude(self, loop: "Loop") -> Any:
        """The line of history of the epoch under way, all of whose steps are done."""

    @abstractmethod
    def told(self, line: Any) -> str:
        """A line of history as the log has it."""

    @abstractmethod
    def finished(self, history: list) -> bool:
        """Whether no epoch follows this history."""

    def sound(self) -> bool:
        """Whether a state may be saved, whatever its loss."""
        return True

    def check(self) -> None:  # noqa: B027
        """Raise UserError where training must not end with the present state."""


T = TypeVar("T", bound=Task)


@dataclass(frozen=True)
class Loop(Generic[T]):
    """A task at work. moving: what its steps change."""

    task: T
    moving: TrainState
    resume: ResumeFile
    progress: Progress
    stop: Stop

    def run(self) -> None:
        """Until the task is finished. Raises UserError for a loss or weight that is not finite,
        Stopped after a signal."""
        self.task.enter(self.progress.history)
        while not self.task.finished(self.progress.history):
            self.next_epoch()

    def next_epoch(self) -> None:
        """One epoch, its line of history and the resume file, which stays as it was after an epoch
        that ends in a suspicious state: the next one may be sound again, and its start is in
        the older file."""
        self.train_epoch()
        self.check_finite()
        line = self.task.conclude(self)
        self.progress.history.append(line)
        self.progress.under_way = None
        if self.task.finished(self.progress.history):
            self.task.check()
        if self.task.sound():
            # a GPU may be through the next epoch before a large state is on disk
            self.resume.save(self.moving, self.progress, wait=self.resume.device.type == "cpu")
        logger.info(self.task.told(line))
        self.pause_if_asked()

    def train_epoch(self) -> None:
        """The epoch under way, or a new one, to its last step."""
        task, generator, device = self.task, self.moving.generator, self.resume.device
        epoch = self.progress.under_way
        if epoch is None:
            task.begin(self.progress.history)
            losses = torch.zeros(task.steps, device=device)
            epoch = PartialEpoch(generator.get_state(), losses, task.blank(device))
            self.progress.under_way = epoch
        epoch.losses, epoch.results = epoch.losses.to(device), epoch.results.to(device)
        # drawn again after an interruption
        generator.set_state(epoch.generator)
        batches = task.batches(generator, epoch.batches)
        text = f"{task.text} epoch {len(self.progress.history) + 1}"
        for batch in bar(batches, text, task.steps, epoch.batches):
            task.advance(epoch, *batch)
            epoch.batches += 1
            self.pause_if_asked()

    def check_finite(self) -> None:
        """Raise UserError where a loss of the epoch under way, or a weight, is not finite: a loss
        is computed before the step that may spoil them."""
        task, number = self.task, len(self.progress.history) + 1
        self.resume.check_losses(self.progress.under_way, number, task.text, task.remedy)
        if name := not_finite(self.moving.model):
            raise UserError(
                f"{task.text}: {name} is not finite in epoch {number}; {self.resume.kept()}; "
                f"{task.remedy}"
            )

    def pause_if_asked(self) -> None:
        """After a signal: save the state, also in the middle of an epoch, and leave. A suspicious
        state is not saved."""
        if not self.stop.requested():
            return
        if self.progress.under_way:
            self.check_finite()
        if not self.task.sound():
            self.stop.leave(f"the state may be broken and was not saved; {self.resume.kept()}")
        self.resume.leave(self.stop, self.moving, self.progress)
