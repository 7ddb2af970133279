"""What all trainings of this package share: how they begin, and what they leave behind."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from softbio.data.packed import Packed, content_sha256, load_packed
from softbio.engine.device import Determinism, choose_device, here
from softbio.engine.loop import Loop
from softbio.engine.provenance import Stopwatch, of_training
from softbio.engine.resume import ResumeFile
from softbio.engine.state import TrainState
from softbio.engine.stopping import stoppable
from softbio.errors import UserError
from softbio.files import atomic, sha256, write_json
from softbio.privacy.models.weights import save_network
from softbio.privacy.parts import read_parts
from softbio.privacy.training.face_task import FaceTask


@dataclass(frozen=True)
class Start:
    """What a training is given.

    parts: object (N,), the part of each image; watch: since the training was asked for; read:
    SHA-256 of the data set's index, of its pixels with index and ages, and of parts.csv.
    """

    packed: Packed
    parts: np.ndarray
    device: torch.device
    watch: Stopwatch
    read: tuple[str, str, str]

    def rows(self, part: str) -> torch.Tensor:
        """The images of a part, int64 (count,), CPU."""
        return torch.from_numpy(np.flatnonzero(self.parts == part))


@dataclass(frozen=True)
class Work:
    """What is trained, made ready: network is what is kept of the model that moves."""

    task: FaceTask
    moving: TrainState
    network: nn.Module


def begin(size: int, packed: Path, parts: Path, device: str) -> Start:
    """Open a packed data set and its parts.csv. Raises UserError where images are not of `size` px
    or the parts are of other images."""
    watch, place, data = Stopwatch(), choose_device(device), load_packed(packed)
    side = data.images.shape[1]
    if side != size:
        raise UserError(f"{packed}: images of {side} px; the recipe's size is {size} px")
    index_sha256 = sha256(Path(packed) / "index.parquet")
    read = index_sha256, content_sha256(packed, data.ages), sha256(parts)
    return Start(data, read_parts(parts, data), place, watch, read)


def finish(start: Start, resume: ResumeFile, build: Callable[[], Work]) -> None:
    """Train to the end, or on from the resume file: network.safetensors, history.csv and run.json
    beside it.

    build(): called where kernels are deterministic and a signal no longer kills. Raises as
    `Loop.run` does.
    """
    with Determinism() as determinism, stoppable(resume.kept) as stop:
        work = build()
        now = here(start.device, start.watch.git, determinism)
        loop = Loop(work.task, work.moving, resume, resume.restore(work.moving, now), stop)
        loop.run()
    folder = resume.path.parent
    save_network(folder / "network.safetensors", resume.recipe, work.network)
    write_results(folder, loop, start.watch)
    resume.remove()


def write_results(folder: Path, loop: Loop[FaceTask], watch: Stopwatch) -> None:
    """history.csv, a line an epoch, and run.json."""
    with atomic(folder / "history.csv") as part:
        pd.DataFrame(loop.progress.history).to_csv(part, index=False)
    run = of_training(
        loop.resume.recipe,
        loop.moving.model,
        loop.progress,
        watch=watch,
        device=loop.resume.device,
        data_sha256=loop.resume.data_sha256,
    )
    write_json(folder / "run.json", run | {"images": loop.task.images})
