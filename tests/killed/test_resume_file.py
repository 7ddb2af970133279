"""Resume files that are damaged, foreign, or can not be written."""

import hashlib
import io
import logging
import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import softbio.engine.train
from softbio.data.packed import load_packed
from softbio.engine.model import build_model
from softbio.engine.resume import Moving, Progress, ResumeFile, read_state
from softbio.engine.train import train
from softbio.errors import UserError
from softbio.files import sha256
from tests.killed.runs import RECIPE, ended, finish, resumed_at, signal_in_batch, started


@pytest.fixture(scope="module")
def left(network, packed, tmp_path_factory) -> Path:
    """The folder of a run that stopped in the midst of its third epoch."""
    folder = tmp_path_factory.mktemp("stopped")
    process = started(RECIPE, packed, folder, signal_in_batch, (signal.SIGTERM, 38))
    assert ended(process) == 143
    return folder


@pytest.fixture
def stopped(left, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(left, tmp_path / "run"))


def restored(folder: Path, packed: Path) -> tuple[Progress, bool]:
    """What a run makes of the resume file of a folder, and whether anything that training moves is
    now another than at a run's start."""
    index_sha256 = sha256(packed / "index.parquet")
    resume = ResumeFile(folder / "resume.pt", RECIPE, torch.device("cpu"), index_sha256)
    with torch.random.fork_rng(devices=[]):
        model = build_model(RECIPE, load_packed(packed).k)
        optimizer = torch.optim.Adam(model.parameters(), lr=RECIPE.learning_rate, fused=True)
        moving = Moving(model, optimizer, torch.Generator().manual_seed(RECIPE.seed))
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        drawn = [torch.get_rng_state(), moving.generator.get_state()]
        progress = resume.restore(moving)
        same = all(torch.equal(before[name], t) for name, t in model.state_dict().items())
        now = [torch.get_rng_state(), moving.generator.get_state()]
        same = same and all(torch.equal(*pair) for pair in zip(drawn, now, strict=True))
    return progress, not same or bool(optimizer.state)


def test_a_sound_resume_file_is_used(stopped, packed):
    progress, moved = restored(stopped, packed)
    assert (len(progress.history), progress.under_way.batches, moved) == (2, 8, True)


def damage(path: Path, kind: str, chance: random.Random) -> None:
    """Cut the file, flip a bit of it, or replace it."""
    content = bytearray(path.read_bytes())
    if kind == "cut":
        content = content[: chance.randrange(len(content))]
    elif kind == "bit":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    else:
        content = bytearray(chance.randbytes(1000))
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["cut", "bit", "noise"])
def test_damaged_resume_file_is_used_whole_or_not_at_all(stopped, packed, whole, kind):
    """Training starts anew and ends the same."""
    good, chance = (stopped / "resume.pt").read_bytes(), random.Random(3)
    for _ in range(12):
        (stopped / "resume.pt").write_bytes(good)
        damage(stopped / "resume.pt", kind, chance)
        assert restored(stopped, packed) == (Progress(), False)
        assert (stopped / "resume.rejected").read_bytes() != good
    (stopped / "resume.rejected").replace(stopped / "resume.pt")
    assert finish(RECIPE, packed, stopped) == whole
    assert "resume file not used (it is damaged)" in (stopped / "train.log").read_text()
    assert resumed_at(stopped) == []


def test_foreign_resume_file_is_set_aside(stopped, packed, whole, caplog):
    resume = stopped / "resume.pt"
    good = read_state(resume)
    assert set(good["identity"]) == {"format", "recipe", "device", "data", "torch", "code"}
    for what in good["identity"]:
        content = io.BytesIO()
        torch.save(good | {"identity": good["identity"] | {what: "another"}}, content)
        resume.write_bytes(hashlib.sha256(content.getvalue()).digest() + content.getvalue())
        assert restored(stopped, packed) == (Progress(), False)
        assert f"made with another {what})" in caplog.messages[-1]
    (stopped / "resume.rejected").replace(resume)
    assert finish(RECIPE, packed, stopped) == whole
    assert "made with another code" in (stopped / "train.log").read_text()
    assert resumed_at(stopped) == []


def test_full_disk_is_one_line_and_keeps_the_state_before(packed, tmp_path, monkeypatch, whole):
    write, calls = ResumeFile._write, []

    def full(self, snapshot):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        write(self, snapshot)

    monkeypatch.setattr(ResumeFile, "_write", full)
    with pytest.raises(UserError, match=r"resume.pt: can not be written \(No space left"):
        train(RECIPE, packed, tmp_path)
    assert finish(RECIPE, packed, tmp_path) == whole
    assert resumed_at(tmp_path) == [2]


def test_not_finite_loss_never_replaces_the_last_good_state(packed, tmp_path, caplog):
    """Not even when the run is asked to end before the epoch is through."""
    caplog.set_level(logging.INFO)
    step, calls = softbio.engine.train.step, []

    def poisoned(run, inputs, labels):
        calls.append(1)
        if len(calls) == 20:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.2)
        return step(run, inputs * float("nan") if len(calls) > 18 else inputs, labels)

    softbio.engine.train.step = poisoned
    try:
        with pytest.raises(UserError, match="loss is nan in epoch 2, batch 4"):
            train(replace(RECIPE, epochs=2), packed, tmp_path)
    finally:
        softbio.engine.train.step = step
    state = read_state(tmp_path / "resume.pt")
    assert len(state["history"]) == 1
    assert all(torch.isfinite(tensor).all() for tensor in state["model"].values())
