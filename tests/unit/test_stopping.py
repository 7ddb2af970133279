"""How long a run that was asked to end is waited for."""

import logging
import os
import signal
import threading
import time

import pytest

from softbio.engine import stopping
from softbio.engine.stopping import Stop, Stopped


@pytest.fixture
def asked(monkeypatch):
    """A run that was asked to end a moment ago, the thread that counts its time, and the exit codes
    of processes that were ended by it."""
    ended, stop = [], Stop()
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0.3)
    thread = threading.Thread(target=stop._ask, args=(signal.SIGTERM, lambda: "kept"))
    return stop, thread, ended


def begin(stop: Stop, thread: threading.Thread) -> None:
    thread.start()
    while stop.signal is None:
        time.sleep(0.001)


def test_a_state_that_is_being_saved_is_waited_for(asked, monkeypatch):
    """Longer than for a batch to end: a large network's takes its time."""
    monkeypatch.setattr(stopping, "SAVING_SECONDS", 60)
    stop, thread, ended = asked
    begin(stop, thread)
    assert stop.requested()
    thread.join(1.0)
    assert thread.is_alive()
    with pytest.raises(Stopped):
        stop.leave("the state is saved")
    thread.join(10)
    assert (thread.is_alive(), ended) == (False, [])


@pytest.mark.parametrize(
    ("heard", "where"), [(False, "in the middle of a batch"), (True, "while its state was being")]
)
def test_it_is_not_waited_for_any_longer(asked, monkeypatch, caplog, heard, where):
    monkeypatch.setattr(stopping, "SAVING_SECONDS", 0.6)
    caplog.set_level(logging.WARNING)
    stop, thread, ended = asked
    begin(stop, thread)
    if heard:
        assert stop.requested()
    thread.join(10)
    assert ended == [128 + signal.SIGTERM]
    assert f"stopped by SIGTERM {where}" in caplog.text
    assert "kept" in caplog.text


def test_a_batch_system_would_wait_longer():
    """30 s by default; and who ends in time needs no more than the grace for a batch."""
    assert stopping.GRACE_SECONDS < 10
    assert stopping.GRACE_SECONDS < stopping.SAVING_SECONDS < 25
