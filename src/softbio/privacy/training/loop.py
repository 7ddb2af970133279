"""The loop that trains the auxiliaries, the semi-adversarial networks and PrivacyNet.

It can be killed at any moment and goes on bit for bit, as softbio.engine.train does: an epoch's
order and random draws come from the state it began with.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from softbio.engine.provenance import Stopwatch, of_training
from softbio.engine.resume import ResumeFile
from softbio.engine.state import PartialEpoch, Progress, TrainState
from softbio.engine.stopping import Stop
from softbio.errors import UserError
from softbio.files import atomic, write_json
from softbio.privacy.models.weights import not_finite
from softbio.progress import bar

logger = logging.getLogger(__name__)
# uniform numbers that a step may use for each image, unless its task says otherwise
DRAWS = 3


def _nothing(*_: object) -> None:
    """What a task does where it has nothing to do."""


@dataclass(frozen=True)
class Task:
    """What is trained.

    text: what it is, for the log; rows: int64 (count,), CPU, the training images.
    begin(history): called before an epoch's first batch; step(rows, draws): one batch and one step
    of the optimizer, with float32 (B, draws) in 0..1; gives float32 (len(parts),), the loss first.
    line(epoch, means, seconds): the line of history from the parts' means; finished(history).
    sound(): whether a state may be saved, whatever its loss; check(): raises UserError for one that
    is not, where training ends with it.
    enter(history): called once before all, also where an epoch goes on that was interrupted.
    """

    text: str
    rows: Tensor
    batch: int
    parts: tuple[str, ...]
    begin: Callable[[list], None]
    step: Callable[[Tensor, Tensor], Tensor]
    line: Callable[[int, dict[str, float], float], Any]
    finished: Callable[[list], bool]
    draws: int = DRAWS
    sound: Callable[[], bool] = lambda: True
    check: Callable[[], None] = _nothing
    enter: Callable[[list], object] = _nothing


@dataclass(frozen=True)
class Loop:
    """A task at work."""

    task: Task
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
        under_way, number = self.train_epoch(), len(self.progress.history) + 1
        self.check_finite(number)
        means = means_of(under_way.results, len(self.task.rows), self.task.batch)
        values = dict(zip(self.task.parts, means, strict=True))
        line = self.task.line(number, values, under_way.seconds)
        self.progress.history.append(line)
        self.progress.under_way = None
        if self.task.finished(self.progress.history):
            self.task.check()
        if self.task.sound():
            self.resume.save(self.moving, self.progress, wait=self.resume.device.type == "cpu")
        shown = (f"{name} {value:.4g}" for name, value in values.items() if value == value)
        logger.info("%s, epoch %d: %s", self.task.text, number, ", ".join(shown))
        self.pause_if_asked()

    def train_epoch(self) -> PartialEpoch:
        """The epoch under way, or a new one, to its end."""
        task, generator, device = self.task, self.moving.generator, self.resume.device
        count = len(task.rows)
        batches = -(-count // task.batch)
        epoch = self.progress.under_way
        if epoch is None:
            task.begin(self.progress.history)
            epoch = PartialEpoch(
                generator.get_state(),
                losses=torch.zeros(batches, device=device),
                results=torch.zeros(batches, len(task.parts), device=device),
            )
            self.progress.under_way = epoch
        epoch.losses, epoch.results = epoch.losses.to(device), epoch.results.to(device)
        generator.set_state(epoch.generator)
        order = task.rows[torch.randperm(count, generator=generator)]
        draws = torch.rand(count, task.draws, generator=generator)
        text = f"{task.text} epoch {len(self.progress.history) + 1}"
        starts = range(epoch.batches * task.batch, count, task.batch)
        for start in bar(starts, text, batches, epoch.batches):
            part = slice(start, start + task.batch)
            values = task.step(order[part], draws[part])
            epoch.losses[epoch.batches], epoch.results[epoch.batches] = values[0], values
            epoch.batches += 1
            self.pause_if_asked()
        return epoch

    def check_finite(self, number: int) -> None:
        """Raise UserError where a loss of the epoch under way, the `number`-th, or a weight is not
        finite: a loss is computed before the step that may spoil them."""
        text, remedy = self.task.text, "lower the learning rate"
        self.resume.check_losses(self.progress.under_way, number, remedy, text)
        if name := not_finite(self.moving.model):
            raise UserError(
                f"{text}: {name} is not finite in epoch {number}; {self.resume.kept()}; {remedy}"
            )

    def pause_if_asked(self) -> None:
        """After a signal: save the state, also in the middle of an epoch, and leave. A suspicious
        state is not saved."""
        self.resume.pause_if_asked(
            self.stop, self.moving, self.progress, self.check_finite, self.task.sound
        )


def means_of(values: Tensor, count: int, batch: int) -> list[float]:
    """Means over `count` images of values, float (batches, parts), each of a batch; NaN where one
    of them is."""
    starts = torch.arange(0, count, batch)
    # the last batch is smaller
    sizes = (count - starts).clamp(max=batch).double()
    return ((values.cpu().double() * sizes[:, None]).sum(0) / sizes.sum()).tolist()


def write_results(folder: Path, recipe: Any, loop: Loop, watch: Stopwatch, images: int) -> None:
    """history.csv, a line an epoch, and run.json."""
    with atomic(folder / "history.csv") as part:
        pd.DataFrame(loop.progress.history).to_csv(part, index=False)
    run = of_training(
        recipe,
        loop.moving.model,
        loop.progress,
        watch=watch,
        device=loop.resume.device,
        data_sha256=loop.resume.data_sha256,
    )
    write_json(folder / "run.json", run | {"images": images})


def without_nan(line: Any) -> Any:
    """A line of history with None for what an epoch did not compute."""
    absent = {name: None for name, value in asdict(line).items() if value != value}
    return replace(line, **absent)
