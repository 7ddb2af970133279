"""The resume file of a training run: all that the rest of the run depends on."""

import hashlib
import io
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from softbio.engine.device import Conditions
from softbio.engine.snapshot import Snapshot, take
from softbio.engine.state import Epoch, PartialEpoch, Progress, TrainState
from softbio.engine.stopping import Stop
from softbio.errors import UserError
from softbio.files import atomic
from softbio.sources import training_sha256

# Raise it when the meaning of a field changes: an older file is then set aside.
FORMAT = 3
DIGEST = hashlib.sha256().digest_size
logger = logging.getLogger(__name__)


class Hashed(Protocol):
    """Any recipe: all that a resume file asks of it."""

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

    def save(self, moving: TrainState, progress: Progress, wait: bool) -> None:
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

    def check_losses(self, epoch: PartialEpoch, number: int, text: str, remedy: str) -> None:
        """Raise UserError naming the first batch (from 1) of the epoch `number` whose loss is not
        finite. text: what is trained; remedy: what to do about it."""
        if bad := epoch.not_finite:
            batch, loss = bad
            if self._writing is not None:
                self._finish()
            raise UserError(
                f"{text}: loss is {loss} in epoch {number}, batch {batch}; {self.kept()}; {remedy}"
            )

    def leave(self, stop: Stop, moving: TrainState, progress: Progress) -> None:
        """Save the state, also in the middle of an epoch, and raise `Stopped`."""
        self.save(moving, progress, wait=True)
        stop.leave(f"the state after {progress} is in {self.path}")

    def _finish(self) -> None:
        writing, self._writing = self._writing, None
        try:
            writing.result()
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written ({error.strerror}); "
                "make room and run again: the run goes on from the state before"
            ) from None

    def _state(self, moving: TrainState, progress: Progress) -> Snapshot:
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
            state["losses"], state["errors"] = under_way.losses, under_way.results
        return take(state, self.device)

    def _write(self, snapshot: Snapshot) -> None:
        content = io.BytesIO()
        torch.save(snapshot.ready(), content)
        with atomic(self.path) as part, open(part, "wb") as file:
            # torch.load does not see a flipped bit
            file.write(hashlib.sha256(content.getbuffer()).digest())
            file.write(content.getbuffer())

    def restore(self, moving: TrainState, here: Callable[[], Conditions]) -> Progress:
        """Put the saved state back; fresh progress where there is no usable file.

        here: as `Progress` has it. A file that is broken or belongs to another run is set aside
        with a message.
        """
        if not self.path.exists():
            return Progress(here)
        fresh = take(self._moved(moving), self.device).ready()
        try:
            state = read_state(self.path)
            given = state["identity"]
            foreign = [name for name, own in self._identity().items() if given.get(name) != own]
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

    def _moved(self, moving: TrainState) -> dict[str, Any]:
        """What training changes in place. Of the GPUs only the run's own: another machine, or
        another job on this one, has more of them or fewer."""
        on_gpu = self.device.type != "cpu"
        return {
            "model": moving.model.state_dict(),
            "optimizer": moving.optimizer.state_dict(),
            "generator": moving.generator.get_state(),
            "cpu_random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state(self.device) if on_gpu else None,
        }

    def _put_back(self, moving: TrainState, state: dict[str, Any]) -> None:
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
        under_way = PartialEpoch(
            generator=state["generator"],
            losses=state["losses"],
            results=state["errors"],
            batches=state["batches"],
            earlier=state["seconds"],
        )
    return Progress(
        here,
        history=history,
        under_way=under_way,
        best_epoch=state["best_epoch"],
        best_weights=state["best_weights"],
        resumed_at=[*state["resumed_at"], len(history)],
        earlier=[Conditions(**each) for each in state["conditions"]],
    )
