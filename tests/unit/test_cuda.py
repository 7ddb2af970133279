"""What only a GPU can show: no waiting inside an epoch, repeatable sums, the same run resumed."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import softbio.engine.rank_task
from softbio.engine.predict import predict
from softbio.engine.recipe import Recipe
from softbio.engine.resume import read_state
from softbio.engine.stopping import Stopped
from softbio.engine.train import train
from softbio.results.predictions import read_predictions
from tests.processes import signal_self

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
RECIPE = Recipe(
    *("noise", "resnet18", "coral", "", 0),
    size=100,
    crop=96,
    epochs=3,
    batch=16,
    learning_rate=1e-3,
    precision="bf16",
)


@pytest.fixture(scope="module")
def larger(tmp_path_factory) -> Path:
    from tests.conftest import write_packed

    splits = ["train"] * 60 + ["valid"] * 20 + ["test"] * 20
    labels = [number % 6 for number in range(100)]
    return write_packed(tmp_path_factory.mktemp("cuda"), splits, labels, k=6, size=100)


def probabilities(recipe: Recipe, packed: Path, folder: Path) -> bytes:
    train(recipe, packed, folder, device="cuda")
    predict(folder / "model.safetensors", packed, folder / "predictions.parquet", device="cuda")
    return probabilities_in(folder)


def probabilities_in(folder: Path) -> bytes:
    frame = read_predictions(folder / "predictions.parquet")[1]
    return np.stack(frame["probabilities"].to_list()).tobytes()


def stop_in_batch(nth: int, patch: pytest.MonkeyPatch, larger: Path, folder: Path, device: str):
    calls, step = [], softbio.engine.rank_task.step

    def signalled(*arguments):
        calls.append(1)
        if len(calls) == nth:
            signal_self()
        return step(*arguments)

    patch.setattr(softbio.engine.rank_task, "step", signalled)
    with pytest.raises(Stopped):
        train(RECIPE, larger, folder, device=device)
    patch.undo()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_same_recipe_same_predictions(larger, tmp_path, precision):
    recipe = replace(RECIPE, precision=precision)
    first = probabilities(recipe, larger, tmp_path / "a")
    assert first == probabilities(recipe, larger, tmp_path / "b")
    about = json.loads((tmp_path / "a/run.json").read_text())
    assert about["deterministic"], about["nondeterministic_kernels"]


@pytest.mark.parametrize("nth", [2, 4, 7])
def test_stopped_and_resumed_it_ends_as_if_left_alone(larger, tmp_path, monkeypatch, nth):
    whole = probabilities(RECIPE, larger, tmp_path / "whole")
    stop_in_batch(nth, monkeypatch, larger, tmp_path / "stopped", "cuda")
    assert probabilities(RECIPE, larger, tmp_path / "stopped") == whole


def test_the_state_is_that_of_the_runs_own_gpu(larger, tmp_path, monkeypatch):
    stop_in_batch(4, monkeypatch, larger, tmp_path, "cuda")
    kept = read_state(tmp_path / "resume.pt")["cuda_random"]
    assert kept.shape == torch.cuda.get_rng_state().shape


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one GPU on this machine")
def test_stopped_beside_other_gpus_it_goes_on_where_one_is_seen(larger, tmp_path, monkeypatch):
    """As Slurm gives a job the GPU that is free, and shows it no other."""
    whole = probabilities(RECIPE, larger, tmp_path / "whole")
    last = torch.cuda.device_count() - 1
    stop_in_batch(4, monkeypatch, larger, tmp_path / "stopped", f"cuda:{last}")
    call = "import sys; from pathlib import Path; from tests.unit.test_cuda import *; "
    call += "probabilities(RECIPE, *map(Path, sys.argv[1:]))"
    subprocess.run(
        [sys.executable, "-c", call, str(larger), str(tmp_path / "stopped")],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": str(last)},
        check=True,
    )
    assert probabilities_in(tmp_path / "stopped") == whole
    assert not (tmp_path / "stopped/resume.rejected").exists()


def test_nothing_waits_for_the_gpu_inside_an_epoch(larger, tmp_path, monkeypatch):
    """A step that waits, as one that reads its loss does, leaves the GPU idle while Python prepares
    the next one: torch raises an error for every such call."""
    step, calls = softbio.engine.rank_task.step, []

    def strict(*arguments):
        calls.append(1)
        # the first steps may choose kernels and fill caches
        torch.cuda.set_sync_debug_mode("error" if len(calls) > 4 else "default")
        try:
            return step(*arguments)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(softbio.engine.rank_task, "step", strict)
    train(RECIPE, larger, tmp_path, device="cuda")
    # 60 images in batches of 16, three epochs: the steps above were the ones that ran
    assert len(calls) == 12


def test_compiled_step_learns_the_same(larger, tmp_path):
    recipe = replace(RECIPE, precision="fp32", epochs=1)
    plain = np.frombuffer(probabilities(recipe, larger, tmp_path / "plain"), np.float32)
    compiled = replace(recipe, compile=True)
    fast = np.frombuffer(probabilities(compiled, larger, tmp_path / "compiled"), np.float32)
    np.testing.assert_allclose(plain, fast, atol=0.02)
