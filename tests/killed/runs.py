"""Training runs in processes of their own, and the troubles that befall them."""

import json
import multiprocessing
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import softbio.engine.rank_task
from softbio.backbones import networks
from softbio.engine.predict import predict
from softbio.engine.recipe import Recipe
from softbio.engine.train import train
from softbio.job import job
from softbio.results.predictions import read_predictions
from tests.processes import PREPARED, signal_self

NETWORK = "small8_dropout"
# 15 batches an epoch
RECIPE = Recipe(
    *("noise", NETWORK, "coral", "", 0),
    size=18,
    crop=16,
    epochs=3,
    batch=4,
    learning_rate=1e-3,
)


def small_with_dropout() -> nn.Module:
    """Has a random state of its own to restore, and takes half a second to train."""
    return nn.Sequential(networks.small(8), nn.Dropout())


def add_network(patch: pytest.MonkeyPatch) -> None:
    """Have `NETWORK` known to this process."""
    patch.setattr(networks, "BACKBONES", (*networks.BACKBONES, NETWORK))
    patch.setitem(networks._BUILDERS, NETWORK, small_with_dropout)


def work(recipe: Recipe, packed: Path, folder: Path, trouble=None, argument=None) -> None:
    """Train as a job does; `trouble` prepares the process for what is to happen."""
    torch.set_num_threads(1)
    add_network(pytest.MonkeyPatch())
    folder.mkdir(parents=True, exist_ok=True)
    if trouble:
        trouble(argument)
    with job(folder / "train.log"):
        # a machine may have a GPU, where sums and threads are others
        train(recipe, packed, folder, device="cpu")


def started(*arguments) -> multiprocessing.Process:
    process = PREPARED.Process(target=work, args=arguments)
    process.start()
    return process


def ended(process: multiprocessing.Process, seconds: float = 120) -> int:
    """The exit code of a process that ends within a time; otherwise it is killed and told."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"it did not end within {seconds} s")
    return process.exitcode


def mark_first_batch(marker: Path) -> None:
    """Make a file as the first batch of this process begins."""
    step = softbio.engine.rank_task.step

    def marked(*arguments):
        if not marker.exists():
            marker.touch()
        return step(*arguments)

    softbio.engine.rank_task.step = marked


def began(packed: Path, folder: Path, marker: Path) -> multiprocessing.Process:
    """A run of `RECIPE` that is at its first batch, or through already where little was left."""
    marker.unlink(missing_ok=True)
    process = started(RECIPE, packed, folder, mark_first_batch, marker)
    late = time.monotonic() + 120
    while not marker.exists() and process.exitcode is None:
        assert time.monotonic() < late, "it did not come to its first batch"
        time.sleep(0.001)
    return process


def probabilities(packed: Path, folder: Path) -> bytes:
    """Those that the trained model of a folder predicts."""
    files = (folder / "model.safetensors", packed, folder / "predictions.parquet")
    predict(*files, device="cpu")
    frame = read_predictions(folder / "predictions.parquet")[1]
    return np.stack(frame["probabilities"].to_list()).tobytes()


def finish(recipe: Recipe, packed: Path, folder: Path) -> bytes:
    """Train to the end in an undisturbed process; a run that had ended is trained anew."""
    assert ended(started(recipe, packed, folder)) == 0, (folder / "train.log").read_text()
    assert not (folder / "resume.pt").exists()
    return probabilities(packed, folder)


def resumed_at(folder: Path) -> list[int]:
    return json.loads((folder / "run.json").read_text())["resumed_at"]


def signal_in_batch(what: tuple[signal.Signals, int]) -> None:
    """Send a signal to oneself in the nth batch."""
    number, nth = what
    step, calls = softbio.engine.rank_task.step, []

    def signalled(*arguments):
        calls.append(1)
        if len(calls) == nth:
            signal_self(number)
        return step(*arguments)

    softbio.engine.rank_task.step = signalled
