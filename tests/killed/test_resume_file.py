"""Resume files that are damaged, foreign, or cannot be written."""

import copy
import hashlib
import io
import json
import logging
import random
import re
import shutil
import signal
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import softbio.engine.rank_task
from softbio.data.packed import content_sha256, load_packed
from softbio.engine import resume
from softbio.engine.device import Conditions
from softbio.engine.model import build_model
from softbio.engine.resume import ResumeFile, read_state
from softbio.engine.snapshot import Snapshot
from softbio.engine.state import Progress, TrainState
from softbio.engine.train import train
from softbio.errors import UserError
from tests.killed.runs import RECIPE, ended, finish, resumed_at, signal_in_batch, started
from tests.processes import signal_self


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
    data = load_packed(packed)
    content = content_sha256(packed, data.ages)
    resume = ResumeFile(folder / "resume.pt", RECIPE, torch.device("cpu"), content)
    with torch.random.fork_rng(devices=[]):
        model = build_model(RECIPE, data.k)
        optimizer = torch.optim.Adam(model.parameters(), lr=RECIPE.learning_rate, fused=True)
        moving = TrainState(model, optimizer, torch.Generator().manual_seed(RECIPE.seed))
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        drawn = [torch.get_rng_state(), moving.generator.get_state()]
        progress = resume.restore(moving, nowhere)
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


def changed(path: Path, change: Callable[[dict], object]) -> None:
    """Change the state in a resume file, behind a checksum that fits."""
    state = read_state(path)
    change(state)
    content = io.BytesIO()
    torch.save(state, content)
    path.write_bytes(hashlib.sha256(content.getvalue()).digest() + content.getvalue())


@pytest.mark.parametrize("kind", ["cut", "bit", "noise"])
def test_damaged_resume_file_is_used_whole_or_not_at_all(stopped, packed, whole, kind):
    """Training starts anew and ends the same."""
    good, chance = (stopped / "resume.pt").read_bytes(), random.Random(3)
    for _ in range(12):
        (stopped / "resume.pt").write_bytes(good)
        damage(stopped / "resume.pt", kind, chance)
        assert restored(stopped, packed) == (Progress(nowhere), False)
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
        assert restored(stopped, packed) == (Progress(nowhere), False)
        assert f"made with another {what})" in caplog.messages[-1]
    (stopped / "resume.rejected").replace(resume)
    assert finish(RECIPE, packed, stopped) == whole
    assert "made with another code" in (stopped / "train.log").read_text()
    assert resumed_at(stopped) == []


def inverted(folder: Path) -> None:
    images = np.load(folder / "images.npy")
    np.save(folder / "images.npy", 255 - images)


def more_ages(folder: Path) -> None:
    (folder / "card.json").write_text(json.dumps({"ages": [20, 27]}))


@pytest.mark.parametrize("change", [inverted, more_ages])
def test_same_index_of_other_pixels_or_ranks_is_other_data(stopped, packed, tmp_path, change):
    """Another crop of the same images, and ages where no image lies, leave index.parquet as it
    is."""
    other = shutil.copytree(packed, tmp_path / "other")
    change(other)
    expected = finish(RECIPE, other, tmp_path / "alone")
    assert finish(RECIPE, other, stopped) == expected
    assert "made with another data" in (stopped / "train.log").read_text()
    assert resumed_at(stopped) == []


def without_last_weight(state: dict) -> None:
    state["model"].popitem()


def without_optimizer(state: dict) -> None:
    state["optimizer"]["param_groups"] = []


def without_random_state(state: dict) -> None:
    state["generator"] = torch.zeros(3)


@pytest.mark.parametrize("lack", [without_last_weight, without_optimizer, without_random_state])
def test_a_state_that_does_not_fit_is_set_aside_and_leaves_no_trace(stopped, packed, whole, lack):
    """Whatever of it had been put back: the training that starts anew is one left alone."""
    changed(stopped / "resume.pt", lack)
    assert finish(RECIPE, packed, stopped) == whole
    assert "resume file not used" in (stopped / "train.log").read_text()
    assert (stopped / "resume.rejected").exists()
    assert resumed_at(stopped) == []


def nowhere() -> Conditions:
    return Conditions("cuda", "made-up GPU", 1, {}, [])


class Gpus:
    """The random states of a machine's GPUs, on a machine that has none."""

    def __init__(self, patch: pytest.MonkeyPatch, count: int) -> None:
        self.states = [torch.full((16,), number, dtype=torch.uint8) for number in range(count)]
        patch.setattr(torch.cuda, "device_count", lambda: count)
        patch.setattr(torch.cuda, "get_rng_state", lambda device: self.states[device.index].clone())
        patch.setattr(torch.cuda, "set_rng_state", self.set)
        patch.setattr(torch.cuda, "get_rng_state_all", lambda: list(self.states))
        patch.setattr(torch.cuda, "set_rng_state_all", lambda states: [
            self.set(state, torch.device("cuda", number)) for number, state in enumerate(states)
        ])  # fmt: skip

    def set(self, state: torch.Tensor, device: torch.device) -> None:
        self.states[device.index] = state


