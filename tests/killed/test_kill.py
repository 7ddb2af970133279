"""Runs that are killed or asked to end, at random moments and at the worst ones."""

import ctypes
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch

import softbio.engine.rank_task
import softbio.engine.stopping
from softbio.files import sibling
from tests.killed.runs import (
    RECIPE,
    began,
    ended,
    finish,
    probabilities,
    resumed_at,
    signal_in_batch,
    started,
    work,
)
from tests.processes import signal_self

KILLS = 24
# a run that is asked to end does so within so many seconds, as docs/cluster.md says
PROMISED = 10


def test_killed_at_random_moments_it_ends_as_if_left_alone(packed, whole, seconds, tmp_path):
    chance, kills, resumed = random.Random(7), 0, 0
    for number in range(4 * KILLS):
        folder, marker = tmp_path / f"run{number}", tmp_path / f"marker{number}"
        while True:
            # one in five before its first batch, where a run is set up or put back together
            early = chance.random() < 0.2
            process = started(RECIPE, packed, folder) if early else began(packed, folder, marker)
            process.join(chance.uniform(0, seconds))
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
        assert process.exitcode == 0
        resumed += len(resumed_at(folder))
        assert probabilities(packed, folder) == whole
        # where the machine is slower than as the time was taken, more are killed before a save
        if kills >= KILLS and resumed >= KILLS / 4:
            break
    assert kills >= KILLS
    assert resumed >= KILLS / 4


def kill_in_the_save(where: tuple[str, int, Path]) -> None:
    """Die in the nth save: in the midst of the file, before or after it takes its place."""
    moment, nth, folder = where
    save, move, calls = torch.save, Path.replace, []

    def torn(state, content):
        save(state, content)
        calls.append(1)
        if len(calls) == nth and moment == "half written":
            part = sibling(folder / "resume.pt", os.getpid())
            part.write_bytes(content.getvalue()[: len(content.getvalue()) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    def moved(part, path):
        here = len(calls) == nth and path.name == "resume.pt"
        if here and moment == "not yet renamed":
            os.kill(os.getpid(), signal.SIGKILL)
        move(part, path)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save, Path.replace = torn, moved


@pytest.mark.parametrize("moment", ["half written", "not yet renamed", "just renamed"])
@pytest.mark.parametrize("nth", [1, 3])
def test_killed_while_the_resume_file_is_written(packed, whole, tmp_path, moment, nth):
    process = started(RECIPE, packed, tmp_path, kill_in_the_save, (moment, nth, tmp_path))
    assert ended(process) == -signal.SIGKILL
    assert finish(RECIPE, packed, tmp_path) == whole
    kept = nth if moment == "just renamed" else nth - 1
    assert resumed_at(tmp_path) == ([kept] if kept else [])
    assert not list(tmp_path.glob(".*part*"))


@pytest.mark.parametrize(
    ("number", "nth"),
    [*((signal.SIGTERM, nth) for nth in (1, 15, 16, 38)), (signal.SIGINT, 38)],
)
def test_asked_to_end_it_saves_the_epoch_under_way(packed, whole, tmp_path, number, nth):
    process = started(RECIPE, packed, tmp_path, signal_in_batch, (number, nth))
    assert ended(process) == 128 + number
    done = f"epoch {(nth - 1) // 15} and {(nth - 1) % 15 + 1} batches"
    log = (tmp_path / "train.log").read_text()
    assert f"stopped by {number.name}: the state after {done} is in" in log
    assert "Traceback" not in log
    assert finish(RECIPE, packed, tmp_path) == whole
    assert resumed_at(tmp_path) == [(nth - 1) // 15]


def test_asked_to_end_at_random_moments_it_does_so_in_time(packed, whole, seconds, tmp_path):
    chance, codes = random.Random(11), []
    for asked in range(6):
        folder = tmp_path / f"run{asked}"
        process = began(packed, folder, tmp_path / f"marker{asked}")
        process.join(chance.uniform(0, 0.9) * seconds)
        process.terminate()
        codes.append(ended(process, PROMISED))
        # 0: it was through before the signal came; -15: all but what it writes at the end
        assert codes[-1] in (143, 0, -15)
        assert finish(RECIPE, packed, folder) == whole
    assert 143 in codes, f"none was caught at work: {codes}"


def signal_in_validation(nth: int) -> None:
    """Have SIGTERM come between two validation batches of the nth epoch."""
    validate, calls = softbio.engine.rank_task.validate, []

    def signalled(run):
        calls.append(1)
        if len(calls) == nth:
            signal_self()
        return validate(run)

    softbio.engine.rank_task.validate = signalled


def test_asked_to_end_in_validation_it_keeps_the_trained_epoch(packed, whole, tmp_path):
    assert ended(started(RECIPE, packed, tmp_path, signal_in_validation, 2)) == 143
    assert "epoch 1 and 15 batches" in (tmp_path / "train.log").read_text()
    assert finish(RECIPE, packed, tmp_path) == whole


def hang_in_batch(nth: int) -> None:
    """A batch that computes outside Python for a minute, and a grace of half a second."""
    softbio.engine.stopping.GRACE_SECONDS = 0.5
    step, calls = softbio.engine.rank_task.step, []

    def slow(*arguments):
        calls.append(1)
        if len(calls) == nth:
            Path(os.environ["STARTED"]).touch()
            while True:  # sleep() returns early when a signal comes; a convolution does not
                ctypes.CDLL(None).sleep(60)
        return step(*arguments)

    softbio.engine.rank_task.step = slow


def test_a_batch_that_does_not_end_can_not_hold_up_the_end(packed, whole, tmp_path, monkeypatch):
    started_file = tmp_path / "started"
    monkeypatch.setenv("STARTED", str(started_file))
    process = multiprocessing.get_context("spawn").Process(
        target=work, args=(RECIPE, packed, tmp_path, hang_in_batch, 20)
    )
    process.start()
    while not started_file.exists():
        assert process.is_alive()
        time.sleep(0.05)
    process.terminate()
    assert ended(process, PROMISED) == 143
    assert "in the middle of a batch" in (tmp_path / "train.log").read_text()
    assert finish(RECIPE, packed, tmp_path) == whole
    assert resumed_at(tmp_path) == [1]
