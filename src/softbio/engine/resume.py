"""The resume file of a training run: all that the rest of the run depends on."""

import hashlib
import io
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from softbio.engine.device import Conditions
from softbio.engine.snapshot import Snapshot, take
from softbio.engine.stopping import Stop
from softbio.errors import UserError
from softbio.files import atomic
from softbio.sources import training_sha256

# Raise it when the meaning of a field changes: an older file is then set aside.
FORMAT = 3
DIGEST = hashlib.sha256().digest_size
logger = logging.getLogger(__name__)


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
class UnderWay:
    """An epoch that has begun.

    generator: the state it began with, from which its order and crops are drawn again; batches:
    how many are done; losses float32 (batches,) and errors int64 (images,) as far as they are
    known; earlier: seconds spent on it before this process.
    """

    generator: Tensor
    losses: Tensor
    errors: Tensor
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
    under_way: UnderWay | None = None
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
class Moving:
    """The objects that training changes in place."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator


class Hashed(Protocol):
    """Any recipe, as far as a resume file is concerned."""

    @property
    def sha256(self) -> str: ...


@dataclass
class ResumeFile:
    """The resume file of one run, at `path`, beside the run's results but not one of them.

    line: what a line of the run's history is; code: hash of the sources that the run depends on,
    by default those of a training with the recipe's method.

    data_sha256: `content_sha256` of the packed data, or more that the run reads.

    It is valid for one recipe, content of the data set, kind of device, torch version and source of
    the engine. It begins with the SHA-256 of the rest, which torch.save wrote. A thread of its own
    writes it, so that a fast GPU need not wait.
    """

    path: Path
    recipe: Hashed
    device: torch.device
    data_sha256: str
    line: type = Epoch
    code: str = ""
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1), repr=False)
    _writing: Future | None = None

    def _identity(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "recipe": self.recipe.sha256,
            "device": self.device.type,
            "data": self.data_sha256,
            "torch": torch.__version__.split("+")[0],
            "code": self.code or training_sha256(self.recipe.method),
        }

    def save(self, moving: Moving, progress: Progress, wait: bool) -> None:
        """Replace the file, atomically.

        wait: until it is on disk. Without it, a state that comes while the last one is being
        written is passed over: an interruption then costs the time of one write more.
        Raises UserError where the disk is full.
        """
        if self._writing is not None and (wait or self._writing.done()):
            self._finish()
        if self._writing is None:
            self._writing = self._writer.submit(self._write, self._state(moving, progress))
        if wait:
            self._finish()

    def leave(self, stop: Stop, moving: Moving, progress: Progress) -> None:
        """Save the state, also in the midst of an epoch, and raise `Stopped`."""
        self.save(moving, progress, wait=True)
        stop.leave(f"the state after {progress} is in {self.path}")

    def _finish(self) -> None:
        writing, self._writing = self._writing, None
        try:
            writing.result()
        except OSError as error:
            raise UserError(
                f"{self.path}: can not be written ({error.strerror}); "
                "make room and run again: the run goes on from the state before"
            ) from None

    def _state(self, moving: Moving, progress: Progress) -> Snapshot:
        under_way = progress.under_way
        state = {
            "identity": self._identity(),
            **self._moved(moving),
            "history": [asdict(epoch) for epoch in progress.history],
            "best_epoch": progress.best_epoch,
            "best_weights": progress.best_weights,
            "resumed_at": list(progress.resumed_at),
            "conditions": [asdict(each) for each in progress.conditions()],
        }
        if under_way is not None:
            state["generator"] = under_way.generator
            state["batches"], state["seconds"] = under_way.batches, under_way.seconds
            state["losses"], state["errors"] = under_way.losses, under_way.errors
        return take(state, self.device)

    def _write(self, snapshot: Snapshot) -> None:
        content = io.BytesIO()
        torch.save(snapshot.ready(), content)
        with atomic(self.path) as part, open(part, "wb") as file:
            # torch.load does not see a flipped bit
            file.write(hashlib.sha256(content.getbuffer()).digest())
            file.write(content.getbuffer())

    def restore(self, moving: Moving, here: Callable[[], Conditions]) -> Progress:
        """Put the saved state back; fresh progress where there is no usable file.

        here: as `Progress` has it. A file that is broken or belongs to another run is set aside
        with a message.
        """
        if not self.path.exists():
            return Progress(here)
        fresh = take(self._moved(moving), self.device).ready()
        try:
            state = read_state(self.path)
            foreign = [name for name, own in self._identity().items()
                       if state["identity"].get(name) != own]  # fmt: skip
            if foreign:
                self._set_aside(f"it was made with another {' and '.join(foreign)}")
                return Progress(here)
            progress = _progress(state, self.line, here)
            self._put_back(moving, state)
        except (MemoryError, torch.OutOfMemoryError):  # says nothing of the file
            raise
        except Exception as error:  # a damaged file can fail in any way; training can start again
            # as it was: half of another run's weights are no fresh network
            self._put_back(moving, fresh)
            self._set_aside(str(error).splitlines()[0] if str(error) else repr(error))
            return Progress(here)
        logger.info("resumed after %s", progress)
        before, now = progress.earlier[-1], here()
        if before.sums != now.sums:
            text = "begun on %s, it goes on on %s: its sums are not those of a run left alone"
            logger.warning(text, before, now)
        return progress

    def _moved(self, moving: Moving) -> dict[str, Any]:
        """What training changes in place. Of the GPUs only the run's own: another machine, or
        another job on this one, has more of them or fewer."""
        on_gpu = self.device.type == "cuda"
        return {
            "model": moving.model.state_dict(),
            "optimizer": moving.optimizer.state_dict(),
            "generator": moving.generator.get_state(),
            "cpu_random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state(self.device) if on_gpu else None,
        }

    def _put_back(self, moving: Moving, state: dict[str, Any]) -> None:
        """Set what training changes to what `_moved` gave."""
        moving.model.load_state_dict(state["model"])
        moving.optimizer.load_state_dict(state["optimizer"])
        moving.generator.set_state(state["generator"])
        torch.set_rng_state(state["cpu_random"])
        if state["cuda_random"] is not None:
            torch.cuda.set_rng_state(state["cuda_random"], self.device)

    def _set_aside(self, reason: str) -> None:
        aside = self.path.with_suffix(".rejected")
        self.path.replace(aside)
        logger.warning("resume file not used (%s); kept as %s; training starts anew", reason, aside)

    def kept(self) -> str:
        """What there is on disk, in words."""
        if self.path.exists():
            return f"{self.path} holds what was saved last"
        return "no epoch was finished, nothing is lost but its time"

    def remove(self) -> None:
        """After success."""
        if self._writing is not None:
            self._finish()
        self.path.unlink(missing_ok=True)


def read_state(path: Path) -> dict[str, Any]:
    """The content of a resume file, all tensors on the CPU; ValueError where it is damaged."""
    content = path.read_bytes()
    digest, content = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("it is damaged")
    # weights_only: a resume file is data, never code
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _progress(state: dict[str, Any], kind: type, here: Callable[[], Conditions]) -> Progress:
    history = [kind(**line) for line in state["history"]]
    under_way = None
    if "batches" in state:
        under_way = UnderWay(
            *(state["generator"], state["losses"], state["errors"]),
            batches=state["batches"],
            earlier=state["seconds"],
        )
    return Progress(
        here,
        history,
        under_way,
        state["best_epoch"],
        state["best_weights"],
        [*state["resumed_at"], len(history)],
        [Conditions(**each) for each in state["conditions"]],
    )