def test_a_run_goes_on_where_fewer_gpus_are_seen(tmp_path, monkeypatch):
    """Its own GPU was the third; it is the only one now. The others' states are nobody's."""
    monkeypatch.setattr(resume, "take", lambda state, _: Snapshot(copy.deepcopy(state)))

    def file(number: int) -> ResumeFile:
        place = torch.device("cuda", number)
        return ResumeFile(tmp_path / "resume.pt", RECIPE, place, "data")

    def moving(seed: int) -> TrainState:
        torch.manual_seed(seed)
        model = torch.nn.Linear(2, 1)
        return TrainState(model, torch.optim.Adam(model.parameters()), torch.Generator())

    with monkeypatch.context() as patch:
        Gpus(patch, 4)
        first = moving(1)
        file(2).save(first, Progress(nowhere), wait=True)
    with monkeypatch.context() as patch:
        gpus, second = Gpus(patch, 1), moving(2)
        file(0).restore(second, nowhere)
        assert gpus.states[0].unique().tolist() == [2]
    assert torch.equal(first.model.weight, second.model.weight)
    assert not (tmp_path / "resume.rejected").exists()


def two_threads(nth: int) -> None:
    torch.set_num_threads(2)
    signal_in_batch((signal.SIGTERM, nth))


def two_threads_and_a_kernel(nth: int) -> None:
    """Use a kernel without a deterministic form, until asked to end in the nth batch."""
    two_threads(nth)
    step = softbio.engine.rank_task.step

    def warned(*arguments):
        warnings.warn("made_up_kernel does not have a deterministic implementation", stacklevel=1)
        return step(*arguments)

    softbio.engine.rank_task.step = warned


def test_what_earlier_processes_ran_under_is_told(packed, tmp_path):
    """The last process used none but repeatable kernels: of the run that would not be true."""
    for nth in (20, 5):
        process = started(RECIPE, packed, tmp_path, two_threads_and_a_kernel, nth)
        process.join(60)
        assert process.exitcode == 143
    finish(RECIPE, packed, tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    told = [(each["threads"], each["kernels"]) for each in run["processes"]]
    assert told == [(2, ["made_up_kernel"]), (1, [])], "each kind of process once"
    assert run["nondeterministic_kernels"] == ["made_up_kernel"]
    assert run["threads"] == 1
    assert run["deterministic"] is False
    log = (tmp_path / "train.log").read_text()
    assert re.search(r"begun on .*, 2 threads, it goes on on .*, 1 threads: its sums are not", log)


def test_other_threads_alone_are_told(packed, tmp_path):
    process = started(RECIPE, packed, tmp_path, two_threads, 20)
    process.join(60)
    finish(RECIPE, packed, tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    assert [each["threads"] for each in run["processes"]] == [2, 1]
    assert run["nondeterministic_kernels"] == []
    assert run["deterministic"] is False


def test_resumed_under_the_same_conditions_it_is_repeatable(stopped, packed):
    finish(RECIPE, packed, stopped)
    run = json.loads((stopped / "run.json").read_text())
    assert run["deterministic"] is True
    assert len(run["processes"]) == 1
    assert run["resumed_at"] == [2]
    assert "goes on on" not in (stopped / "train.log").read_text()


def test_full_disk_is_one_line_and_keeps_the_state_before(packed, tmp_path, monkeypatch, whole):
    write, calls = ResumeFile._write, []

    def full(self, snapshot):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        write(self, snapshot)

    monkeypatch.setattr(ResumeFile, "_write", full)
    with pytest.raises(UserError, match=r"resume.pt: cannot be written \(No space left"):
        train(RECIPE, packed, tmp_path, device="cpu")
    assert finish(RECIPE, packed, tmp_path) == whole
    assert resumed_at(tmp_path) == [2]


def test_not_finite_loss_never_replaces_the_last_good_state(packed, tmp_path, caplog):
    """Not even when the run is asked to end before the epoch is through."""
    caplog.set_level(logging.INFO)
    step, calls = softbio.engine.rank_task.step, []

    def poisoned(run, inputs, labels):
        calls.append(1)
        if len(calls) == 20:
            signal_self()
        return step(run, inputs * float("nan") if len(calls) > 18 else inputs, labels)

    softbio.engine.rank_task.step = poisoned
    try:
        with pytest.raises(UserError, match="loss is nan in epoch 2, batch 4"):
            train(replace(RECIPE, epochs=2), packed, tmp_path, device="cpu")
    finally:
        softbio.engine.rank_task.step = step
    state = read_state(tmp_path / "resume.pt")
    assert len(state["history"]) == 1
    assert all(torch.isfinite(tensor).all() for tensor in state["model"].values())
