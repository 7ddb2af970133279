"""Resume files that are damaged, foreign, or can not be written."""

import hashlib
import io
import logging
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import softbio.engine.train
from softbio.engine.resume import ResumeFile, read_state
from softbio.engine.train import train
from softbio.errors import UserError
from tests.killed.runs import RECIPE, finish, resumed_at, signal_in_batch, started


@pytest.fixture
def stopped(packed, tmp_path) -> Path:
    """The folder of a run that stopped in the midst of its third epoch."""
    process = started(RECIPE, packed, tmp_path, signal_in_batch, (signal.SIGTERM, 38))
    process.join(60)
    assert process.exitcode == 143
    return tmp_path


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
    for _ in range(4):
        (stopped / "resume.pt").write_bytes(good)
        damage(stopped / "resume.pt", kind, chance)
        assert finish(RECIPE, packed, stopped) == whole
        assert "resume file not used (it is damaged)" in (stopped / "train.log").read_text()
        assert (stopped / "resume.rejected").read_bytes() != good
        assert resumed_at(stopped) == []


@pytest.mark.parametrize("what", ["format", "recipe", "device", "data", "torch", "code"])
def test_foreign_resume_file_is_set_aside(stopped, packed, whole, what):
    resume = stopped / "resume.pt"
    state = read_state(resume)
    state["identity"][what] = "another"
    content = io.BytesIO()
    torch.save(state, content)
    resume.write_bytes(hashlib.sha256(content.getvalue()).digest() + content.getvalue())
    assert finish(RECIPE, packed, stopped) == whole
    assert f"made with another {what}" in (stopped / "train.log").read_text()
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
