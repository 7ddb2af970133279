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

from softbio.engine.provenance import Stopwatch, of_processes, peak_memory_mb, versions
from softbio.engine.resume import Moving, Progress, ResumeFile, UnderWay
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
    moving: Moving
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
        that ends in a state under suspicion: the next one may be sound again, and its start is in
        the older file."""
        under_way, number = self.train_epoch(), len(self.progress.history) + 1
        self.check_finite(number)
        starts = torch.arange(0, len(self.task.rows), self.task.batch)
        sizes = (len(self.task.rows) - starts).clamp(max=self.task.batch).double()
        # the last batch is smaller
        means = (under_way.errors.cpu().double() * sizes[:, None]).sum(0) / sizes.sum()
        values = dict(zip(self.task.parts, means.tolist(), strict=True))
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

    def train_epoch(self) -> UnderWay:
        """The epoch under way, or a new one, to its end."""
        task, generator, device = self.task, self.moving.generator, self.resume.device
        count = len(task.rows)
        batches = -(-count // task.batch)
        epoch = self.progress.under_way
        if epoch is None:
            task.begin(self.progress.history)
            results = torch.zeros(batches, len(task.parts), device=device)
            epoch = UnderWay(generator.get_state(), torch.zeros(batches, device=device), results)
            self.progress.under_way = epoch
        epoch.losses, epoch.errors = epoch.losses.to(device), epoch.errors.to(device)
        generator.set_state(epoch.generator)
        order = task.rows[torch.randperm(count, generator=generator)]
        draws = torch.rand(count, task.draws, generator=generator)
        text = f"{task.text} epoch {len(self.progress.history) + 1}"
        for start in bar(range(epoch.batches * task.batch, count, task.batch),
                         text, batches, epoch.batches):  # fmt: skip
            part = slice(start, start + task.batch)
            values = task.step(order[part], draws[part])
            epoch.losses[epoch.batches], epoch.errors[epoch.batches] = values[0], values
            epoch.batches += 1
            self.pause_if_asked()
        return epoch

    def check_finite(self, epoch: int) -> None:
        """Raise UserError naming the first batch (from 1) whose loss is not finite, or a weight
        that is not: a loss is computed before the step that may spoil them."""
        if bad := self.progress.under_way.not_finite:
            batch, loss = bad
            raise UserError(
                f"{self.task.text}: loss is {loss} in epoch {epoch}, batch {batch}; "
                f"{self.resume.kept()}; lower the learning rate"
            )
        if name := not_finite(self.moving.model):
            raise UserError(
                f"{self.task.text}: {name} is not finite in epoch {epoch}; {self.resume.kept()}; "
                "lower the learning rate"
            )

    def pause_if_asked(self) -> None:
        """Where a signal has come: save the state, also in the midst of an epoch, and leave. A
        state under suspicion is not saved."""
        if self.stop.requested():
            if self.progress.under_way:
                # what is not finite must not replace the last good state
                self.check_finite(len(self.progress.history) + 1)
            if not self.task.sound():
                self.stop.leave(f"the state is in doubt and was not saved; {self.resume.kept()}")
            self.resume.leave(self.stop, self.moving, self.progress)


def write_results(folder: Path, recipe: Any, loop: Loop, watch: Stopwatch, images: int) -> None:
    """history.csv, a line an epoch, and run.json."""
    history = loop.progress.history
    with atomic(folder / "history.csv") as part:
        pd.DataFrame(history).to_csv(part, index=False)
    device = loop.resume.device
    run = {
        "recipe": asdict(recipe),
        "parameters": sum(weight.numel() for weight in loop.moving.model.parameters()),
        "epochs": len(history),
        "images": images,
        "started": watch.started,
        "wall_seconds": watch.seconds(),
        "training_seconds": sum(line.seconds for line in history),
        "resumed_at": loop.progress.resumed_at,
        "peak_memory_mb": peak_memory_mb(device),
        "device": device.type,
        **of_processes(loop.progress.conditions()),
        "versions": versions(),
        "data_sha256": loop.resume.data_sha256,
    }
    write_json(folder / "run.json", run)


def without_nan(line: Any) -> Any:
    """A line of history with None for what an epoch did not compute."""
    absent = {name: None for name, value in asdict(line).items() if value != value}
    return replace(line, **absent)
